/* SPDX-License-Identifier: MIT */
/* Who owns the store. The lock dies with the writer's session. */
#include <mysqld_error.h>
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

/* What the answers say of those that shared it. */
struct owner_found {
	int64_t epoch, nodes; /* nodes: that were not ended */
	char holder[160], since[32]; /* of one that lives; "": none */
};

static void owner_take(uint32_t place, MYSQL_RES *rows, uint64_t changed, void *context)
{
	struct owner_found *found = context;
	struct my_row row = {.fields = rows ? mysql_fetch_row(rows) : NULL};

	(void)changed;
	if (row.fields && place == 1)
		found->epoch = my_row_number(&row, 0, 0);
	if (!row.fields || place != 2)
		return;
	found->nodes = my_row_number(&row, 0, 0);
	snprintf(found->holder, sizeof(found->holder), "%s", row.fields[1] ? row.fields[1] : "");
	snprintf(found->since, sizeof(found->since), "%s", row.fields[2] ? row.fields[2] : "");
}

/* Nodes that live share it: none has it alone. What those had that are gone is the owner's. */
static int owner_end_nodes(
    struct store_link *link, const struct owner_found *found, struct schedd_error *err)
{
	int rc;

	if (found->holder[0])
		return store_link_fail(link, STORE_FAULT_HELD, err,
		    "it belongs to %s, which shares it with others, since %s", found->holder, found->since);
	if (found->nodes == 0)
		return 0;
	rc = store_mysql_talk_ask(link, NULL, err,
	    "UPDATE schedd_nodes n JOIN schedd_beats b ON b.node = n.node SET n.epoch = n.epoch + 1, n.dead_since = "
	    MY_CLOCK ", b.expires_at = 0 WHERE n.dead_since IS NULL");
	return rc ? rc
		  : store_mysql_talk_ask(
			link, NULL, err, "UPDATE schedd_slots SET node = NULL WHERE node IS NOT NULL");
}

int store_mysql_own_shared(struct store_link *link, struct schedd_error *err)
{
	return owner_lock(link, err);
}

int store_mysql_own_release(struct store_link *link, struct schedd_error *err)
{
	return store_mysql_talk_ask(link, NULL, err, "SELECT release_lock(" OWNER_LOCK ")");
}

int store_mysql_own(struct store_link *link, struct schedd_error *err)
{
	const struct store_remote_config *config = link->config;
	int64_t now = link->clock->wall(link->clock->context);
	struct owner_found found = {.epoch = 0};
	struct strbuf text = STRBUF_EMPTY;
	int rc = owner_lock(link, err);
	uint32_t done;

	/* What stands on the right is the old value only until it was set. */
	my_add(&text,
	    "INSERT INTO schedd_owner (one, identity, life, holder, since, epoch, connection, batch) "
	    "VALUES (1, ?t, ?t, ?t, ?n, 1, connection_id(), 0) ON DUPLICATE KEY UPDATE epoch = epoch + "
	    "(life <> VALUES(life)), batch = if(life = VALUES(life), batch, 0), since = if(life = "
	    "VALUES(life), since, VALUES(since)), identity = VALUES(identity), holder = "
	    "VALUES(holder), connection = VALUES(connection), life = VALUES(life); "
	    "SELECT epoch FROM schedd_owner WHERE one = 1; SELECT count(*), max(if(b.expires_at > " MY_CLOCK
	    " AND n.identity <> ?t, n.address, NULL)), date_format(timestampadd(MICROSECOND, max(n.started_at), TIMESTAMP "
	    "'1970-01-01 00:00:00'), '%Y-%m-%dT%H:%i:%sZ') FROM schedd_nodes n JOIN schedd_beats b ON b.node = n.node WHERE "
	    "n.dead_since IS NULL",
	    config->identity, config->life, config->holder, now, config->identity);
	if (rc == 0)
		rc = store_mysql_migrate(link, err);
	if (rc == 0)
		rc = store_mysql_talk_packet(link, &text, owner_take, &found, &done, err);
	strbuf_clear(&text);
	/* An account that owns its store alone needs no rights on the nodes that shared it. */
	if (rc && found.epoch && mysql_errno(my_of(link)->mysql) == ER_TABLEACCESS_DENIED_ERROR) {
		link->fault = STORE_FAULT_NONE;
		rc = 0;
	}
	if (rc == 0)
		rc = owner_end_nodes(link, &found, err);
	if (rc == 0)
		link->epoch = (uint64_t)found.epoch;
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
