/* SPDX-License-Identifier: MIT */
/*
 * Nodes that share a store. A node's row has its epoch and its lease; a commit
 * locks it with FOR KEY SHARE, which a beat (no key changes) does not wait for,
 * and who ends the epoch takes FOR UPDATE, which waits for every commit that
 * was let in and lets in none after it.
 *
 * What is written beside claims has a line in the feed, numbered by a row that
 * is updated last, so that numbers appear in the order of the commits and have
 * no holes. A notification is a hint to read it.
 */
#include "store/modules/store_postgresql_share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"

/* Lines of the feed are kept so many leases, and no less than: */
#define SHARE_KEEP_LEASES 20
#define SHARE_KEEP_LEAST (10 * SCHEDD_MINUTE)

/* ---- Joining ---- */

/* Who has the name, and what becomes of us. */
struct share_seat {
	int64_t node;  /* 0: nobody had it */
	int64_t epoch;
	int64_t backend;
	bool same;     /* this opening had it, and has it still */
};

static int share_find(struct store_link *link, struct share_seat *seat, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	bool live, ours;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, link->config->node);
	rc = share_ask(link,
	    "SELECT node, epoch, backend, life, identity, dead_since IS NULL AND expires_at > " PG_CLOCK
	    ", address, to_char(to_timestamp(started_at / 1e6) AT TIME ZONE 'UTC', "
	    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM schedd_nodes WHERE name = $1 FOR UPDATE",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	if (PQntuples(result)) {
		seat->node = share_number(result, 0, 0);
		seat->epoch = share_number(result, 0, 1);
		seat->backend = share_number(result, 0, 2);
		seat->same = strcmp(PQgetvalue(result, 0, 3), link->config->life) == 0 &&
			     (uint64_t)seat->epoch == link->epoch;
		ours = strcmp(PQgetvalue(result, 0, 3), link->config->life) == 0 ||
		       strcmp(PQgetvalue(result, 0, 4), link->config->identity) == 0;
		live = strcmp(PQgetvalue(result, 0, 5), "t") == 0;
		if (live && !ours)
			rc = store_link_fail(link, STORE_FAULT_HELD, err,
			    "node '%s' is %s already, started at %s: give one of them another node.name",
			    link->config->node, PQgetvalue(result, 0, 6), PQgetvalue(result, 0, 7));
	}
	PQclear(result);
	return rc;
}

static int share_sit(struct store_link *link, struct share_seat *seat, struct schedd_error *err)
{
	static const char again[] =
	    "UPDATE schedd_nodes SET expires_at = " PG_CLOCK " + $2::bigint, backend = pg_backend_pid() "
	    "WHERE name = $1 RETURNING node, epoch";
	static const char taken[] =
	    "INSERT INTO schedd_nodes AS n (node, name, epoch, expires_at, life, identity, address, labels, "
	    "version, started_at, seen_at, draining, backend) SELECT coalesce(max(node), 0) + 1, $1, 1, "
	    PG_CLOCK " + $2::bigint, $3, $4, $5, $6, $7, " PG_CLOCK ", " PG_CLOCK ", false, "
	    "pg_backend_pid() FROM schedd_nodes ON CONFLICT (name) DO UPDATE SET epoch = n.epoch + 1, "
	    "expires_at = excluded.expires_at, life = excluded.life, identity = excluded.identity, "
	    "address = excluded.address, labels = excluded.labels, version = excluded.version, started_at "
	    "= excluded.started_at, seen_at = excluded.seen_at, draining = false, dead_since = NULL, "
	    "backend = excluded.backend RETURNING node, epoch";
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, link->config->node);
	pg_params_number(&params, link->config->lease);
	if (!seat->same) {
		pg_params_text(&params, link->config->life);
		pg_params_text(&params, link->config->identity);
		pg_params_text(&params, link->config->holder);
		pg_params_text(&params, link->config->labels);
		pg_params_text(&params, SCHEDD_VERSION);
	}
	rc = share_ask(link, seat->same ? again : taken, &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	seat->node = share_number(result, 0, 0);
	seat->epoch = share_number(result, 0, 1);
	PQclear(result);
	return 0;
}

/* What is nobody's is ours; the others are told that we are there. */
static int share_settle(
    struct store_link *link, const struct share_seat *seat, struct schedd_error *err)
{
	static const char *const statements[] = {
	    "INSERT INTO schedd_batches AS b (node, life, batch) VALUES ($1::int, $2, 0) ON CONFLICT (node) "
	    "DO UPDATE SET life = $2, batch = CASE WHEN b.life = $2 THEN b.batch ELSE 0 END",
	    "UPDATE schedd_runs SET node = $1::int WHERE node IS NULL AND done_at IS NULL AND $2 <> ''",
	    "UPDATE schedd_slots SET node = $1::int WHERE node IS NULL AND $2 <> ''",
	    "WITH s AS (UPDATE schedd_meta SET number = number + 1 WHERE key = 'feed.seq' RETURNING number) "
	    "INSERT INTO schedd_feed (seq, at, origin, kind, id) SELECT number, " PG_CLOCK
	    ", $1::int, 'slot', $2 FROM s",
	    "SELECT pg_notify('schedd', $1::text) WHERE $2 <> ''",
	};
	struct pg_params params;
	int rc = 0;

	pg_params_init(&params);
	pg_params_number(&params, seat->node);
	pg_params_text(&params, link->config->life);
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && rc == 0; i++)
		rc = share_ask(link, statements[i], &params, NULL, err);
	pg_params_clear(&params);
	return rc;
}

/* A session of ours from before may still be about to commit something: it is ended first. */
static int share_alone(
    struct store_link *link, const struct share_seat *seat, struct schedd_error *err)
{
	char lock[100], oust[80];
	bool locked = false;
	int rc = 0;

	snprintf(lock, sizeof(lock), "SELECT pg_try_advisory_lock(1935894374, %lld)",
	    (long long)seat->node);
	snprintf(oust, sizeof(oust), "SELECT pg_terminate_backend(%lld), pg_sleep(0.02)",
	    (long long)seat->backend);
	while (rc == 0 && !locked) {
		PGresult *result;

		rc = share_ask(link, lock, NULL, &result, err);
		if (rc)
			return rc;
		locked = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
		PQclear(result);
		if (!locked)
			rc = share_ask(link, oust, NULL, NULL, err);
	}
	return rc;
}

/* A lease that a few round trips use up would be lost again and again. */
static int share_measure(struct store_link *link, struct schedd_error *err)
{
	int least = link->config->lease > INT32_MAX ? INT32_MAX : (int)link->config->lease;
	int rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++) {
		int before = store_link_left(link), taken;

		rc = share_ask(link, "SELECT 1", NULL, NULL, err);
		taken = (before - store_link_left(link)) * 1000;
		least = taken < least ? taken : least;
	}
	if (rc == 0 && (schedd_span)least * 3 > link->config->lease)
		rc = store_link_fail(link, STORE_FAULT_REFUSED, err,
		    "lease: it is shorter than 3 round trips to the server, which take %d ms each: make it "
		    "longer",
		    least / 1000);
	return rc;
}

int store_postgresql_join(struct store_link *link, struct schedd_error *err)
{
	struct pg_link *pg = pg_of(link);
	struct share_seat seat = {.node = 0};
	int rc = share_measure(link, err);

	pg->read = seat.same;
	if (rc == 0)
		rc = share_ask(link, "LISTEN schedd", NULL, NULL, err);
	if (rc == 0)
		rc = share_ask(link, "BEGIN", NULL, NULL, err);
	if (rc == 0)
		rc = share_ask(link, "SELECT pg_advisory_xact_lock(1935894374)", NULL, NULL, err);
	if (rc == 0)
		rc = share_find(link, &seat, err);
	if (rc == 0)
		rc = share_sit(link, &seat, err);
	if (rc == 0)
		rc = share_settle(link, &seat, err);
	if (rc == 0)
		rc = share_ask(link, "COMMIT", NULL, NULL, err);
	if (rc == 0)
		rc = share_alone(link, &seat, err);
	if (rc)
		return rc;
	if (!seat.same) {
		pg->cursor = 0;
		memset(pg->owners, 0, sizeof(pg->owners));
	}
	/* After a new epoch everything is loaded anew before anything is listened to. */
	pg->read = seat.same && pg->cursor > 0;
	link->node = (uint32_t)seat.node;
	link->epoch = (uint64_t)seat.epoch;
	return 0;
}

/* ---- The beat ---- */

static void share_node(const PGresult *result, int row, struct store_renewing *renewing)
{
	const struct store_node node = {
	    .number = (uint32_t)share_number(result, row, 0),
	    .name = PQgetvalue(result, row, 1),
	    .epoch = (uint64_t)share_number(result, row, 2),
	    .left = share_number(result, row, 3),
	    .draining = strcmp(PQgetvalue(result, row, 4), "t") == 0,
	    .dead_since = PQgetisnull(result, row, 5) ? SCHEDD_TIME_NONE : share_number(result, row, 5),
	    .labels = PQgetvalue(result, row, 6),
	    .version = PQgetvalue(result, row, 7),
	    .address = PQgetvalue(result, row, 8),
	    .started_at = share_number(result, row, 9),
	    .seen_at = share_number(result, row, 10),
	    .jobs = share_number(result, row, 11),
	    .running = share_number(result, row, 12),
	    .load = (double)share_number(result, row, 13) / 1000,
	    .offset = share_number(result, row, 14),
	};

	store_renewing_node(renewing, &node);
}

int store_postgresql_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err)
{
	static const char beat[] =
	    "WITH me AS (UPDATE schedd_nodes SET expires_at = " PG_CLOCK " + $4::bigint, seen_at = " PG_CLOCK
	    ", jobs = $5::bigint, running = $6::bigint, load = $7::bigint, clock = $8::bigint WHERE node = "
	    "$1::int AND epoch = $2::bigint AND life = $3 RETURNING node) SELECT n.node, n.name, n.epoch, "
	    "CASE WHEN n.node = $1::int THEN $4::bigint ELSE n.expires_at - " PG_CLOCK " END, n.draining, "
	    "n.dead_since, n.labels, n.version, n.address, n.started_at, n.seen_at, n.jobs, n.running, "
	    "n.load, n.clock, " PG_CLOCK ", (SELECT count(*) FROM me) FROM schedd_nodes n ORDER BY n.name";
	const struct store_beat *own = store_renewing_beat(renewing);
	struct pg_params params;
	PGresult *result;
	bool ours;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, own->node);
	pg_params_number(&params, (int64_t)own->epoch);
	pg_params_text(&params, link->config->life);
	pg_params_number(&params, link->config->lease);
	pg_params_number(&params, own->jobs);
	pg_params_number(&params, own->running);
	pg_params_number(&params, (int64_t)(own->load * 1000));
	pg_params_number(&params, own->offset);
	rc = share_ask(link, beat, &params, &result, err);
	pg_params_clear(&params);
	if (rc) {
		if (link->fault == STORE_FAULT_NONE)
			link->fault = STORE_FAULT_GONE;
		return rc;
	}
	ours = PQntuples(result) > 0 && share_number(result, 0, 16) == 1;
	for (int row = 0; row < PQntuples(result); row++)
		share_node(result, row, renewing);
	if (ours)
		store_renewing_clock(renewing, share_number(result, 0, 15));
	PQclear(result);
	return ours ? 0
		    : store_link_fail(link, STORE_FAULT_FENCED, err,
			  "this node's lease was over, others have taken its jobs");
}

/* ---- The feed ---- */

struct share_reading {
	struct store_link *link;
	struct store_watching *watching;
	bool slots; /* they have changed */
};

static int share_text(struct share_reading *reading, const char *key, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, key);
	rc = share_ask(reading->link, "SELECT text FROM schedd_meta WHERE key = $1", &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	store_watching_text(reading->watching, key, PQntuples(result) ? PQgetvalue(result, 0, 0) : NULL);
	PQclear(result);
	return 0;
}

/* One line: seq, origin, target, kind, id, body. */
static int share_line(struct share_reading *reading, const PGresult *lines, int row,
    struct schedd_error *err)
{
	struct store_link *link = reading->link;
	const char *kind = PQgetvalue(lines, row, 3), *id = PQgetvalue(lines, row, 4);
	bool others = share_number(lines, row, 1) != link->node;

	if (strcmp(kind, "slot") == 0) {
		reading->slots = true;
	} else if (strcmp(kind, "job") == 0) {
		return others ? store_postgresql_reread(link, id, reading->watching, err) : 0;
	} else if (strcmp(kind, "text") == 0) {
		return others ? share_text(reading, id, err) : 0;
	} else if (share_number(lines, row, 2) == link->node) {
		store_watching_told(reading->watching, (uint32_t)share_number(lines, row, 1), kind, id,
		    PQgetvalue(lines, row, 5));
	}
	return 0;
}

static int share_read_lines(struct share_reading *reading, const PGresult *lines, struct schedd_error *err)
{
	struct store_link *link = reading->link;
	struct pg_link *pg = pg_of(link);
	int rc = 0;

	for (int row = 0; row < PQntuples(lines) && rc == 0; row++) {
		int64_t seq = share_number(lines, row, 0);

		/* Lines were thrown away that we have not seen: we were gone for that long. */
		if (seq != pg->cursor + 1)
			return store_link_fail(link, STORE_FAULT_FENCED, err,
			    "what others wrote meanwhile is not kept any more; all is read anew");
		rc = share_line(reading, lines, row, err);
		if (rc == 0)
			pg->cursor = seq;
	}
	return rc;
}

/* A failure on a good connection would leave the feed standing still. */
static int share_broken(struct store_link *link, int rc)
{
	if (rc && link->fault == STORE_FAULT_NONE)
		link->fault = STORE_FAULT_GONE;
	return rc;
}

static int share_read_feed(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct share_reading reading = {.link = link, .watching = watching};
	struct pg_params params;
	PGresult *lines;
	int count, rc;

	do {
		pg_params_init(&params);
		pg_params_number(&params, pg_of(link)->cursor);
		rc = share_ask(link,
		    "SELECT seq, origin, target, kind, id, body FROM schedd_feed WHERE seq > $1::bigint "
		    "ORDER BY seq LIMIT 1000",
		    &params, &lines, err);
		pg_params_clear(&params);
		if (rc)
			return rc;
		count = PQntuples(lines);
		rc = share_read_lines(&reading, lines, err);
		PQclear(lines);
	} while (rc == 0 && count == 1000);
	if (rc == 0 && reading.slots)
		rc = store_postgresql_look_at_slots(link, watching, err);
	return rc;
}

/* ---- Those whose lease is over ---- */

static int share_look_for_dead(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *dead;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, link->node);
	rc = share_ask(link,
	    "SELECT node, epoch, name FROM schedd_nodes WHERE dead_since IS NULL AND expires_at < " PG_CLOCK
	    " AND node <> $1::int",
	    &params, &dead, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	for (int row = 0; row < PQntuples(dead) && rc == 0; row++) {
		bool taken = false;

		store_watching_taken(watching, PQgetvalue(dead, row, 2));
		rc = store_postgresql_take(link, share_number(dead, row, 0),
		    share_number(dead, row, 1), watching, &taken, err);
		/* Definitions that he had changed come first, then what is due of his. */
		if (rc == 0 && taken)
			rc = share_read_feed(link, watching, err);
		store_watching_taken_end(watching, rc == 0 && taken);
	}
	PQclear(dead);
	return rc;
}

/* One of the nodes throws away what all have seen. */
static int share_tidy(struct store_link *link, struct schedd_error *err)
{
	struct pg_link *pg = pg_of(link);
	int64_t now = link->clock->mono(link->clock->context).us;
	schedd_span keep = SHARE_KEEP_LEASES * link->config->lease;
	struct pg_params params;
	int rc;

	if (pg->owners[0] != link->node || now < pg->tidy_at)
		return 0;
	pg->tidy_at = now + SCHEDD_MINUTE;
	pg_params_init(&params);
	pg_params_number(&params, keep > SHARE_KEEP_LEAST ? keep : SHARE_KEEP_LEAST);
	rc = share_ask(
	    link, "DELETE FROM schedd_feed WHERE at < " PG_CLOCK " - $1::bigint", &params, NULL, err);
	pg_params_clear(&params);
	return rc;
}

int store_postgresql_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	struct pg_link *pg = pg_of(link);
	PGnotify *notify;
	int rc = 0;

	(void)PQconsumeInput(pg->conn);
	while ((notify = PQnotifies(pg->conn)))
		PQfreemem(notify);
	if (pg->read) {
		rc = share_read_feed(link, watching, err);
		if (rc == 0 && link->look)
			rc = share_look_for_dead(link, watching, err);
		if (rc == 0)
			rc = share_tidy(link, err);
	} else {
		/* Only to see that it is there. */
		rc = share_ask(link, "SELECT 1", NULL, NULL, err);
	}
	return share_broken(link, rc);
}

int store_postgresql_refresh(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err)
{
	int rc = store_postgresql_listen(link, watching, err);

	return rc ? rc : share_broken(link, store_postgresql_read_others(link, id, watching, err));
}
