/* SPDX-License-Identifier: MIT */
/* Who owns the store, and what the server promises. The lock dies with the writer's session. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_mysql.h"

#define OWNER_LOCK "concat('schedd.', left(sha2(database(), 256), 40))"

/* ---- The owner ---- */

/*
 * Who has it is our own predecessor, whose death the state directory's lock has
 * proved: its session ends, and with it what it may still have under way.
 */
static int owner_oust(struct store_link *link, int64_t connection, struct schedd_error *err)
{
	int rc = store_mysql_talk_ask(link, NULL, err, "KILL CONNECTION ?n", connection);

	/* It may be gone by now. */
	if (rc && link->fault == STORE_FAULT_NONE)
		rc = 0;
	return rc;
}

static int owner_held(struct store_link *link, struct schedd_error *err)
{
	struct my_row row;
	MYSQL_RES *rows;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SELECT identity, holder, date_format(timestampadd(MICROSECOND, since, TIMESTAMP "
	    "'1970-01-01 00:00:00'), '%Y-%m-%dT%H:%i:%sZ'), connection, is_used_lock(" OWNER_LOCK
	    ") FROM schedd_owner");

	if (rc)
		return rc;
	row.fields = mysql_fetch_row(rows);
	if (!row.fields || !row.fields[4] || strcmp(row.fields[3], row.fields[4]) != 0)
		/* It has the lock and has not written its name yet; or it is free again. */
		rc = row.fields && !row.fields[4] ? 0
						  : store_link_fail(link, STORE_FAULT_HELD, err,
							"another schedd is just taking it");
	else if (strcmp(row.fields[0], link->config->identity) == 0)
		rc = owner_oust(link, my_row_number(&row, 3, 0), err);
	else
		rc = store_link_fail(link, STORE_FAULT_HELD, err, "it belongs to %s since %s",
		    row.fields[1], row.fields[2]);
	mysql_free_result(rows);
	return rc;
}

/* One's own session that is ended gives the lock back in a moment. */
static int owner_lock(struct store_link *link, struct schedd_error *err)
{
	int64_t locked = 0;
	int rc = store_mysql_talk_number(
	    link, &locked, err, "SELECT get_lock(" OWNER_LOCK ", 0)");

	while (rc == 0 && locked != 1) {
		rc = owner_held(link, err);
		if (rc == 0)
			rc = store_mysql_talk_number(
			    link, &locked, err, "SELECT get_lock(" OWNER_LOCK ", 1)");
		if (rc == 0 && locked != 1 && store_link_left(link) == 0)
			rc = store_link_fail(link, STORE_FAULT_HELD, err,
			    "a session of its own former life does not end");
	}
	return rc;
}

int store_mysql_own(struct store_link *link, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	int64_t now = link->clock->wall(link->clock->context), epoch = 0;
	int rc = owner_lock(link, err);

	/* What stands on the right is the old value only until it was set. */
	if (rc == 0)
		rc = store_mysql_talk_ask(link, NULL, err,
		    "INSERT INTO schedd_owner (one, identity, life, holder, since, epoch, connection, "
		    "batch) VALUES (1, ?t, ?t, ?t, ?n, 1, connection_id(), 0) ON DUPLICATE KEY UPDATE "
		    "epoch = epoch + (life <> VALUES(life)), batch = if(life = VALUES(life), batch, 0), "
		    "since = if(life = VALUES(life), since, VALUES(since)), identity = "
		    "VALUES(identity), holder = VALUES(holder), connection = VALUES(connection), "
		    "life = VALUES(life)",
		    config->identity, config->life, config->holder, now);
	if (rc == 0)
		rc = store_mysql_talk_number(
		    link, &epoch, err, "SELECT epoch FROM schedd_owner WHERE one = 1");
	if (rc == 0)
		link->epoch = (uint64_t)epoch;
	else if (link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

int store_mysql_idle(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	int64_t ours = 0;
	int rc = store_mysql_talk_number(link, &ours, err,
	    "SELECT count(*) FROM schedd_owner WHERE epoch = ?n AND life = ?t AND is_used_lock("
	    OWNER_LOCK ") = connection_id()",
	    (int64_t)link->epoch, link->config->life);

	(void)watching;
	/* A connection that cannot answer this is of no use. */
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	if (rc)
		return rc;
	return ours == 1 ? 0
			 : store_link_fail(
			       link, STORE_FAULT_FENCED, err, "another schedd has taken it over");
}

/* ---- What it promises ---- */

struct owner_settings {
	int64_t flush, sync, doublewrite, log;
};

static const char *owner_setting(MYSQL_RES *rows, const char *name)
{
	struct my_row row;

	mysql_data_seek(rows, 0);
	while ((row.fields = mysql_fetch_row(rows)))
		if (strcmp(row.fields[0], name) == 0)
			return row.fields[1] ? row.fields[1] : "";
	return "unknown";
}

static bool owner_on(const char *text)
{
	return strcmp(text, "ON") == 0 || strcmp(text, "1") == 0 ||
	       strcmp(text, "DETECT_AND_RECOVER") == 0;
}

int store_mysql_promise(struct store_link *link, struct schedd_error *err)
{
	MYSQL_RES *rows, *tables;
	const char *flush, *sync;
	struct my_row table;
	bool log, pages, safe;
	int rc = store_mysql_talk_ask(link, &rows, err,
	    "SHOW VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', "
	    "'log_bin', 'innodb_doublewrite')");

	if (rc)
		return rc;
	rc = store_mysql_talk_ask(link, &tables, err,
	    "SELECT engine, table_collation FROM information_schema.tables WHERE table_schema = "
	    "database() AND table_name = ?t",
	    "schedd_jobs");
	if (rc) {
		mysql_free_result(rows);
		return rc;
	}
	flush = owner_setting(rows, "innodb_flush_log_at_trx_commit");
	sync = owner_setting(rows, "sync_binlog");
	log = owner_on(owner_setting(rows, "log_bin"));
	pages = owner_on(owner_setting(rows, "innodb_doublewrite"));
	table.fields = mysql_fetch_row(tables);
	safe = strcmp(flush, "1") == 0 && table.fields && strcmp(table.fields[0], "InnoDB") == 0;
	snprintf(link->durability, sizeof(link->durability),
	    "%s %s, %s (engine %s, innodb_flush_log_at_trx_commit %s, sync_binlog %s%s%s, collation "
	    "%s for its words, ids are bytes)",
	    my_of(link)->mariadb ? "MariaDB" : "MySQL",
	    mysql_get_server_info(my_of(link)->mysql),
	    safe ? "survives a crash of the server" : "a crash of the server may lose changes",
	    table.fields ? table.fields[0] : "unknown", flush, sync,
	    log ? strcmp(sync, "1") == 0 ? "" : ": a replica may miss some" : ", no binary log",
	    pages ? "" : ", innodb_doublewrite off", table.fields ? table.fields[1] : "unknown");
	mysql_free_result(tables);
	mysql_free_result(rows);
	return 0;
}
