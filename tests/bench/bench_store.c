/* SPDX-License-Identifier: MIT */
/*
 * What a store costs, beside what SQLite itself costs for the same commits,
 * the two taken in turns. Give it a directory to work in (default: /tmp).
 *
 *   bench_store [DIRECTORY] [RUNS] [history]     RUNS rows for the large history
 *                                                (1000000); history: nothing else
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "model/job_fields.h"
#include "store/store.h"

#define ROUNDS 5
#define SERIAL 1500
#define PIPELINED 20000
#define IN_FLIGHT 64
#define JOBS 10000

struct bench {
	char directory[200];
	char path[256];
	struct store_config config;
	struct store *store;
	struct trigger_context trigger;
	struct mailbox *mailbox;
	struct schedd_error err;
	int answered;
	int failed;
	int64_t found;
	int64_t deleted;
	bool retaining; /* asked and not answered yet */
};

static int64_t bench_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

static void bench_die(const char *what, const struct schedd_error *err)
{
	fprintf(stderr, "bench_store: %s: %s\n", what, err->message);
	exit(1);
}

static int bench_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double bench_median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof(values[0]), bench_compare);
	return values[count / 2];
}

/* ---- A store in a fresh file ---- */

static void bench_remove(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[300];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		unlink(name);
	}
}

static void bench_open(struct bench *bench, const char *type)
{
	bench->config.type = type;
	if (store_open_wait(
		&bench->config, SCHEDD_SPAN_NONE, &bench->store, &bench->err) < 0)
		bench_die("open", &bench->err);
}

static void bench_reopen(struct bench *bench)
{
	store_close(bench->store);
	bench_open(bench, bench->config.type);
}

static struct job_record bench_job(struct bench *bench, int number, bool cron)
{
	struct job_fields_context context = {.trigger = &bench->trigger};
	struct job_record record = {.job = job_new()};
	struct arena arena;
	struct value map;
	char json[300];

	snprintf(json, sizeof(json),
	    cron ? "{\"id\":\"job-%06d\",\"name\":\"job number %d\",\"command\":[\"/bin/true\"],"
		   "\"trigger\":{\"cron\":\"%d %d * * *\"},\"next_run_time\":1800000000000000,"
		   "\"next_fire\":1800000000000000,\"created_at\":1767225600000000,\"revision\":1}"
		 : "{\"id\":\"job-%06d\",\"name\":\"job number %d\",\"command\":[\"/bin/true\"],"
		   "\"trigger\":{\"every\":%d,\"start\":\"2026-01-01T00:00:%02dZ\"},"
		   "\"next_run_time\":1800000000000000,\"next_fire\":1800000000000000,"
		   "\"created_at\":1767225600000000,\"revision\":1}",
	    number, number, 1 + number % 59, number % 23);
	arena_init(&arena);
	job_state_init(&record.state);
	if (json_parse(json, strlen(json), &arena, &map, &bench->err) < 0 ||
	    job_fields_read(record.job, &record.state, &map,
		JOB_FIELD_READONLY | JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &context,
		&bench->err) < 0)
		bench_die(json, &bench->err);
	arena_clear(&arena);
	return record;
}

static void bench_done(int rc, const struct schedd_error *err, void *context)
{
	struct bench *bench = context;

	bench->answered++;
	if (rc < 0) {
		bench->failed++;
		bench->err = *err;
	}
}

static void bench_commit_job(struct bench *bench, const struct job_record *record)
{
	struct store_batch *batch = store_batch_new(bench->store);

	store_batch_put_job(batch, record->job, &record->state);
	store_commit(bench->store, batch, bench_done, bench);
}

/* Adds count jobs with so many in flight; adds a second. */
static double bench_adds(struct bench *bench, int count, int in_flight)
{
	struct job_record *records = calloc((size_t)count, sizeof(records[0]));
	int64_t begin, taken;
	int sent = 0;

	bench_remove(bench->path);
	bench_open(bench, "sqlite");
	for (int i = 0; i < count; i++)
		records[i] = bench_job(bench, i, true);
	bench->answered = 0;
	begin = bench_now();
	while (bench->answered < count) {
		for (; sent < count && sent - bench->answered < in_flight; sent++)
			bench_commit_job(bench, &records[sent]);
		mailbox_wait(bench->mailbox);
	}
	taken = bench_now() - begin;
	for (int i = 0; i < count; i++) {
		job_unref(records[i].job);
		job_state_clear(&records[i].state);
	}
	free(records);
	store_close(bench->store);
	if (bench->failed)
		bench_die("commit", &bench->err);
	return count * 1e6 / (double)taken;
}

/* ---- SQLite alone ---- */

static void bare_exec(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "bench_store: %s: %s\n", text, sqlite3_errmsg(db));
		exit(1);
	}
}

/* The same commits by a plain loop: one row of the same text a transaction, synchronous FULL. */
static double bare_commits(struct bench *bench, int count)
{
	sqlite3_stmt *put, *begin_stmt, *commit;
	int64_t begin, taken;
	sqlite3 *db;

	bench_remove(bench->path);
	sqlite3_open(bench->path, &db);
	bare_exec(db,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "CREATE TABLE jobs (id TEXT PRIMARY KEY, name TEXT, command TEXT, trigger TEXT, "
	    "next INTEGER, created INTEGER) WITHOUT ROWID");
	sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO jobs VALUES (?,?,?,?,?,?)", -1, &put, NULL);
	sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin_stmt, NULL);
	sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL);
	begin = bench_now();
	for (int i = 0; i < count; i++) {
		char id[32];

		snprintf(id, sizeof(id), "job-%06d", i);
		sqlite3_bind_text(put, 1, id, -1, SQLITE_TRANSIENT);
		sqlite3_bind_text(put, 2, "job number 77", -1, SQLITE_STATIC);
		sqlite3_bind_text(put, 3, "[\"/bin/true\"]", -1, SQLITE_STATIC);
		sqlite3_bind_text(put, 4,
		    "{\"type\":\"cron\",\"expr\":\"5 7 * * *\",\"timezone\":\"UTC\"}", -1,
		    SQLITE_STATIC);
		sqlite3_bind_int64(put, 5, 1800000000000000);
		sqlite3_bind_int64(put, 6, 1767225600000000);
		sqlite3_step(begin_stmt), sqlite3_reset(begin_stmt);
		sqlite3_step(put), sqlite3_reset(put);
		sqlite3_step(commit), sqlite3_reset(commit);
	}
	taken = bench_now() - begin;
	sqlite3_finalize(put), sqlite3_finalize(begin_stmt), sqlite3_finalize(commit);
	sqlite3_close(db);
	return count * 1e6 / (double)taken;
}

static void bench_commits(struct bench *bench)
{
	double bare[ROUNDS], serial[ROUNDS], pipelined[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		bare[i] = bare_commits(bench, SERIAL);
		serial[i] = bench_adds(bench, SERIAL, 1);
		pipelined[i] = bench_adds(bench, PIPELINED, IN_FLIGHT);
	}
	bench_median(bare, ROUNDS);
	bench_median(serial, ROUNDS);
	bench_median(pipelined, ROUNDS);
	printf(
	    "{\"bench\":\"store_sqlite_add_serial\",\"per_second\":%.0f,\"bare_per_second\":%.0f,"
	    "\"ratio\":%.2f,\"goal\":0.6}\n",
	    serial[ROUNDS / 2], bare[ROUNDS / 2], serial[ROUNDS / 2] / bare[ROUNDS / 2]);
	printf("{\"bench\":\"store_sqlite_add_64\",\"per_second\":%.0f,\"apscheduler\":2263,"
	       "\"ratio\":%.1f,\"goal\":12}\n",
	    pipelined[ROUNDS / 2], pipelined[ROUNDS / 2] / 2263);
}

/* ---- Start, and a tick with all jobs due ---- */

static int bench_drop(struct job_record *record, void *context)
{
	(void)context;
	job_unref(record->job);
	job_state_clear(&record->state);
	free(record->raw);
	return 0;
}

static void bench_fill_jobs(struct bench *bench, bool cron)
{
	struct store_batch *batch;

	bench_remove(bench->path);
	bench_open(bench, "sqlite");
	batch = store_batch_new(bench->store);
	for (int i = 0; i < JOBS; i++) {
		struct job_record record = bench_job(bench, i, cron);

		store_batch_put_job(batch, record.job, &record.state);
		bench_drop(&record, NULL);
	}
	store_commit(bench->store, batch, bench_done, bench);
	(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
}

static void bench_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	(void)context;
	if (rc < 0)
		bench_die("load", err);
	store_snapshot_free(snapshot);
}

static void bench_load(struct bench *bench, const char *kind)
{
	double load[ROUNDS], opening[ROUNDS];

	bench_fill_jobs(bench, strcmp(kind, "cron") == 0);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t begin, opened;

		store_close(bench->store);
		begin = bench_now();
		bench_open(bench, "sqlite");
		opened = bench_now();
		store_load(bench->store, bench_drop, bench_loaded, bench);
		(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
		load[i] = (double)(bench_now() - opened) / 1000;
		opening[i] = (double)(opened - begin) / 1000;
	}
	printf("{\"bench\":\"store_sqlite_load\",\"trigger\":\"%s\",\"jobs\":%d,\"ms\":%.2f,"
	       "\"open_ms\":%.2f}\n",
	    kind, JOBS, bench_median(load, ROUNDS), bench_median(opening, ROUNDS));
}

/* Claims and first records of all jobs in one batch, as a tick writes them. */
static void bench_tick(struct bench *bench)
{
	double ticks[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		struct store_batch *batch;
		struct job_state state;
		int64_t begin = bench_now();

		job_state_init(&state);
		batch = store_batch_new(bench->store);
		for (int i = 0; i < JOBS; i++) {
			struct run run;
			char id[32];

			snprintf(id, sizeof(id), "job-%06d", i);
			state.next_fire = state.next_run_time = 1800000000000000 + round;
			state.last_run = (uint32_t)round + 1;
			store_batch_claim(batch, id, (uint32_t)round, &state, NULL);
			run_init(&run);
			run.job = id;
			run.number = (uint32_t)round + 1;
			run.state = RUN_RUNNING;
			run.scheduled_at = run.started_at = 1800000000000000;
			store_batch_put_run(batch, &run);
		}
		store_commit(bench->store, batch, bench_done, bench);
		(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
		ticks[round] = (double)(bench_now() - begin) / 1000;
	}
	printf("{\"bench\":\"store_sqlite_tick\",\"jobs\":%d,\"ms\":%.1f,\"goal\":200}\n", JOBS,
	    bench_median(ticks, ROUNDS));
	store_close(bench->store);
}

/* ---- History ---- */

static void bench_put_runs(struct bench *bench, int64_t first, int64_t count, int jobs)
{
	struct store_batch *batch = store_batch_new(bench->store);

	for (int64_t i = first; i < first + count; i++) {
		struct run run;
		char id[32];

		snprintf(id, sizeof(id), "job-%06d", (int)(i % jobs));
		run_init(&run);
		run.job = id;
		run.number = (uint32_t)(i / jobs) + 1;
		run.state = i % 50 ? RUN_SUCCESS : RUN_FAILED;
		run.exit_code = i % 50 ? 0 : 1;
		run.scheduled_at = 1767225600000000 + i * 1000;
		run.started_at = run.scheduled_at + 300;
		run.ended_at = run.started_at + 2000 + i % 1000;
		store_batch_put_run(batch, &run);
	}
	store_commit(bench->store, batch, bench_done, bench);
}

static void bench_history_memory(struct bench *bench)
{
	static const int job_counts[] = {100, 10000, 100000};

	for (size_t j = 0; j < 3; j++) {
		const int64_t count = 1000000;
		int64_t begin;

		bench_open(bench, "memory");
		bench_put_runs(bench, 0, 200000, job_counts[j]);
		begin = bench_now();
		for (int64_t i = 0; i < count; i += 1000)
			bench_put_runs(bench, 200000 + i, 1000, job_counts[j]);
		printf(
		    "{\"bench\":\"store_memory_put_run\",\"jobs\":%d,\"ns\":%.0f,\"goal\":400}\n",
		    job_counts[j], (double)(bench_now() - begin) * 1000 / (double)count);
		store_close(bench->store);
	}
}

static void bench_take_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct bench *bench = context;

	(void)runs, (void)cursor;
	if (rc < 0)
		bench_die("query", err);
	bench->found = (int64_t)count;
}

static void bench_query(
    struct bench *bench, const char *name, const struct store_run_query *query, double goal)
{
	double times[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		int64_t begin = bench_now();

		store_query_runs(bench->store, query, bench_take_runs, bench);
		(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
		times[i] = (double)(bench_now() - begin) / 1000;
	}
	printf("{\"bench\":\"store_sqlite_query\",\"what\":\"%s\",\"found\":%" PRId64
	       ",\"ms\":%.2f,\"goal\":%g}\n",
	    name, bench->found, bench_median(times, ROUNDS), goal);
}

static void bench_timed(int rc, const struct schedd_error *err, void *context)
{
	(void)rc, (void)err;
	*(int64_t *)context = bench_now();
}

#define RETAIN_PHASE 500000 /* microseconds of each turn */
#define RETAIN_ROWS 2000    /* asked for at once */
#define RETAIN_EVERY 2000   /* microseconds between two commits */
#define RETAIN_COMMITS 1000000

/* How long small commits took while retention deleted, or while it did not. */
struct bench_waits {
	double *ms;
	int count;
	int64_t time; /* all turns together */
};

static void bench_retained(int rc, const struct schedd_error *err, void *context)
{
	struct bench *bench = context;

	if (rc < 0)
		bench_die("retain", err);
	bench->found = rc;
	bench->deleted += rc;
	bench->retaining = false;
}

/* One turn; rules NULL: without retention. */
static void bench_turn(
    struct bench *bench, struct bench_waits *waits, const struct store_retention *rules)
{
	int64_t begin = bench_now();

	while (bench_now() - begin < RETAIN_PHASE && waits->count < RETAIN_COMMITS) {
		struct timespec pause = {0, RETAIN_EVERY * 1000};
		struct store_batch *batch = store_batch_new(bench->store);
		int64_t sent, done = 0;

		if (rules && !bench->retaining && bench->found > 0) {
			bench->retaining = true;
			store_retain(bench->store, NULL, rules, RETAIN_ROWS, bench_retained, bench);
		}
		sent = bench_now();
		store_batch_put_number(batch, "n", waits->count);
		store_commit(bench->store, batch, bench_timed, &done);
		while (done == 0)
			mailbox_wait(bench->mailbox);
		waits->ms[waits->count++] = (double)(done - sent) / 1000;
		nanosleep(&pause, NULL);
	}
	(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
	waits->time += bench_now() - begin;
}

/* Answers the 99th percentile. */
static double bench_show_waits(const char *name, struct bench_waits *waits)
{
	double most;


	bench_median(waits->ms, waits->count);
	printf(",\"%s_p50_ms\":%.2f,\"%s_p99_ms\":%.2f,\"%s_max_ms\":%.2f", name,
	    waits->ms[waits->count / 2], name, waits->ms[waits->count * 99 / 100], name,
	    waits->ms[waits->count - 1]);
	most = waits->ms[waits->count * 99 / 100];
	free(waits->ms);
	return most;
}

/* Nearly all rows go, and what a commit waits for is compared with what it waits for alone. */
static void bench_retention(struct bench *bench)
{
	struct store_retention rules = {
	    .keep_runs = -1, .keep_for = SCHEDD_SPAN_NONE, .max_runs = 1000};
	struct bench_waits with = {.ms = calloc(RETAIN_COMMITS, sizeof(double))};
	struct bench_waits without = {.ms = calloc(RETAIN_COMMITS, sizeof(double))};
	struct arena arena;
	struct value status;
	double piece = 0, stall;

	for (bench->found = RETAIN_ROWS; bench->found == RETAIN_ROWS;) {
		bench_turn(bench, &without, NULL);
		bench_turn(bench, &with, &rules);
	}
	arena_init(&arena);
	status = store_status(bench->store, &arena);
	value_number(value_get(&status, "longest_piece"), &piece);
	printf("{\"bench\":\"store_sqlite_retain\",\"deleted\":%" PRId64
	       ",\"rows_per_s\":%.0f,\"longest_piece_ms\":%.2f,\"bytes_left\":%" PRId64,
	    bench->deleted, (double)bench->deleted * 1e6 / (double)with.time, piece * 1000,
	    value_get_int(&status, "bytes", 0));
	stall = bench_show_waits("commit", &with);
	stall -= bench_show_waits("alone", &without);
	printf(",\"stall_ms\":%.2f,\"goal_stall_ms\":2}\n", stall > 0 ? stall : 0);
	arena_clear(&arena);
}

static void bench_history_sqlite(struct bench *bench, int64_t runs)
{
	static const char *const one[] = {"job-000042", NULL}, *const glob[] = {"*-000042", NULL};
	struct store_run_query query = {
	    .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 50};
	int64_t begin;

	bench_remove(bench->path);
	bench_open(bench, "sqlite");
	begin = bench_now();
	for (int64_t i = 0; i < runs; i += 1000) {
		bench_put_runs(bench, i, 1000, 1000);
		(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
	}
	printf("{\"bench\":\"store_sqlite_put_run\",\"batch\":1000,\"per_second\":%.0f}\n",
	    (double)runs * 1e6 / (double)(bench_now() - begin));
	begin = bench_now();
	bench_reopen(bench);
	printf("{\"bench\":\"store_sqlite_open\",\"runs\":%" PRId64 ",\"ms\":%.2f}\n", runs,
	    (double)(bench_now() - begin) / 1000);
	query.jobs = one;
	bench_query(bench, "job -n 50", &query, 10);
	query.jobs = NULL;
	bench_query(bench, "-n 50", &query, 10);
	query.states = 1u << RUN_FAILED;
	bench_query(bench, "--state failed -n 50", &query, 10);
	query.states = 1u << RUN_RUNNING;
	bench_query(bench, "--state running", &query, 10);
	query.states = 0;
	query.since = 1767225600000000 + runs * 1000 - SCHEDD_SECOND;
	bench_query(bench, "--last 1s -n 50", &query, 10);
	query.since = SCHEDD_TIME_NONE;
	query.jobs = glob;
	bench_query(bench, "glob -n 50", &query, 100);
	bench_retention(bench);
	store_close(bench->store);
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	int64_t runs = argc > 2 ? atoll(argv[2]) : 1000000;

	snprintf(bench.directory, sizeof(bench.directory), "%s/bench-store-XXXXXX",
	    argc > 1 ? argv[1] : "/tmp");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!mkdtemp(bench.directory)) {
		perror(bench.directory);
		return 1;
	}
	snprintf(bench.path, sizeof(bench.path), "%s/jobs.db", bench.directory);
	bench.mailbox = mailbox_new(NULL, &bench.err);
	bench.trigger.zones = zone_cache_new(NULL);
	bench.trigger.zone = zone_utc();
	bench.config = (struct store_config){.name = "bench",
	    .path = bench.path,
	    .mailbox = bench.mailbox,
	    .trigger = &bench.trigger};
	if (argc <= 3) {
		bench_commits(&bench);
		bench_load(&bench, "interval");
		store_close(bench.store);
		bench_load(&bench, "cron");
		bench_tick(&bench);
		bench_history_memory(&bench);
	}
	bench_history_sqlite(&bench, runs);
	bench_remove(bench.path);
	rmdir(bench.directory);
	mailbox_free(bench.mailbox);
	zone_cache_free(bench.trigger.zones);
	return 0;
}
