/* SPDX-License-Identifier: MIT */
/* Type "mongodb": a driver over libmongoc. How a group of changes is one is in store_mongodb_own.c. */
#include "store/modules/store_mongodb.h"

#include <schedd/export.h>
#include <schedd/module.h>

static const char *const mongodb_params[] = {
    "authSource", "authMechanism", "replicaSet", "tls", NULL};

static int mongodb_connect(struct store_link *link, struct schedd_error *err)
{
	int rc = store_mongodb_talk_connect(link, err);

	if (rc == 0 && link->writer)
		rc = store_mongodb_schema(link, err);
	if (rc == 0 && link->writer)
		rc = store_mongodb_own(link, err);
	return rc;
}

static const struct store_driver mongodb_driver = {
    .size = sizeof(struct mo_link),
    .params = mongodb_params,
    .schemes = "mongodb",
    .check = store_mongodb_check,
    .connect = mongodb_connect,
    .disconnect = store_mongodb_talk_close,
    .commit = store_mongodb_commit,
    .resolve = store_mongodb_resolve,
    .load = store_mongodb_load,
    .reread = store_mongodb_reread,
    .last_run = store_mongodb_last_run,
    /* A lease has at least three seconds. */
    .beat = SCHEDD_SECOND,
    .idle = store_mongodb_idle,
    .runs = store_mongodb_runs,
    .changes = store_mongodb_changes,
    .stats = store_mongodb_stats,
    .retain = store_mongodb_retain,
    .sizes = store_mongodb_sizes,
};

static const struct store_ops mongodb_ops = STORE_REMOTE_OPS("mongodb", &mongodb_driver);

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "store_mongodb",
    .version = SCHEDD_VERSION,
    .store = &mongodb_ops,
};
