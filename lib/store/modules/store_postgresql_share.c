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

static const struct nodes_driver share_nodes;

/* ---- Joining ---- */

/* Who has the name, and what becomes of us. */
struct share_seat {
	int64_t node;  /* 0: nobody had it */
	int64_t epoch;
	int64_t backend;
	bool same;     /* this opening had it, and has it still */
	bool sits;     /* whoever had it did not leave, nor was it taken from him */
	struct nodes_moved moved;
	int64_t timeline;
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
	    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), dead_since IS NULL FROM schedd_nodes WHERE name = $1 FOR UPDATE",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	if (PQntuples(result)) {
		seat->node = share_number(result, 0, 0);
		seat->epoch = share_number(result, 0, 1);
		seat->backend = share_number(result, 0, 2);
		seat->sits = strcmp(PQgetvalue(result, 0, 8), "t") == 0;
		seat->same = strcmp(PQgetvalue(result, 0, 3), link->config->life) == 0 &&
			     (uint64_t)seat->epoch == link->epoch && !pg_of(link)->feed.anew;
		ours = strcmp(PQgetvalue(result, 0, 3), link->config->life) == 0 ||
		       strcmp(PQgetvalue(result, 0, 4), link->config->identity) == 0;
		live = strcmp(PQgetvalue(result, 0, 5), "t") == 0;
		if (live && !ours)
			rc = store_nodes_held(
			    link, PQgetvalue(result, 0, 6), PQgetvalue(result, 0, 7), err);
	}
	PQclear(result);
	return rc;
}

/*
 * A standby that was promoted counts another timeline. What it had not received shows by what we know: our last
 * commit, our epoch, the feed. Only its jobs' counters are told by who has them in memory (store_behind()). A life that
 * knows nothing yet sees by what is written of its node that the one before it may have known more, and one that had to
 * load all anew that it had not settled what it took (store_unsure()). Who left in good order said so behind all that he
 * had done, so if that is there all of it is.
 */
static int share_compare(struct store_link *link, struct share_seat *seat, struct schedd_error *err)
{
	struct pg_link *pg = pg_of(link);
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, link->config->life);
	pg_params_number(&params, seat->node);
	rc = share_ask(link,
	    "SELECT " PG_TIMELINE ", (SELECT batch FROM schedd_batches WHERE life = $1), (SELECT number FROM schedd_meta "
	    "WHERE key = 'feed.seq'), (SELECT number FROM schedd_meta WHERE key = 'timeline.' || $2)",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	seat->timeline = share_number(result, 0, 0);
	seat->moved.replaced = pg->place.server && pg->place.server != seat->timeline;
	seat->moved.behind = (uint64_t)share_number(result, 0, 1) < pg->place.stored ||
			     (uint64_t)seat->epoch < link->epoch || share_number(result, 0, 2) < pg->feed.cursor;
	if (seat->moved.replaced || seat->moved.behind)
		seat->same = false;
	else
		seat->moved.unsure = seat->sits && !seat->same && !PQgetisnull(result, 0, 3) &&
				     share_number(result, 0, 3) != seat->timeline;
	PQclear(result);
	return 0;
}

/*
 * No epoch and no line of the feed is given twice. Leases are older there than they were: whoever lives has one more to
 * come in, before it is taken for dead and its jobs go on without what it knows of them.
 */
static int share_go_beyond(struct store_link *link, struct share_seat *seat, struct schedd_error *err)
{
	static const char *const statements[] = {
	    "UPDATE schedd_nodes SET epoch = greatest(epoch, $2::bigint + 1) WHERE node = $1::int RETURNING epoch",
	    "UPDATE schedd_meta SET number = greatest(number, $2::bigint) WHERE key = 'feed.seq' AND $1::int > 0 "
	    "RETURNING 0",
	    "UPDATE schedd_nodes SET expires_at = greatest(expires_at, " PG_CLOCK " + $2::bigint) WHERE dead_since IS "
	    "NULL AND node <> $1::int RETURNING 0",
	};
	const int64_t numbers[] = {(int64_t)link->epoch, pg_of(link)->feed.cursor, link->config->lease};
	int rc = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && rc == 0; i++) {
		struct pg_params params;
		PGresult *result;

		pg_params_init(&params);
		pg_params_number(&params, seat->node);
		pg_params_number(&params, numbers[i]);
		rc = share_ask(link, statements[i], &params, &result, err);
		pg_params_clear(&params);
		if (rc)
			break;
		if (i == 0 && PQntuples(result))
			seat->epoch = share_number(result, 0, 0);
		PQclear(result);
	}
	return rc;
}

/* One that is drained stays so in the same life, whoever has had its jobs meanwhile. */
static int share_sit(struct store_link *link, struct share_seat *seat, struct schedd_error *err)
{
	static const char again[] =
	    "UPDATE schedd_nodes SET expires_at = " PG_CLOCK " + $2::bigint, backend = pg_backend_pid() "
	    "WHERE name = $1 RETURNING node, epoch";
	static const char taken[] =
	    "INSERT INTO schedd_nodes AS n (node, name, epoch, expires_at, life, identity, address, labels, "
	    "version, protocol, started_at, seen_at, draining, backend) SELECT coalesce(max(node), 0) + 1, $1, "
	    "1, " PG_CLOCK " + $2::bigint, $3, $4, $5, $6, $7, $8::int, " PG_CLOCK ", " PG_CLOCK ", false, "
	    "pg_backend_pid() FROM schedd_nodes ON CONFLICT (name) DO UPDATE SET epoch = n.epoch + 1, "
	    "expires_at = excluded.expires_at, life = excluded.life, identity = excluded.identity, "
	    "address = excluded.address, labels = excluded.labels, version = excluded.version, protocol = "
	    "excluded.protocol, started_at = excluded.started_at, seen_at = excluded.seen_at, draining = n.draining AND n.life = excluded.life, "
	    "dead_since = NULL, backend = excluded.backend RETURNING node, epoch";
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
		pg_params_number(&params, NODE_PROTOCOL);
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

/* Those who live must understand us, and we them. */
static int share_understand(struct store_link *link, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, link->config->node);
	pg_params_number(&params, NODE_PROTOCOL);
	rc = share_ask(link,
	    "SELECT name, version, protocol FROM schedd_nodes WHERE dead_since IS NULL AND expires_at > " PG_CLOCK
	    " AND name <> $1 AND abs(protocol - $2::int) > 1 ORDER BY name LIMIT 1",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	if (PQntuples(result))
		rc = store_nodes_misunderstood(link, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
		    (uint32_t)share_number(result, 0, 2), err);
	PQclear(result);
	return rc;
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

/* Whose epoch goes on has signed already; one that finds another server signs when it has settled. */
static int share_sign(struct store_link *link, const struct share_seat *seat, struct schedd_error *err)
{
	bool moved = seat->moved.replaced || seat->moved.behind || seat->moved.unsure;
	struct pg_params params;
	int rc;

	if (seat->same)
		return 0;
	pg_params_init(&params);
	pg_params_number(&params, seat->node);
	pg_params_number(&params, moved);
	rc = share_ask(link,
	    "INSERT INTO schedd_meta (key, number) SELECT 'timeline.' || $1::int, CASE WHEN $2::bigint = 1 THEN 0 ELSE "
	    PG_TIMELINE " END ON CONFLICT (key) DO UPDATE SET number = excluded.number",
	    &params, NULL, err);
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

int store_postgresql_join(struct store_link *link, struct schedd_error *err)
{
	struct share_seat seat = {.node = 0};
	int rc = store_nodes_measure(link, &share_nodes, err);

	if (rc == 0)
		rc = share_ask(link, "LISTEN schedd", NULL, NULL, err);
	if (rc == 0)
		rc = share_ask(link, "BEGIN", NULL, NULL, err);
	if (rc == 0)
		rc = share_ask(link, "SELECT pg_advisory_xact_lock(1935894374)", NULL, NULL, err);
	if (rc == 0)
		rc = share_find(link, &seat, err);
	if (rc == 0)
		rc = share_compare(link, &seat, err);
	if (rc == 0 && !seat.same)
		rc = share_understand(link, err);
	if (rc == 0)
		rc = share_sit(link, &seat, err);
	if (rc == 0 && (seat.moved.replaced || seat.moved.behind || seat.moved.unsure))
		rc = share_go_beyond(link, &seat, err);
	if (rc == 0)
		rc = share_settle(link, &seat, err);
	if (rc == 0)
		rc = share_sign(link, &seat, err);
	if (rc == 0)
		rc = share_ask(link, "COMMIT", NULL, NULL, err);
	if (rc == 0)
		rc = share_alone(link, &seat, err);
	if (rc)
		return rc;
	store_nodes_joined(&pg_of(link)->feed, seat.same);
	link->node = (uint32_t)seat.node;
	link->epoch = (uint64_t)seat.epoch;
	store_nodes_moved(link, &pg_of(link)->place, &seat.moved, seat.timeline);
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
	    .protocol = (uint32_t)share_number(result, row, 15),
	    .unheard = strcmp(PQgetvalue(result, row, 18), "t") == 0,
	};

	store_renewing_node(renewing, &node);
}

int store_postgresql_renew(
    struct store_link *link, struct store_renewing *renewing, struct schedd_error *err)
{
	/* What the clock has left behind, as it was put back, is measured anew. */
	static const char beat[] =
	    "WITH back AS (UPDATE schedd_nodes SET expires_at = " PG_CLOCK " + (expires_at - seen_at), seen_at = "
	    PG_CLOCK " WHERE seen_at > " PG_CLOCK " + 1000000 AND node <> $1::int AND dead_since IS NULL), me AS "
	    "(UPDATE schedd_nodes SET expires_at = " PG_CLOCK " + $4::bigint, seen_at = " PG_CLOCK
	    ", started_at = least(started_at, " PG_CLOCK "), jobs = $5::bigint, running = $6::bigint, load = $7::bigint, clock = $8::bigint WHERE node = "
	    "$1::int AND epoch = $2::bigint AND life = $3 RETURNING node) SELECT n.node, n.name, n.epoch, "
	    "CASE WHEN n.node = $1::int THEN $4::bigint ELSE n.expires_at - " PG_CLOCK " END, n.draining, "
	    "n.dead_since, n.labels, n.version, n.address, n.started_at, n.seen_at, n.jobs, n.running, "
	    "n.load, n.clock, n.protocol, " PG_CLOCK ", (SELECT count(*) FROM me), m.number <> "
	    PG_TIMELINE " FROM schedd_nodes n LEFT JOIN schedd_meta m ON m.key = 'timeline.' || n.node ORDER BY n.name";
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
	ours = PQntuples(result) > 0 && share_number(result, 0, 17) == 1;
	for (int row = 0; row < PQntuples(result); row++)
		share_node(result, row, renewing);
	if (ours)
		store_renewing_clock(renewing, share_number(result, 0, 16));
	PQclear(result);
	return ours ? 0 : store_nodes_fenced(link, err);
}

/* ---- The feed ---- */

static struct nodes_feed *share_feed(const struct store_link *link)
{
	return &pg_of(link)->feed;
}

static int share_ping(struct store_link *link, struct schedd_error *err)
{
	return share_ask(link, "SELECT 1", NULL, NULL, err);
}

static int share_text(struct store_link *link, const char *key, struct store_watching *watching,
    struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, key);
	rc = share_ask(link, "SELECT text FROM schedd_meta WHERE key = $1", &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	store_watching_text(watching, key, PQntuples(result) ? PQgetvalue(result, 0, 0) : NULL);
	PQclear(result);
	return 0;
}

static int share_lines(struct store_link *link, int64_t after, int64_t most, nodes_line_fn call,
    void *context, int64_t *count, struct schedd_error *err)
{
	static const char ask[] = "SELECT seq, origin, target, kind, id, body FROM schedd_feed WHERE seq > $1::bigint "
				  "ORDER BY seq LIMIT $2::bigint";
	struct pg_params params;
	PGresult *lines;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, after);
	pg_params_number(&params, most);
	store_postgresql_talk_again(link, ask);
	rc = share_ask(link, ask, &params, &lines, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	*count = PQntuples(lines);
	for (int row = 0; row < PQntuples(lines) && rc == 0; row++) {
		const struct nodes_line line = {.seq = share_number(lines, row, 0),
		    .origin = (uint32_t)share_number(lines, row, 1),
		    .target = (uint32_t)share_number(lines, row, 2),
		    .kind = PQgetvalue(lines, row, 3),
		    .id = PQgetvalue(lines, row, 4),
		    .body = PQgetvalue(lines, row, 5)};

		rc = call(&line, context, err);
	}
	PQclear(lines);
	return rc;
}

/* ---- Those whose lease is over ---- */

static int share_dead(
    struct store_link *link, nodes_dead_fn call, void *context, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *dead;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, link->node);
	rc = share_ask(link,
	    "SELECT node, epoch, name FROM schedd_nodes n WHERE expires_at < " PG_CLOCK " AND " PG_NODE_HAS
	    " AND node <> $1::int",
	    &params, &dead, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	for (int row = 0; row < PQntuples(dead) && rc == 0; row++)
		rc = call((uint32_t)share_number(dead, row, 0), (uint64_t)share_number(dead, row, 1),
		    PQgetvalue(dead, row, 2), context, err);
	PQclear(dead);
	return rc;
}

static int share_tidy(struct store_link *link, schedd_span keep, struct schedd_error *err)
{
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, keep);
	rc = share_ask(
	    link, "DELETE FROM schedd_feed WHERE at < " PG_CLOCK " - $1::bigint", &params, NULL, err);
	pg_params_clear(&params);
	return rc;
}

static const struct nodes_driver share_nodes = {
    .feed = share_feed,
    .ping = share_ping,
    .lines = share_lines,
    .reread = store_postgresql_reread,
    .text = share_text,
    .slots = store_postgresql_read_slots,
    .gained = store_postgresql_read_gained,
    .others = store_postgresql_read_others,
    .dead = share_dead,
    .take = store_postgresql_take,
    .tidy = share_tidy,
};

int store_postgresql_listen(
    struct store_link *link, struct store_watching *watching, struct schedd_error *err)
{
	PGnotify *notify;

	(void)PQconsumeInput(pg_of(link)->conn);
	while ((notify = PQnotifies(pg_of(link)->conn)))
		PQfreemem(notify);
	return store_nodes_listen(link, &share_nodes, watching, err);
}

int store_postgresql_output(struct store_link *link, const char *job, uint32_t number,
    struct store_kept *kept, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	size_t length = 0;
	unsigned char *bytes = NULL;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, job);
	pg_params_number(&params, number);
	rc = share_ask(link,
	    "SELECT r.output FROM schedd_runs r JOIN schedd_jobs j ON j.key = r.job WHERE j.id = $1 AND "
	    "r.number = $2::bigint AND r.output IS NOT NULL",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	if (PQntuples(result))
		bytes = PQunescapeBytea((const unsigned char *)PQgetvalue(result, 0, 0), &length);
	if (bytes)
		store_kept_output(kept, (const char *)bytes, length);
	PQfreemem(bytes);
	PQclear(result);
	return 0;
}

int store_postgresql_refresh(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err)
{
	return store_nodes_refresh(link, &share_nodes, id, watching, err);
}
