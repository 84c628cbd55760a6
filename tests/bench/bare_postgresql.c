/* SPDX-License-Identifier: MIT */
#include "bench/bare.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"

static PGconn *pg;

static void pg_die(const char *what)
{
	fprintf(stderr, "bare_postgresql: %s: %s\n", what, PQerrorMessage(pg));
	exit(1);
}

static void pg_run(const char *text)
{
	PGresult *result = PQexec(pg, text);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		pg_die(text);
	PQclear(result);
}

static void pg_quiet(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static void pg_prepare_claims(void)
{
	PGresult *result = PQprepare(pg, "gather",
	    "WITH n AS MATERIALIZED (SELECT 1 FROM bare_nodes WHERE node = 1 AND epoch = 1 FOR KEY SHARE), u AS "
	    "(UPDATE bare_jobs j SET next_fire = c.next, next_run_time = c.next, run_count = c.run, last_run = c.run "
	    "FROM unnest($1::text[], $2::bigint[], $3::bigint[]) c (id, next, run) WHERE j.id = c.id AND j.last_run = "
	    "c.run - 1 AND EXISTS (SELECT FROM n) RETURNING j.key, c.run, c.next) INSERT INTO bare_runs (job, number, "
	    "state, \"trigger\", scheduled_at, started_at, node, ran) SELECT key, run, 'running', 'schedule', next, next "
	    "+ 100, 1, 1 FROM u",
	    0, NULL);

	PQclear(result);
	PQclear(PQprepare(pg, "raw", "UPDATE bare_nodes SET batch = $1::bigint WHERE node = 1", 0, NULL));
}

static void pg_open(void)
{
	pg = PQconnectdb(getenv("SCHEDD_TEST_STORE_URL"));
	if (PQstatus(pg) != CONNECTION_OK)
		pg_die("connect");
	PQsetNoticeProcessor(pg, pg_quiet, NULL);
	pg_run("DROP TABLE IF EXISTS bare_jobs, bare_runs, bare_nodes");
	pg_run("CREATE TABLE bare_jobs (LIKE schedd_jobs INCLUDING ALL)");
	pg_run("CREATE TABLE bare_runs (LIKE schedd_runs INCLUDING ALL)");
	pg_run("CREATE TABLE bare_nodes (node int PRIMARY KEY, epoch bigint, batch bigint)");
	pg_run("INSERT INTO bare_nodes VALUES (1, 1, 0)");
	pg_run("SET plan_cache_mode = force_generic_plan");
	PQclear(PQprepare(pg, "add",
	    "INSERT INTO bare_jobs (id, definition, next_fire, next_run_time, run_count, last_run, "
	    "revision) VALUES ($1, $2, $3::bigint, $3::bigint, 0, 0, 1)",
	    0, NULL));
	pg_prepare_claims();
}

static void pg_send_add(int number)
{
	char id[16], text[300];
	const char *params[3] = {id, text, "1800000000000000"};

	snprintf(id, sizeof(id), "job-%06d", number);
	snprintf(text, sizeof(text), BARE_DEFINITION, number, number, 60 + number % 60);
	if (!PQsendQueryPrepared(pg, "add", 3, params, NULL, NULL, 0))
		pg_die("add");
}

/* One result and the NULL behind it; in a pipeline its sync as well. */
static void pg_take(bool pipeline)
{
	PGresult *result = PQgetResult(pg);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		pg_die("answer");
	PQclear(result);
	while ((result = PQgetResult(pg)))
		PQclear(result);
	if (pipeline)
		PQclear(PQgetResult(pg));
}

static void pg_adds(int from, int count, int in_flight)
{
	bool fill = in_flight > 100; /* nobody looks how long it takes */
	int sent = 0, answered = 0;

	if (fill)
		pg_run("BEGIN");
	if (in_flight > 1)
		PQenterPipelineMode(pg);
	while (answered < count) {
		while (sent < count && sent - answered < in_flight) {
			pg_send_add(from + sent++);
			if (in_flight > 1 && !PQpipelineSync(pg))
				pg_die("sync");
		}
		pg_take(in_flight > 1);
		answered++;
	}
	if (in_flight > 1)
		PQexitPipelineMode(pg);
	if (fill)
		pg_run("COMMIT");
}

static void pg_claims(int from, int count, int run)
{
	struct strbuf ids = STRBUF_EMPTY;
	char number[16];
	const char *params[2];
	PGresult *result;

	for (int i = 0; i < count; i++)
		strbuf_printf(&ids, "%sjob-%06d", i ? "," : "{", from + i);
	strbuf_add_char(&ids, '}');
	snprintf(number, sizeof(number), "%d", run);
	params[0] = strbuf_peek(&ids);
	params[1] = number;
	pg_run("BEGIN");
	result = PQexecParams(pg,
	    "UPDATE bare_jobs j SET next_fire = 1800000000000000, next_run_time = 1800000000000000, "
	    "run_count = $2::bigint, last_run = $2::bigint FROM unnest($1::text[]) c (id) WHERE j.id = "
	    "c.id AND j.last_run = $2::bigint - 1",
	    2, NULL, params, NULL, NULL, 0);
	if (strtol(PQcmdTuples(result), NULL, 10) != count)
		pg_die("claims");
	PQclear(result);
	result = PQexecParams(pg,
	    "INSERT INTO bare_runs (job, number, state, \"trigger\", scheduled_at, started_at) SELECT "
	    "j.key, $2::bigint, 'running', 'schedule', 1800000000000000, 1800000000000100 FROM "
	    "unnest($1::text[]) c (id) JOIN bare_jobs j ON j.id = c.id",
	    2, NULL, params, NULL, NULL, 0);
	if (strtol(PQcmdTuples(result), NULL, 10) != count)
		pg_die("runs");
	PQclear(result);
	pg_run("COMMIT");
	strbuf_clear(&ids);
}

/* A claim has texts of its own, as those that come by themselves do. */
static void pg_gather(int from, int count, int run)
{
	struct strbuf ids = STRBUF_EMPTY, times = STRBUF_EMPTY, runs = STRBUF_EMPTY;
	const char *params[3];
	PGresult *result;

	for (int i = 0; i < count; i++) {
		strbuf_printf(&ids, "%sjob-%06d", i ? "," : "{", from + i);
		strbuf_printf(&times, "%s1800000000000000", i ? "," : "{");
		strbuf_printf(&runs, "%s%d", i ? "," : "{", run);
	}
	strbuf_add_char(&ids, '}');
	strbuf_add_char(&times, '}');
	strbuf_add_char(&runs, '}');
	params[0] = strbuf_peek(&ids);
	params[1] = strbuf_peek(&times);
	params[2] = strbuf_peek(&runs);
	result = PQexecPrepared(pg, "gather", 3, params, NULL, NULL, 0);
	if (strtol(PQcmdTuples(result), NULL, 10) != count)
		pg_die("gather");
	PQclear(result);
	strbuf_clear(&ids);
	strbuf_clear(&times);
	strbuf_clear(&runs);
}

static void pg_raw(int number)
{
	char text[16];
	const char *params[] = {text};

	snprintf(text, sizeof(text), "%d", number);
	PQclear(PQexecPrepared(pg, "raw", 1, params, NULL, NULL, 0));
}

static int pg_load(void)
{
	int found = 0;
	PGresult *row;

	PQsendQuery(pg, "SELECT id, definition, next_fire, next_run_time, run_count, last_run FROM "
			"bare_jobs WHERE definition IS NOT NULL");
	PQsetSingleRowMode(pg);
	while ((row = PQgetResult(pg))) {
		found += PQntuples(row);
		PQclear(row);
	}
	return found;
}

static void pg_close(void)
{
	pg_run("DROP TABLE bare_jobs, bare_runs, bare_nodes");
	PQfinish(pg);
}

const struct bare bare_postgresql = {
    "postgresql", pg_open, pg_adds, pg_claims, pg_load, pg_close, pg_gather, pg_raw};
