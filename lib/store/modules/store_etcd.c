/* SPDX-License-Identifier: MIT */
/* Type "etcd": a driver of jobs alone over the server's JSON gateway. */
#include "store/modules/store_etcd.h"

#include <schedd/export.h>
#include <schedd/module.h>
#include <string.h>

static const char *const etcd_params[] = {NULL};

static int etcd_check(const struct store_remote_config *config, struct schedd_error *err)
{
	const struct store_url *url = &config->url;

	if (url->path[0])
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: '/%.64s' is no part of where an etcd is, what keys begin with is the option "
		    "prefix",
		    url->path);
	if (url->password && !url->user)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "url: a password is for a user, write USER:PASSWORD@");
	if (url->user && !url->password)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "url: user '%.64s' has no password, give password_file", url->user);
	if (!config->tls_cert != !config->tls_key)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "tls_cert and tls_key go together");
	if ((config->tls_ca || config->tls_cert) && strncmp(url->scheme, "http", 5) == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "tls_ca, tls_cert and tls_key are for https:// and etcds://");
	return 0;
}

static int etcd_connect(struct store_link *link, struct schedd_error *err)
{
	struct etcd_link *etcd = etcd_of(link);
	int rc;

	if (!etcd->keys.server)
		store_keys_init(&etcd->keys, &store_etcd_server);
	store_keys_forget(&etcd->keys);
	rc = store_etcd_talk_connect(link, err);
	if (rc || !link->writer)
		return rc;
	rc = store_etcd_own(link, err);
	if (rc == 0)
		rc = store_etcd_promise(link, err);
	return rc ? rc : store_keys_recover(link, err);
}

static void etcd_disconnect(struct store_link *link)
{
	struct etcd_link *etcd = etcd_of(link);

	store_etcd_talk_close(link);
	if (etcd->keys.server)
		store_keys_forget(&etcd->keys);
}

/* What a lease needs goes before: while there is much to write nothing is idle. */
static int etcd_commit(struct store_link *link, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	int rc = store_etcd_keep(link, false, err);

	return rc ? rc : store_keys_commit(link, first, end, err);
}

static int etcd_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	(void)watching;
	return store_etcd_keep(link, true, err);
}

static const struct store_driver etcd_driver = {
    .size = sizeof(struct etcd_link),
    .params = etcd_params,
    .schemes = "http, https, etcd, etcds",
    .jobs_alone = true,
    .compacts = true,
    .check = etcd_check,
    .connect = etcd_connect,
    .disconnect = etcd_disconnect,
    .commit = etcd_commit,
    .resolve = store_keys_resolve,
    .load = store_keys_load,
    .reread = store_keys_reread,
    .last_run = store_keys_last_run,
    .beat = SCHEDD_SECOND,
    .idle = etcd_idle,
};

static const struct store_ops etcd_ops = STORE_REMOTE_JOBS_OPS("etcd", &etcd_driver);

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "store_etcd",
    .version = SCHEDD_VERSION,
    .store = &etcd_ops,
};
