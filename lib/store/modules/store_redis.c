/* SPDX-License-Identifier: MIT */
/*
 * Type "redis": a driver that speaks to Redis and Valkey over a socket of its own, for hiredis'
 * calls know no deadline; of hiredis there is the codec. A group of batches is one call of a
 * function on the server (store_redis_v2.lua), which judges all of it before it writes anything.
 */
#include "store/modules/store_redis.h"

#include <schedd/export.h>
#include <schedd/module.h>
#include <string.h>

static const char *const redis_params[] = {"db", NULL};

static int redis_check_database(const struct store_remote_config *config, struct schedd_error *err)
{
	const char *param = store_url_param(&config->url, "db"), *path = config->url.path;
	bool local = strcmp(config->url.scheme, "unix") == 0;
	const char *text = local || param ? param : path;

	if (!local && param && path[0])
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: it names two databases, /%.40s and db=%.40s", path, param);
	if (text && (strspn(text, "0123456789") != strlen(text) || strlen(text) > 6 ||
			(!text[0] && param)))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '%.64s' is no number of a database, write %s", text,
		    local ? "?db=2" : "redis://HOST/2");
	return 0;
}

static int redis_check_place(const struct store_remote_config *config, struct schedd_error *err)
{
	const struct store_url *url = &config->url;
	bool local = strcmp(url->scheme, "unix") == 0;

	if (local && (url->path[0] != '/' || strlen(url->path) > 100))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: write the socket's whole path, up to 100 bytes: unix:///run/redis/redis.sock");
	if (local && (url->hosts[0].name[0] || url->hosts[0].port))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: a host has no place in unix://, write unix:///PATH with three slashes");
	if (url->host_count > 1)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: it names %u hosts, schedd writes to one server: name the master",
		    (unsigned)url->host_count);
	if (!local && strlen(url->hosts[0].name) > 253)
		return schedd_error_set(err, SCHEDD_EINVAL, "url: the host's name is too long");
	return 0;
}

static int redis_check_tls(const struct store_remote_config *config, struct schedd_error *err)
{
	bool tls = strcmp(config->url.scheme, "rediss") == 0;

	if (!tls && (config->tls_ca || config->tls_cert || config->tls_key))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "tls_ca, tls_cert and tls_key are for rediss://, the url says %s://",
		    config->url.scheme);
	if (!config->tls_cert != !config->tls_key)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "tls_cert and tls_key belong together, %s is missing",
		    config->tls_cert ? "tls_key" : "tls_cert");
	return 0;
}

static int redis_check(const struct store_remote_config *config, struct schedd_error *err)
{
	const struct store_url *url = &config->url;
	int rc = redis_check_place(config, err);

	if (rc == 0)
		rc = redis_check_database(config, err);
	if (rc == 0)
		rc = redis_check_tls(config, err);
	if (rc == 0 && url->user && url->user[0] && !url->password)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "url: there is a user and no password; a password alone is written "
		    "redis://:PASSWORD@HOST, or put it into password_file");
	/* They say which keys of a cluster live together. */
	if (rc == 0 && config->prefix && strpbrk(config->prefix, "{} \t"))
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "prefix: '%.64s' must have no braces and no spaces", config->prefix);
	return rc;
}

static int redis_connect(struct store_link *link, struct schedd_error *err)
{
	int rc = store_redis_wire_open(link, err);

	if (rc == 0)
		rc = store_redis_login(link, err);
	if (rc == 0 && link->writer)
		rc = link->config->shared ? store_redis_join(link, err) : store_redis_own(link, err);
	/* Whatever it was, this connection is of no use. */
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

static int redis_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	return link->config->shared ? store_redis_listen(link, watching, err)
				    : store_redis_idle(link, watching, err);
}

static void redis_disconnect(struct store_link *link)
{
	if (link->config->shared)
		store_redis_part(link);
	else if (link->writer && link->fault == STORE_FAULT_NONE)
		store_redis_release(link);
	store_redis_wire_close(link);
}

static int redis_fd(const struct store_link *link)
{
	if (link->config->shared)
		return store_redis_share_fd(link);
	return redis_of(link)->open ? redis_of(link)->fd : -1;
}

static const struct store_share_driver redis_share = {
    .renew = store_redis_renew,
    .refresh = store_redis_refresh,
    .output = store_redis_output,
};

static const struct store_driver redis_driver = {
    .size = sizeof(struct redis_link),
    .params = redis_params,
    .schemes = "redis, rediss, unix",
    .check = redis_check,
    .connect = redis_connect,
    .disconnect = redis_disconnect,
    .commit = store_redis_commit,
    .resolve = store_redis_resolve,
    .load = store_redis_load,
    .reread = store_redis_reread,
    .last_run = store_redis_last_run,
    /* Less than a third of the shortest lease. */
    .beat = SCHEDD_SECOND,
    .idle = redis_idle,
    .fd = redis_fd,
    .share = &redis_share,
    .runs = store_redis_runs,
    .changes = store_redis_changes,
    .stats = store_redis_stats,
    .retain = store_redis_retain,
    .sizes = store_redis_sizes,
};

static const struct store_ops redis_ops = STORE_REMOTE_OPS("redis", &redis_driver);

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "store_redis",
    .version = SCHEDD_VERSION,
    .store = &redis_ops,
};
