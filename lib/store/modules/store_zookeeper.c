/* SPDX-License-Identifier: MIT */
/* Type "zookeeper": a driver of jobs alone over the multi-threaded C client. */
#include "store/modules/store_zookeeper.h"

#include <schedd/export.h>
#include <schedd/module.h>
#include <stdio.h>
#include <string.h>

static const char *const zookeeper_params[] = {NULL};

static int zookeeper_check(const struct store_remote_config *config, struct schedd_error *err)
{
	const struct store_url *url = &config->url;

	if (config->prefix)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "option 'prefix' is not for type 'zookeeper': give a path in the url, HOST/PATH");
	if (strlen(url->path) > ZOO_BASE_MAX || strstr(url->path, "//") || strchr(url->path, '%') ||
	    (url->path[0] && url->path[strlen(url->path) - 1] == '/'))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '/%.80s' must be a path of at most %d bytes, without // and / at its end",
		    url->path, ZOO_BASE_MAX);
	if (strcmp(url->path, "zookeeper") == 0 || strncmp(url->path, "zookeeper/", 10) == 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "url: '/zookeeper' is the server's own");
	if (!url->user != !url->password)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: a user and a password go together, write USER:PASSWORD@ or give "
		    "password_file");
	if (config->tls_ca || config->tls_cert || config->tls_key)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "tls_ca, tls_cert and tls_key: the client library of ZooKeeper has no TLS");
	return 0;
}

static int zookeeper_connect(struct store_link *link, struct schedd_error *err)
{
	struct zoo_link *zoo = zoo_of(link);
	const char *path = link->config->url.path;
	int rc;

	if (!zoo->keys.server) {
		store_keys_init(&zoo->keys, &store_zookeeper_server);
		zoo->epoch = -1;
		snprintf(zoo->base, sizeof(zoo->base), "/%s", path[0] ? path : "schedd");
	}
	store_keys_forget(&zoo->keys);
	rc = store_zookeeper_talk_connect(link, err);
	if (rc || !link->writer)
		return rc;
	rc = store_zookeeper_own(link, err);
	return rc ? rc : store_keys_recover(link, err);
}

static void zookeeper_disconnect(struct store_link *link)
{
	store_zookeeper_talk_close(link);
	store_keys_forget(&zoo_of(link)->keys);
}

static int zookeeper_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	(void)watching;
	return store_zookeeper_keep(link, err);
}

static const struct store_driver zookeeper_driver = {
    .size = sizeof(struct zoo_link),
    .params = zookeeper_params,
    .schemes = "zookeeper, none",
    .jobs_alone = true,
    .check = zookeeper_check,
    .connect = zookeeper_connect,
    .disconnect = zookeeper_disconnect,
    .commit = store_keys_commit,
    .resolve = store_keys_resolve,
    .load = store_keys_load,
    .reread = store_keys_reread,
    .last_run = store_keys_last_run,
    .beat = 5 * SCHEDD_SECOND,
    .idle = zookeeper_idle,
};

static const struct store_ops zookeeper_ops = STORE_REMOTE_JOBS_OPS("zookeeper", &zookeeper_driver);

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "store_zookeeper",
    .version = SCHEDD_VERSION,
    .store = &zookeeper_ops,
};
