/* SPDX-License-Identifier: MIT */
/* What is read back: jobs at the start, history when somebody asks, and what is too old. */
#include <stdlib.h>
#include <string.h>
#include "store/modules/store_postgresql.h"

static int64_t read_number(const PGresult *row, int line, int column, int64_t nothing)
{
	return PQgetisnull(row, line, column) ? nothing
					      : strtoll(PQgetvalue(row, line, column), NULL, 10);
}

static const char *read_text(const PGresult *row, int line, int column)
{
	return PQgetisnull(row, line, column) ? NULL : PQgetvalue(row, line, column);
}

/* ---- Jobs ---- */

#define JOB_COLUMNS "id, definition, next_fire, next_run_time, run_count, last_run"

static struct store_counters read_counters(const PGresult *row)
{
	return (struct store_counters){
	    .next_fire = read_number(row, 0, 2, SCHEDD_TIME_NONE),
	    .next_run_time = read_number(row, 0, 3, SCHEDD_TIME_NONE),
	    .run_count = (uint64_t)read_number(row, 0, 4, 0),
	    .last_run = (uint32_t)read_number(row, 0, 5, 0),
	};
}

struct read_loading {
	struct store_loading *loading;
	int rc;
};

static bool read_job(PGresult *row, void *context)
{
	struct read_loading *reading = context;
	struct store_counters counters = read_counters(row);

	reading->rc = store_loading_job(reading->loading, PQgetvalue(row, 0, 0),
	    PQgetvalue(row, 0, 1), (size_t)PQgetlength(row, 0, 1), &counters);
	return reading->rc == 0;
}

static bool read_meta(PGresult *row, void *context)
{
	struct read_loading *reading = context;
	const char *text = read_text(row, 0, 2);

	if (text)
		store_loading_text(reading->loading, PQgetvalue(row, 0, 0), text);
	else
		store_loading_number(
		    reading->loading, PQgetvalue(row, 0, 0), read_number(row, 0, 1, 0));
	return true;
}

/* What calls returned may be long: told of one run alone. */
#define RUN_SELECT(result, node, where)                                                            \
	"SELECT " PG_RUN_COLUMNS(result) node "FROM schedd_runs r JOIN schedd_jobs j ON j.key = r.job WHERE " where

/* The statement as it is where the store is ours alone, and where it is shared. */
#define RUN_SELECTS(result, where)                                                                 \
	{RUN_SELECT(result, PG_RUN_NO_NODE, where), RUN_SELECT(result, PG_RUN_NODE, where)}

static const char *const read_open[] = RUN_SELECTS("NULL",
    "r.done_at IS NULL AND ($1::int = 0 OR r.node = $1::int) ORDER BY r.serial");
static const char *const read_of_job[] = RUN_SELECTS("CASE WHEN $3::bigint <> 0 THEN r.result END",
    "j.id = $2 AND r.number < $1::bigint AND ($3::bigint = 0 OR r.number = $3::bigint) ORDER BY r.number "
    "DESC");
static const char *const read_all_open[] =
    RUN_SELECTS("NULL", "r.done_at IS NULL AND r.serial < $1::bigint ORDER BY r.serial DESC");
static const char *const read_all[] =
    RUN_SELECTS("NULL", "r.serial < $1::bigint ORDER BY r.serial DESC");

void store_postgresql_read_run(const PGresult *result, int line, struct run *run)
{
	run_init(run);
	run->job = PQgetvalue(result, line, 0);
	run->serial = (uint64_t)read_number(result, line, 1, 0);
	run->number = (uint32_t)read_number(result, line, 2, 0);
	if (!run_state_parse(PQgetvalue(result, line, 3), &run->state))
		run->state = RUN_LOST;
	if (!run_trigger_parse(PQgetvalue(result, line, 4), &run->trigger))
		run->trigger = RUN_BY_SCHEDULE;
	run->attempt = (uint32_t)read_number(result, line, 5, 1);
	run->scheduled_at = read_number(result, line, 6, SCHEDD_TIME_NONE);
	run->started_at = read_number(result, line, 7, SCHEDD_TIME_NONE);
	run->ended_at = read_number(result, line, 8, SCHEDD_TIME_NONE);
	run->until = read_number(result, line, 9, SCHEDD_TIME_NONE);
	run->count = (uint64_t)read_number(result, line, 10, 1);
	run->coalesced = (uint64_t)read_number(result, line, 11, 0);
	run->exit_code = (int)read_number(result, line, 12, -1);
	run->signal = (int)read_number(result, line, 13, 0);
	run->reason = (char *)read_text(result, line, 14);
	run->max_rss = read_number(result, line, 15, 0);
	run->cpu_us = read_number(result, line, 16, 0);
	run->output_bytes = (uint64_t)read_number(result, line, 17, 0);
	run->output_dropped = (uint64_t)read_number(result, line, 18, 0);
	run->pid = (pid_t)read_number(result, line, 19, 0);
	run->pid_start = (uint64_t)read_number(result, line, 20, 0);
	run->attempts = (char *)read_text(result, line, 21);
	run->actor = (char *)read_text(result, line, 22);
	run->result = (char *)read_text(result, line, 23);
	run->node = (char *)read_text(result, line, 24);
}

static bool read_open_run(PGresult *row, void *context)
{
	struct read_loading *reading = context;
	struct run run;

	store_postgresql_read_run(row, 0, &run);
	store_loading_run(reading->loading, &run);
	return true;
}

/* Of a store that is shared those of this node alone. */
static int read_open_runs(
    struct store_link *link, struct read_loading *reading, struct schedd_error *err)
{
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, link->config->shared ? link->node : 0);
	rc = store_postgresql_talk_rows(
	    link, read_open[link->config->shared], &params, read_open_run, reading, err);
	pg_params_clear(&params);
	return rc;
}

int store_postgresql_load(struct store_link *link, struct store_loading *loading,
    int (*before)(struct store_link *, struct store_loading *, struct schedd_error *),
    struct schedd_error *err)
{
	static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
	struct read_loading reading = {loading, 0};
	int rc = store_postgresql_talk_ask(link, begin, NULL, NULL, err);

	if (rc == 0 && link->config->shared)
		rc = before(link, loading, err);
	if (rc == 0)
		rc = store_postgresql_talk_rows(link,
		    "SELECT " JOB_COLUMNS " FROM schedd_jobs WHERE definition IS NOT NULL", NULL,
		    read_job, &reading, err);
	if (rc == 0 && reading.rc)
		rc = schedd_error_set(
		    err, reading.rc, "store '%s': loading was given up", link->config->name);
	if (rc == 0)
		rc = store_postgresql_talk_rows(
		    link, "SELECT key, number, text FROM schedd_meta", NULL, read_meta, &reading, err);
	if (rc == 0)
		rc = read_open_runs(link, &reading, err);
	if (link->fault == STORE_FAULT_NONE) {
		struct schedd_error later;
		int end = store_postgresql_talk_ask(link, "COMMIT", NULL, NULL, rc ? &later : err);

		rc = rc ? rc : end;
	}
	return rc;
}

int store_postgresql_reread(struct store_link *link, const char *id,
    struct store_watching *watching, struct schedd_error *err)
{
	struct store_counters counters;
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, id);
	rc = store_postgresql_talk_ask(link,
	    "SELECT " JOB_COLUMNS " FROM schedd_jobs WHERE id = $1 AND definition IS NOT NULL",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	if (PQntuples(result)) {
		counters = read_counters(result);
		store_watching_job(watching, id, PQgetvalue(result, 0, 1),
		    (size_t)PQgetlength(result, 0, 1), &counters);
	} else {
		store_watching_job(watching, id, NULL, 0, NULL);
	}
	PQclear(result);
	return 0;
}

int store_postgresql_last_run(
    struct store_link *link, const char *id, int64_t *out, struct schedd_error *err)
{
	struct pg_params params;
	PGresult *result;
	int rc;

	pg_params_init(&params);
	pg_params_text(&params, id);
	rc = store_postgresql_talk_ask(link,
	    "SELECT greatest(last_run, coalesce((SELECT max(number) FROM schedd_runs r WHERE r.job = "
	    "j.key), 0)) FROM schedd_jobs j WHERE id = $1",
	    &params, &result, err);
	pg_params_clear(&params);
	if (rc)
		return rc;
	*out = PQntuples(result) ? read_number(result, 0, 0, 0) : 0;
	PQclear(result);
	return 0;
}

/* ---- History ---- */

static bool read_asked_run(PGresult *row, void *context)
{
	struct run run;

	store_postgresql_read_run(row, 0, &run);
	return store_asked_run(context, &run);
}

#define STATES_OPEN (1u << RUN_QUEUED | 1u << RUN_RUNNING | 1u << RUN_RETRYING)

/*
 * Pages of some hundred rows, since what an index cannot say is judged here: so
 * a question that finds what it looks for at the top does not read the rest.
 */
int store_postgresql_runs(struct store_link *link, const struct store_query *query,
    struct store_asked *asked, struct schedd_error *err)
{
	uint64_t before = query->before < INT64_MAX ? query->before : INT64_MAX;
	bool open = query->states && !(query->states & ~STATES_OPEN);
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, (int64_t)before);
	if (query->job) {
		pg_params_text(&params, query->job);
		pg_params_number(&params, query->number);
		rc = store_postgresql_talk_rows(
		    link, read_of_job[link->config->shared], &params, read_asked_run, asked, err);
	} else {
		rc = store_postgresql_talk_rows(link, (open ? read_all_open : read_all)[link->config->shared],
		    &params, read_asked_run, asked, err);
	}
	pg_params_clear(&params);
	return rc;
}

static bool read_change(PGresult *row, void *context)
{
	store_asked_change(context, read_number(row, 0, 0, 0), read_text(row, 0, 1),
	    PQgetvalue(row, 0, 2));
	return true;
}

/*
 * Of one job by a text of their own, here and below: a plan made for "$1 IS NULL
 * OR id = $1" can use no index, and would read the whole table.
 */
#define CHANGES(of)                                                                                \
	"SELECT c.at, j.id, c.change FROM schedd_changes c LEFT JOIN schedd_jobs j ON j.key = "    \
	"c.job WHERE c.at >= $1::bigint AND " of " ORDER BY c.id DESC LIMIT $2::bigint"

static const char changes_of_all[] = CHANGES("$3::text IS NULL");
static const char changes_of_job[] = CHANGES("c.job = (SELECT key FROM schedd_jobs WHERE id = $3)");

int store_postgresql_changes(struct store_link *link, const char *job, schedd_time since,
    uint64_t limit, struct store_asked *asked, struct schedd_error *err)
{
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, since);
	pg_params_number(&params, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
	pg_params_text(&params, job);
	rc = store_postgresql_talk_rows(
	    link, job ? changes_of_job : changes_of_all, &params, read_change, asked, err);
	pg_params_clear(&params);
	return rc;
}

static bool read_count(PGresult *row, void *context)
{
	struct run run;

	run_init(&run);
	run.job = PQgetvalue(row, 0, 0);
	if (!run_state_parse(PQgetvalue(row, 0, 1), &run.state))
		run.state = RUN_LOST;
	run.scheduled_at = read_number(row, 0, 2, SCHEDD_TIME_NONE);
	run.started_at = read_number(row, 0, 3, SCHEDD_TIME_NONE);
	run.ended_at = read_number(row, 0, 4, SCHEDD_TIME_NONE);
	run.count = (uint64_t)read_number(row, 0, 5, 1);
	store_asked_count(context, &run);
	return true;
}

#define STATS(of)                                                                                  \
	"SELECT j.id, r.state, r.scheduled_at, r.started_at, r.ended_at, r.count FROM "            \
	"schedd_runs r JOIN schedd_jobs j ON j.key = r.job WHERE r.done_at >= $1::bigint AND " of

static const char stats_of_all[] = STATS("$2::text IS NULL");
static const char stats_of_job[] = STATS("r.job = (SELECT key FROM schedd_jobs WHERE id = $2)");

int store_postgresql_stats(struct store_link *link, const char *job, schedd_time since,
    struct store_asked *asked, struct schedd_error *err)
{
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_number(&params, since);
	pg_params_text(&params, job);
	rc = store_postgresql_talk_rows(
	    link, job ? stats_of_job : stats_of_all, &params, read_count, asked, err);
	pg_params_clear(&params);
	return rc;
}

/* ---- What is too old ---- */

/*
 * One statement a rule, oldest first. $1 job or NULL, $2 the most rows, $3 the
 * limit, $4 ids with rules of their own.
 */
#define RETAIN(of, which)                                                                          \
	"WITH d AS (DELETE FROM schedd_runs WHERE serial IN (SELECT r.serial FROM schedd_runs r "  \
	"JOIN schedd_jobs j ON j.key = r.job WHERE r.done_at IS NOT NULL AND " of " AND " which    \
	" ORDER BY r.serial LIMIT $2::bigint) RETURNING 1) "                                       \
	"SELECT count(*) FROM d WHERE $3::bigint IS NOT NULL AND $4::text[] IS NOT NULL"
#define OF_ALL "$1::text IS NULL"
#define OF_JOB(row) row ".job = (SELECT key FROM schedd_jobs WHERE id = $1)"

#define TOO_OLD "r.done_at < $3::bigint AND j.id <> ALL ($4::text[])"
#define TOO_MANY(of)                                                                               \
	"j.id <> ALL ($4::text[]) AND r.serial IN (SELECT serial FROM (SELECT serial, "            \
	"row_number() OVER (PARTITION BY job ORDER BY number DESC) AS place FROM schedd_runs x "   \
	"WHERE " of ") p WHERE p.place > $3::bigint)"
#define OVER_TOTAL                                                                                 \
	"$4::text[] IS NOT NULL AND r.serial <= (SELECT serial FROM schedd_runs ORDER BY serial "  \
	"DESC OFFSET $3::bigint LIMIT 1)"

/* Of all, of one job. */
static const char *const retain_age[] = {RETAIN(OF_ALL, TOO_OLD), RETAIN(OF_JOB("r"), TOO_OLD)};
static const char *const retain_runs[] = {
    RETAIN(OF_ALL, TOO_MANY(OF_ALL)), RETAIN(OF_JOB("r"), TOO_MANY(OF_JOB("x")))};
static const char *const retain_total[] = {
    RETAIN(OF_ALL, OVER_TOTAL), RETAIN(OF_JOB("r"), OVER_TOTAL)};

static int retain_rule(struct store_link *link, const struct store_rules *rules,
    const char *const texts[2], int64_t limit, uint32_t budget, uint32_t *deleted,
    struct schedd_error *err)
{
	struct strbuf except = STRBUF_EMPTY;
	struct pg_params params;
	PGresult *result;
	int rc;

	if (*deleted >= budget)
		return 0;
	strbuf_add_char(&except, '{');
	/* Ids need no escapes. */
	for (size_t i = 0; i < rules->except_count; i++)
		strbuf_printf(&except, "%s\"%s\"", i ? "," : "", rules->retention.except[i]);
	strbuf_add_char(&except, '}');
	pg_params_init(&params);
	pg_params_text(&params, rules->job);
	pg_params_number(&params, budget - *deleted);
	pg_params_number(&params, limit);
	pg_params_text(&params, strbuf_peek(&except));
	rc = strbuf_failed(&except) ? schedd_error_nomem(err)
				    : store_postgresql_talk_ask(
					  link, texts[rules->job != NULL], &params, &result, err);
	pg_params_clear(&params);
	strbuf_clear(&except);
	if (rc)
		return rc;
	*deleted += (uint32_t)read_number(result, 0, 0, 0);
	PQclear(result);
	return 0;
}

static int retain_changes(struct store_link *link, const struct store_retention *retention,
    schedd_time now, struct schedd_error *err)
{
	struct pg_params params;
	int rc;

	pg_params_init(&params);
	pg_params_time(&params,
	    retention->keep_for == SCHEDD_SPAN_NONE ? SCHEDD_TIME_NONE : now - retention->keep_for);
	pg_params_number(&params, retention->max_changes);
	rc = store_postgresql_talk_ask(link,
	    "DELETE FROM schedd_changes WHERE at < $1::bigint OR ($2::bigint > 0 AND id <= (SELECT id FROM "
	    "schedd_changes ORDER BY id DESC OFFSET $2::bigint LIMIT 1))",
	    &params, NULL, err);
	pg_params_clear(&params);
	return rc;
}

int store_postgresql_retain(struct store_link *link, const struct store_rules *rules,
    uint32_t budget, schedd_time now, uint32_t *deleted, struct schedd_error *err)
{
	const struct store_retention *retention = &rules->retention;
	int rc = 0;

	*deleted = 0;
	if (retention->max_runs >= 0)
		rc = retain_rule(
		    link, rules, retain_total, retention->max_runs, budget, deleted, err);
	if (rc == 0 && retention->keep_for != SCHEDD_SPAN_NONE)
		rc = retain_rule(
		    link, rules, retain_age, now - retention->keep_for, budget, deleted, err);
	if (rc == 0 && retention->keep_runs >= 0)
		rc = retain_rule(
		    link, rules, retain_runs, retention->keep_runs, budget, deleted, err);
	if (rc == 0 && !rules->job)
		rc = retain_changes(link, retention, now, err);
	return rc;
}

/* As the server's statistics have it: counting would read everything. */
int store_postgresql_sizes(
    struct store_link *link, int64_t *runs, int64_t *bytes, struct schedd_error *err)
{
	PGresult *result;
	int rc = store_postgresql_talk_ask(link,
	    "SELECT (SELECT count(*) FROM schedd_runs), (SELECT sum(pg_total_relation_size(c.oid))::bigint "
	    "FROM pg_class c WHERE c.relname LIKE 'schedd\\_%' AND c.relkind = 'r' AND "
	    "pg_table_is_visible(c.oid))",
	    NULL, &result, err);

	if (rc)
		return rc;
	*runs = read_number(result, 0, 0, -1);
	*bytes = read_number(result, 0, 1, -1);
	PQclear(result);
	return 0;
}
