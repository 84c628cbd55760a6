/* SPDX-License-Identifier: MIT */
/* The statements of a commit. Those of sets take one array a column; see store_postgresql_sql.h. */
#include "store/modules/store_postgresql_sql.h"

#include <string.h>
#include "store/modules/store_postgresql_share.h"

#define COUNTERS "next_fire, next_run_time, run_count, last_run"

/* Not ours: a division by zero. No row at all: the answer says so. */
const char pg_sql_guard[] =
    "UPDATE schedd_owner SET batch = $1::bigint / (epoch = $2::bigint AND life = $3)::int";

const char pg_sql_guard_shared[] =
    PG_GUARD_SHARED " SELECT 1 / count(*), set_config('schedd.node', $1::int::text, true) FROM b";
const char pg_sql_guard_take[] = "SELECT 1 / count(*) FROM (" PG_NODE_GUARD ") n";

/* Runs are there only where the row is. */
#define ADDS(rows, unless)                                                                         \
	"INSERT INTO schedd_jobs AS j (id, definition, " COUNTERS ", revision, slot) " rows " ON "    \
	"CONFLICT (id) DO UPDATE SET definition = excluded.definition, next_fire = excluded.next_fire, "  \
	"next_run_time = excluded.next_run_time, run_count = excluded.run_count, revision = "             \
	"excluded.revision, slot = excluded.slot, last_run = greatest(j.last_run, excluded.last_run, "    \
	"(SELECT max(r.number) FROM schedd_runs r WHERE r.job = j.key))" unless " RETURNING id, last_run"
#define ADDS_SET                                                                                   \
	"SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], "     \
	"$6::bigint[], $7::bigint[], $8::int[])"

static const char commit_adds[] = ADDS(ADDS_SET, "");
/* A set of one needs no function. */
const char pg_sql_add[] = ADDS(
    "VALUES (($1::text[])[1], ($2::text[])[1], ($3::bigint[])[1], ($4::bigint[])[1], ($5::bigint[])[1], "
    "($6::bigint[])[1], ($7::bigint[])[1], ($8::int[])[1])",
    "");
/* Another may have added it meanwhile. */
const char pg_sql_adds_shared[] =
    "WITH a AS (" ADDS(ADDS_SET, " WHERE j.definition IS NULL") ") SELECT id, last_run FROM a UNION ALL SELECT i, "
    "('there:' || i)::bigint FROM unnest($1::text[]) i WHERE NOT EXISTS (SELECT FROM a WHERE a.id = i)";

static const char commit_puts[] =
    "INSERT INTO schedd_jobs (id, definition, " COUNTERS ", revision, slot) SELECT * FROM "
    "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], "
    "$7::bigint[], $8::int[]) ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, next_fire "
    "= excluded.next_fire, next_run_time = excluded.next_run_time, run_count = excluded.run_count, "
    "last_run = excluded.last_run, revision = excluded.revision, slot = excluded.slot";

/* By its index each: a join planned while there were few jobs would go on looking at all of them. */
#define KEY_OF(id) "(SELECT k.key FROM schedd_jobs k WHERE k.id = " id ")"

static const char commit_ensure[] =
    "INSERT INTO schedd_jobs (id) SELECT DISTINCT i FROM unnest($1::text[]) i WHERE " KEY_OF("i") " IS NULL ON "
    "CONFLICT DO NOTHING";

#define RUN_COLUMNS                                                                                \
	"number, state, \"trigger\", attempt, scheduled_at, started_at, ended_at, done_at, until, " \
	"count, coalesced, exit_code, signal, reason, max_rss, cpu_us, output_bytes, "             \
	"output_dropped, pid, pid_start, attempts, actor, result"

/*
 * The places of claims that did not hold stand in a setting that lasts as long
 * as the transaction: the runs' statement behind it passes over theirs.
 */
static const char commit_claims[] =
    "WITH c AS MATERIALIZED (SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], "
    "$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) c (n, id, "
    "expected, " COUNTERS ", must, revision)), "
    "u AS (UPDATE schedd_jobs j SET next_fire = c.next_fire, next_run_time = c.next_run_time, "
    "run_count = c.run_count, last_run = c.last_run FROM c WHERE j.id = c.id AND j.definition IS NOT "
    "NULL AND j.last_run = c.expected AND (c.revision = 0 OR j.revision = c.revision) RETURNING c.n), "
    "l AS MATERIALIZED (SELECT set_config('schedd.lost', coalesce(nullif(current_setting("
    "'schedd.lost', true), '') || ',', '') || coalesce((SELECT string_agg(c.n::text, ',') FROM c "
    "WHERE NOT EXISTS (SELECT FROM u WHERE u.n = c.n)), ''), true) AS lost) "
    "SELECT u.n FROM u UNION ALL SELECT 0 FROM l UNION ALL SELECT ('lost:' || c.id)::bigint FROM c "
    "WHERE c.must = 1 AND NOT EXISTS (SELECT FROM u WHERE u.n = c.n)";

#define RUNS(columns, values, sets, excludeds, state, reason)                                                     \
	"INSERT INTO schedd_runs (job, " RUN_COLUMNS columns ") SELECT k.key, r.number, r.state, "    \
	"r.trigger, r.attempt, r.scheduled_at, r.started_at, r.ended_at, r.done_at, r.until, r.count, "  \
	"r.coalesced, r.exit_code, r.signal, r.reason, r.max_rss, r.cpu_us, r.output_bytes, "           \
	"r.output_dropped, r.pid, r.pid_start, r.attempts, r.actor, r.result" values " FROM ROWS FROM "  \
	"(unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], "        \
	"$7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], "       \
	"$13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::bigint[], $18::bigint[], "      \
	"$19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::text[], $24::text[], "        \
	"$25::text[])) WITH ORDINALITY r (claim, id, number, state, trigger, attempt, scheduled_at, "   \
	"started_at, ended_at, done_at, until, count, coalesced, exit_code, signal, reason, max_rss, "  \
	"cpu_us, output_bytes, output_dropped, pid, pid_start, attempts, actor, result, ord) CROSS "    \
	"JOIN LATERAL " KEY_OF("r.id OFFSET 0") " k WHERE r.claim = 0 OR r.claim::text <> ALL (string_to_array("      \
	"coalesce(current_setting('schedd.lost', true), ''), ',')) ORDER BY r.ord ON CONFLICT (job, number) DO " \
	"UPDATE SET (state, \"trigger\", attempt, scheduled_at, started_at, ended_at, done_at, until, " \
	"count, coalesced, exit_code, signal, reason, max_rss, cpu_us, output_bytes, output_dropped, "  \
	"pid, pid_start, attempts, actor, result" sets ") = (" state ", excluded.trigger, "        \
	"excluded.attempt, excluded.scheduled_at, excluded.started_at, excluded.ended_at, "             \
	"excluded.done_at, excluded.until, excluded.count, excluded.coalesced, excluded.exit_code, "    \
	"excluded.signal, " reason ", excluded.max_rss, excluded.cpu_us, excluded.output_bytes, "  \
	"excluded.output_dropped, excluded.pid, excluded.pid_start, excluded.attempts, "                \
	"excluded.actor, excluded.result" excludeds ")"

static const char commit_runs[] = RUNS("", "", "", "", "excluded.state", "excluded.reason");
/* node has to end it; ran is where it ran: of one that is lost, where it was. */
#define THIS_NODE ", current_setting('schedd.node')::int, current_setting('schedd.node')::int"
/* A run that was lost with its node stays so: how it ended, as that node knew it, is noted. */
#define LOST "schedd_runs.state = 'lost' AND schedd_runs.done_at IS NOT NULL"
const char pg_sql_runs_shared[] = RUNS(", node, ran", THIS_NODE, ", node, ran",
    ", excluded.node, CASE WHEN excluded.state = 'lost' THEN schedd_runs.ran ELSE excluded.ran END",
    "CASE WHEN " LOST " THEN 'lost' ELSE excluded.state END",
    "CASE WHEN " LOST " AND excluded.state <> 'lost' THEN concat_ws(', ', 'this node lost its lease; told late: ' "
    "|| excluded.state, excluded.reason) ELSE excluded.reason END");

static const char commit_output[] =
    "UPDATE schedd_runs r SET output = o.bytes FROM (SELECT * FROM unnest($1::text[], $2::bigint[], "
    "$3::bytea[])) o (id, number, bytes), schedd_jobs j WHERE j.id = o.id AND r.job = j.key AND r.number = "
    "o.number";

static const char commit_changes[] =
    "INSERT INTO schedd_changes (at, job, change) SELECT c.at, " KEY_OF("c.id") ", c.change FROM ROWS FROM "
    "(unnest($1::bigint[], $2::text[], $3::text[])) WITH ORDINALITY c (at, id, change, ord) ORDER BY c.ord";

static const char commit_meta[] =
    "INSERT INTO schedd_meta (key, number, text) SELECT * FROM unnest($1::text[], $2::bigint[], "
    "$3::text[]) ON CONFLICT (key) DO UPDATE SET number = excluded.number, text = excluded.text";

/* As store_nodes_note() says. */
const char pg_sql_meta_shared[] =
    "INSERT INTO schedd_meta (key, number, text) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[]) "
    "m (key, number, text) WHERE m.key NOT LIKE 'after.%' OR m.text = 'lost' OR NOT EXISTS (SELECT FROM schedd_jobs "
    "j JOIN schedd_runs r ON r.job = j.key WHERE j.id = split_part(m.key, '/', 2) AND r.number = "
    "nullif(split_part(m.key, '/', 3), '')::bigint AND r.state = 'lost') ON CONFLICT (key) DO UPDATE SET number = "
    "excluded.number, text = excluded.text";

/* The row stays, to remember. */
const char pg_sql_delete[] =
    "UPDATE schedd_jobs SET definition = NULL, next_fire = NULL, next_run_time = NULL, run_count = 0, "
    "revision = 0, last_run = CASE WHEN $2::bigint = 0 THEN 0 ELSE greatest(last_run, $2::bigint) END "
    "WHERE id = $1";
const char pg_sql_remember[] =
    "INSERT INTO schedd_jobs AS j (id, last_run, revision) VALUES ($1, $2::bigint, 0) ON CONFLICT (id) "
    "DO UPDATE SET last_run = greatest(j.last_run, excluded.last_run)";
#define EXPECT(row, is)                                                                            \
	"WITH e AS MATERIALIZED (" row ") SELECT CASE WHEN EXISTS (SELECT FROM e WHERE " is ") THEN 0 ELSE " \
	"((CASE WHEN EXISTS (SELECT FROM e) THEN 'changed:' ELSE 'removed:' END) || $1)::bigint END"
const char pg_sql_expect[] = EXPECT(
    "SELECT revision FROM schedd_jobs WHERE id = $1 AND definition IS NOT NULL", "e.revision = $2::bigint");
/* Locked, so that it holds until the commit. */
const char pg_sql_expect_same[] =
    EXPECT("SELECT revision, last_run, next_fire FROM schedd_jobs WHERE id = $1 AND definition IS NOT NULL "
	   "FOR UPDATE",
	"e.revision = $2::bigint AND e.last_run = $3::bigint AND e.next_fire IS NOT DISTINCT FROM "
	"$4::bigint");
/* The job's row is locked by the statement before: no claim comes between. */
const char pg_sql_expect_idle[] =
    "SELECT ('runs on:' || j.id)::bigint FROM schedd_jobs j JOIN schedd_runs r ON r.job = j.key WHERE "
    "j.id = $1 AND r.done_at IS NULL LIMIT 1";
/* Of a constant the planner would make a number before it knows whether one is wanted. */
const char pg_sql_rename_check[] =
    "SELECT ('runs:' || k.id)::bigint FROM schedd_jobs k JOIN schedd_runs r ON r.job = k.key WHERE "
    "k.id = $1 LIMIT 1";
const char pg_sql_rename_room[] = "DELETE FROM schedd_jobs WHERE id = $1";
const char pg_sql_rename[] = "UPDATE schedd_jobs SET id = $2 WHERE id = $1";
/* The numbers of the old id are not given twice. */
const char pg_sql_rename_remember[] =
    "INSERT INTO schedd_jobs (id, last_run, revision) SELECT $1, greatest(j.last_run, coalesce((SELECT "
    "max(number) FROM schedd_runs r WHERE r.job = j.key), 0)), 0 FROM schedd_jobs j WHERE j.id = $2";
const char pg_sql_purge[] =
    "DELETE FROM schedd_runs WHERE job = " KEY_OF("$1::text") " AND ($2::bigint = 0 OR number = $2::bigint)";
const char pg_sql_purge_all[] = "DELETE FROM schedd_runs WHERE $1::text IS NULL AND $2::bigint = 0";
const char pg_sql_meta_delete[] = "DELETE FROM schedd_meta WHERE key = $1";

/* ---- Of a store that is shared ---- */

/* Last of all: whoever numbers lines waits here for the one before, until its commit. */
const char pg_sql_feed[] =
    "WITH f AS MATERIALIZED (SELECT * FROM ROWS FROM (unnest($1::text[], $2::text[], $3::bigint[], "
    "$4::text[])) WITH ORDINALITY f (kind, id, target, body, ord)), s AS (UPDATE schedd_meta SET number = "
    "number + (SELECT count(*) FROM f) WHERE key = 'feed.seq' RETURNING number), i AS (INSERT INTO "
    "schedd_feed (seq, at, origin, target, kind, id, body) SELECT s.number - (SELECT count(*) FROM f) + "
    "f.ord, " PG_CLOCK ", current_setting('schedd.node')::int, nullif(f.target, 0), f.kind, f.id, f.body "
    "FROM f, s) SELECT s.number, pg_notify('schedd', '') FROM s";
/* A slot of a place is there once somebody has it. Not to one that is dead: who takes over such a one waits for this commit, or this finds it dead. */
const char pg_sql_give[] =
    "WITH t AS MATERIALIZED (SELECT 1 FROM schedd_nodes WHERE node = $2::int AND dead_since IS NULL FOR KEY "
    "SHARE) INSERT INTO schedd_slots AS s (slot, node) SELECT $1::int, nullif($2::int, 0) WHERE $2::int = 0 OR "
    "EXISTS (SELECT FROM t) ON CONFLICT (slot) DO UPDATE SET node = excluded.node WHERE s.node IS NULL OR s.node = "
    "current_setting('schedd.node')::int";
/* By enum store_node_verb. The row must be there, and one that lives is not forgotten. */
#define NODE_CHANGED(verb)                                                                         \
	"WITH n AS (" verb " RETURNING 1) SELECT CASE WHEN EXISTS (SELECT FROM n) THEN 0 ELSE ((CASE WHEN "  \
	"EXISTS (SELECT FROM schedd_nodes WHERE name = $1) THEN 'lives:' ELSE 'node:' END) || $1)::bigint END"
const char *const pg_sql_node[] = {
    [STORE_NODE_DRAIN] = NODE_CHANGED("UPDATE schedd_nodes SET draining = true WHERE name = $1"),
    [STORE_NODE_RESUME] = NODE_CHANGED("UPDATE schedd_nodes SET draining = false WHERE name = $1"),
    [STORE_NODE_FORGET] =
	NODE_CHANGED("DELETE FROM schedd_nodes WHERE name = $1 AND dead_since IS NOT NULL"),
    [STORE_NODE_LEAVE] = NODE_CHANGED(
	"UPDATE schedd_nodes SET dead_since = " PG_CLOCK ", expires_at = 0, epoch = epoch + 1 WHERE name = $1"),
    [STORE_NODE_SETTLE] = NODE_CHANGED("UPDATE schedd_meta SET number = " PG_TIMELINE
	" WHERE key = 'timeline.' || (SELECT node FROM schedd_nodes WHERE name = $1)"),
};

/* ---- The take-over of a node, in this order ---- */

const char pg_sql_take_fence[] =
    "WITH d AS MATERIALIZED (SELECT node FROM schedd_nodes n WHERE node = $1::int AND epoch = $2::bigint AND "
    PG_NODE_HAS " AND expires_at < " PG_CLOCK " FOR UPDATE), u AS (UPDATE schedd_nodes n SET epoch = "
    "n.epoch + 1, dead_since = " PG_CLOCK " FROM d WHERE n.node = d.node RETURNING n.node) SELECT CASE WHEN "
    "EXISTS (SELECT FROM u) THEN 0 ELSE ('alive:' || (SELECT count(*) FROM u))::bigint END";
/* What it was, we are until what it had is held. */
const char pg_sql_take_unsettled[] =
    "UPDATE schedd_meta SET number = 0 WHERE key = 'timeline.' || $2::int AND EXISTS (SELECT FROM schedd_meta WHERE key "
    "= 'timeline.' || $1::int AND number <> " PG_TIMELINE ")";
const char pg_sql_take_slots[] = "UPDATE schedd_slots SET node = $2::int WHERE node = $1::int";
/* Processes of another machine are none of ours. */
const char pg_sql_take_runs[] =
    "UPDATE schedd_runs r SET node = $2::int, pid = NULL, pid_start = NULL FROM schedd_jobs j WHERE j.key = "
    "r.job AND r.node = $1::int AND r.done_at IS NULL RETURNING " PG_RUN_COLUMNS("NULL") PG_RUN_NODE;
const char pg_sql_take_texts[] =
    "SELECT key, text FROM schedd_meta WHERE text IS NOT NULL AND (key LIKE 'after.%' OR key LIKE 'run.%')";
const char pg_sql_take_tell[] =
    "WITH s AS (UPDATE schedd_meta SET number = number + 1 WHERE key = 'feed.seq' RETURNING number), i AS "
    "(INSERT INTO schedd_feed (seq, at, origin, kind) SELECT number, " PG_CLOCK ", $1::int, 'slot' FROM s) "
    "SELECT pg_notify('schedd', '')";

const char pg_sql_meta_take[] =
    "WITH d AS (DELETE FROM schedd_meta WHERE key = $1 RETURNING 1) SELECT CASE WHEN EXISTS (SELECT FROM d) "
    "THEN 0 ELSE ('taken:' || (SELECT count(*) FROM d))::bigint END, $1::text";

const char *const pg_sql_sets[PG_SETS] = {
    [PG_SET_ADDS] = commit_adds,
    [PG_SET_PUTS] = commit_puts,
    [PG_SET_ENSURE] = commit_ensure,
    [PG_SET_CLAIMS] = commit_claims,
    [PG_SET_RUNS] = commit_runs,
    [PG_SET_OUTPUT] = commit_output,
    [PG_SET_CHANGES] = commit_changes,
    [PG_SET_META] = commit_meta,
};

/* ---- Why one of them failed ---- */

int store_postgresql_reason(
    const struct store_link *link, const PGresult *result, struct schedd_error *err)
{
	static const struct {
		const char *word;
		int code;
		const char *sentence;
	} reasons[] = {
	    {"\"lost:", SCHEDD_ECONFLICT, "store '%s': job '%.*s' was changed behind the scheduler's back"},
	    {"\"changed:", SCHEDD_ECONFLICT, "store '%s': job '%.*s' was changed by another meanwhile"},
	    {"\"removed:", SCHEDD_ECONFLICT, "store '%s': job '%.*s' was removed by another meanwhile"},
	    {"\"taken:", SCHEDD_ECONFLICT, "store '%s': another was faster (%.*s)"},
	    {"\"runs on:", SCHEDD_ECONFLICT,
		"store '%s': job '%.*s' has a run that is not over: where it runs can be changed when it has "
		"ended (wait for it, or kill it)"},
	    {"\"there:", SCHEDD_ECONFLICT, "store '%s': another has added job '%.*s' meanwhile"},
	    {"\"lives:", SCHEDD_ECONFLICT,
		"store '%s': node '%.*s' lives: stop it, or wait until its lease is over"},
	    {"\"node:", SCHEDD_ENOTFOUND, "store '%s': there is no node '%.*s'"},
	    {"\"runs:", SCHEDD_ECONFLICT,
		"store '%s': runs of a removed job '%.*s' are still kept, purge them first"},
	};
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (!state || strcmp(state, "22P02") != 0 || !message)
		return 0;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const char *at = strstr(message, reasons[i].word);

		if (!at)
			continue;
		at += strlen(reasons[i].word);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		return schedd_error_set(err, reasons[i].code, reasons[i].sentence,
		    link->config->name, (int)strcspn(at, "\""), at);
#pragma GCC diagnostic pop
	}
	return 0;
}
