/* SPDX-License-Identifier: MIT */
/* The statements of a commit. Those of sets take one array a column; see store_postgresql_sql.h. */
#include "store/modules/store_postgresql_sql.h"

#define COUNTERS "next_fire, next_run_time, run_count, last_run"

const char pg_sql_guard[] =
    "WITH o AS (UPDATE schedd_owner SET batch = $1::bigint WHERE epoch = $2::bigint AND life = $3 "
    "RETURNING 1) SELECT 1 / count(*), set_config('schedd.lost', '', true) FROM o";

static const char commit_adds[] =
    "INSERT INTO schedd_jobs AS j (id, definition, " COUNTERS ", revision) SELECT c.id, c.definition, "
    "c.next_fire, c.next_run_time, c.run_count, greatest(c.last_run, coalesce((SELECT max(r.number) "
    "FROM schedd_jobs k JOIN schedd_runs r ON r.job = k.key WHERE k.id = c.id), 0)), c.revision "
    "FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], "
    "$7::bigint[]) c (id, definition, " COUNTERS ", revision) ON CONFLICT (id) DO UPDATE SET "
    "definition = excluded.definition, next_fire = excluded.next_fire, next_run_time = "
    "excluded.next_run_time, run_count = excluded.run_count, revision = excluded.revision, last_run = "
    "greatest(j.last_run, excluded.last_run) RETURNING id, last_run";

static const char commit_puts[] =
    "INSERT INTO schedd_jobs (id, definition, " COUNTERS ", revision) SELECT * FROM "
    "unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], "
    "$7::bigint[]) ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, next_fire = "
    "excluded.next_fire, next_run_time = excluded.next_run_time, run_count = excluded.run_count, "
    "last_run = excluded.last_run, revision = excluded.revision";

static const char commit_ensure[] =
    "INSERT INTO schedd_jobs (id) SELECT DISTINCT i FROM unnest($1::text[]) i WHERE NOT EXISTS "
    "(SELECT FROM schedd_jobs j WHERE j.id = i) ON CONFLICT DO NOTHING";

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
    "$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) c (n, id, expected, "
    COUNTERS ", must)), "
    "u AS (UPDATE schedd_jobs j SET next_fire = c.next_fire, next_run_time = c.next_run_time, "
    "run_count = c.run_count, last_run = c.last_run FROM c WHERE j.id = c.id AND j.definition IS NOT "
    "NULL AND j.last_run = c.expected RETURNING c.n), "
    "l AS MATERIALIZED (SELECT set_config('schedd.lost', coalesce(nullif(current_setting("
    "'schedd.lost', true), '') || ',', '') || coalesce((SELECT string_agg(c.n::text, ',') FROM c "
    "WHERE NOT EXISTS (SELECT FROM u WHERE u.n = c.n)), ''), true) AS lost) "
    "SELECT u.n FROM u UNION ALL SELECT 0 FROM l UNION ALL SELECT ('lost:' || c.id)::bigint FROM c "
    "WHERE c.must = 1 AND NOT EXISTS (SELECT FROM u WHERE u.n = c.n)";

static const char commit_runs[] =
    "INSERT INTO schedd_runs (job, " RUN_COLUMNS ") SELECT k.key, r.number, r.state, r.trigger, "
    "r.attempt, r.scheduled_at, r.started_at, r.ended_at, r.done_at, r.until, r.count, r.coalesced, "
    "r.exit_code, r.signal, r.reason, r.max_rss, r.cpu_us, r.output_bytes, r.output_dropped, r.pid, "
    "r.pid_start, r.attempts, r.actor, r.result FROM ROWS FROM (unnest($1::bigint[], $2::text[], $3::bigint[], "
    "$4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], "
    "$11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], "
    "$17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], "
    "$23::text[], $24::text[], $25::text[])) WITH ORDINALITY r (claim, id, number, state, trigger, attempt, "
    "scheduled_at, started_at, ended_at, done_at, until, count, coalesced, exit_code, signal, reason, "
    "max_rss, cpu_us, output_bytes, output_dropped, pid, pid_start, attempts, actor, result, ord) "
    "JOIN schedd_jobs k ON k.id = r.id WHERE r.claim = 0 OR r.claim::text <> ALL (string_to_array("
    "current_setting('schedd.lost', true), ',')) ORDER BY r.ord "
    "ON CONFLICT (job, number) DO UPDATE SET (state, \"trigger\", attempt, scheduled_at, started_at, "
    "ended_at, done_at, until, count, coalesced, exit_code, signal, reason, max_rss, cpu_us, "
    "output_bytes, output_dropped, pid, pid_start, attempts, actor, result) = (excluded.state, "
    "excluded.trigger, excluded.attempt, excluded.scheduled_at, excluded.started_at, "
    "excluded.ended_at, excluded.done_at, excluded.until, excluded.count, excluded.coalesced, "
    "excluded.exit_code, excluded.signal, excluded.reason, excluded.max_rss, excluded.cpu_us, "
    "excluded.output_bytes, excluded.output_dropped, excluded.pid, excluded.pid_start, "
    "excluded.attempts, excluded.actor, excluded.result)";

static const char commit_changes[] =
    "INSERT INTO schedd_changes (at, job, change) SELECT c.at, k.key, c.change FROM ROWS FROM "
    "(unnest($1::bigint[], $2::text[], $3::text[])) WITH ORDINALITY c (at, id, change, ord) "
    "LEFT JOIN schedd_jobs k ON k.id = c.id ORDER BY c.ord";

static const char commit_meta[] =
    "INSERT INTO schedd_meta (key, number, text) SELECT * FROM unnest($1::text[], $2::bigint[], "
    "$3::text[]) ON CONFLICT (key) DO UPDATE SET number = excluded.number, text = excluded.text";

/* The row stays, to remember. */
const char pg_sql_delete[] =
    "UPDATE schedd_jobs SET definition = NULL, next_fire = NULL, next_run_time = NULL, run_count = 0, "
    "revision = 0, last_run = CASE WHEN $2::bigint = 0 THEN 0 ELSE greatest(last_run, $2::bigint) END "
    "WHERE id = $1";
const char pg_sql_remember[] =
    "INSERT INTO schedd_jobs AS j (id, last_run, revision) VALUES ($1, $2::bigint, 0) ON CONFLICT (id) "
    "DO UPDATE SET last_run = greatest(j.last_run, excluded.last_run)";
const char pg_sql_expect[] =
    "SELECT CASE WHEN (SELECT revision FROM schedd_jobs WHERE id = $1 AND definition IS NOT NULL) = "
    "$2::bigint THEN 0 ELSE ((CASE WHEN EXISTS (SELECT FROM schedd_jobs WHERE id = $1 AND definition "
    "IS NOT NULL) THEN 'changed:' ELSE 'removed:' END) || $1)::bigint END";
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
    "DELETE FROM schedd_runs WHERE ($1::text IS NULL OR job = (SELECT key FROM schedd_jobs WHERE id = "
    "$1)) AND ($2::bigint = 0 OR number = $2::bigint)";
const char pg_sql_meta_delete[] = "DELETE FROM schedd_meta WHERE key = $1";

const char *const pg_sql_sets[PG_SETS] = {
    [PG_SET_ADDS] = commit_adds,
    [PG_SET_PUTS] = commit_puts,
    [PG_SET_ENSURE] = commit_ensure,
    [PG_SET_CLAIMS] = commit_claims,
    [PG_SET_RUNS] = commit_runs,
    [PG_SET_CHANGES] = commit_changes,
    [PG_SET_META] = commit_meta,
};
