/* SPDX-License-Identifier: MIT */
/*
 * Type "mysql": a driver over libmariadb, for MariaDB and MySQL. A group of
 * batches is one packet of statements and one transaction; the owner is a row
 * with an epoch, guarded by a lock that dies with the writer's session.
 */
#include "store/modules/store_mysql.h"

#include <schedd/export.h>
#include <schedd/module.h>
#include <string.h>

static const char *const mysql_params[] = {
    "unix_socket", "ssl_mode", "default_file", "default_group", NULL};

static int mysql_connect_link(struct store_link *link, struct schedd_error *err)
{
	int rc = store_mysql_connect(link, err);

	if (rc == 0 && link->writer)
		rc = store_mysql_schema(link, err);
	if (rc == 0 && link->writer)
		rc = link->config->shared ? store_mysql_join(link, err) : store_mysql_own(link, err);
	if (rc == 0 && link->writer)
		store_mysql_promise(link);
	return rc;
}

static int mysql_fd(const struct store_link *link)
{
	return mysql_get_socket(my_of(link)->mysql);
}

static int mysql_load(
    struct store_link *link, struct store_loading *loading, struct schedd_error *err)
{
	return store_mysql_load(link, loading, store_mysql_load_slots, err);
}

static int mysql_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	return link->config->shared ? store_mysql_listen(link, watching, err)
				    : store_mysql_idle(link, watching, err);
}

static void mysql_disconnect(struct store_link *link)
{
	struct my_link *my = my_of(link);

	store_mysql_talk_close(link);
	arena_clear(&my->names_arena);
	my->names = NULL;
	my->name_count = 0;
}

static const struct store_share_driver mysql_share = {
    .renew = store_mysql_renew,
    .refresh = store_mysql_refresh,
    .output = store_mysql_output,
};

static const struct store_driver mysql_driver = {
    .size = sizeof(struct my_link),
    .params = mysql_params,
    .schemes = "mysql, mariadb",
    .check = store_mysql_check,
    .connect = mysql_connect_link,
    .disconnect = mysql_disconnect,
    .commit = store_mysql_commit,
    .resolve = store_mysql_resolve,
    .load = mysql_load,
    .reread = store_mysql_reread,
    .last_run = store_mysql_last_run,
    .beat = STORE_MYSQL_BEAT,
    .idle = mysql_idle,
    .fd = mysql_fd,
    .polls = true,
    .share = &mysql_share,
    .runs = store_mysql_runs,
    .changes = store_mysql_changes,
    .stats = store_mysql_stats,
    .retain = store_mysql_retain,
    .sizes = store_mysql_sizes,
};

static const struct store_ops mysql_ops = STORE_REMOTE_OPS("mysql", &mysql_driver);

SCHEDD_API const struct schedd_module schedd_module = {
    .abi = SCHEDD_MODULE_ABI,
    .name = "store_mysql",
    .version = SCHEDD_VERSION,
    .store = &mysql_ops,
};
