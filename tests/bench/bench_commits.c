/* SPDX-License-Identifier: MIT */
/*
 * What the runs of programs cost the thread that commits, in SQLite: microseconds
 * of CPU for each run, of which so many stand in one commit. It is claimed with
 * its row and its end is written; where it goes on for a while, its process is
 * noted in between.
 *
 *   bench_commits [DIRECTORY [RUNS]]     RUNS: of one commit, and no other number of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "model/job_fields.h"
#include "store/store.h"

#define JOBS 1000
#define ROUNDS 5

struct bench {
	char directory[200];
	char path[256];
	struct store *store;
	struct trigger_context trigger;
	struct mailbox *mailbox;
	struct schedd_error err;
	uint32_t number;
};

static void bench_die(const char *what, const struct schedd_error *err)
{
	fprintf(stderr, "bench_commits: %s: %s\n", what, err ? err->message : "failed");
	exit(1);
}

static int64_t bench_cpu(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Of all threads but this one. */
static int64_t bench_others(void)
{
	return bench_cpu(CLOCK_PROCESS_CPUTIME_ID) - bench_cpu(CLOCK_THREAD_CPUTIME_ID);
}

static void bench_done(int rc, const struct schedd_error *err, void *context)
{
	(void)context;
	if (rc < 0)
		bench_die("commit", err);
}

static void bench_commit(struct bench *bench, struct store_batch *batch)
{
	store_commit(bench->store, batch, bench_done, bench);
	(void)store_flush(bench->store, SCHEDD_SPAN_NONE);
}

static void bench_put_job(struct bench *bench, struct store_batch *batch, int number)
{
	struct job_fields_context context = {.trigger = &bench->trigger};
	struct schedd_job *job = job_new();
	struct job_state state;
	struct arena arena;
	struct value map;
	char json[300];

	snprintf(json, sizeof(json),
	    "{\"id\":\"job-%06d\",\"name\":\"job number %d\",\"command\":[\"/bin/true\"],"
	    "\"trigger\":{\"every\":60},\"next_run_time\":1800000000000000,"
	    "\"next_fire\":1800000000000000,\"created_at\":1767225600000000,\"revision\":1}",
	    number, number);
	arena_init(&arena);
	job_state_init(&state);
	if (json_parse(json, strlen(json), &arena, &map, &bench->err) < 0 ||
	    job_fields_read(job, &state, &map,
		JOB_FIELD_READONLY | JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &context, &bench->err) < 0)
		bench_die(json, &bench->err);
	arena_clear(&arena);
	store_batch_put_job(batch, job, &state);
	job_unref(job);
	job_state_clear(&state);
}

static void bench_open(struct bench *bench)
{
	struct store_config config = {.name = "bench",
	    .type = "sqlite",
	    .path = bench->path,
	    .mailbox = bench->mailbox,
	    .trigger = &bench->trigger};
	struct store_batch *batch;

	if (store_open_wait(&config, SCHEDD_SPAN_NONE, &bench->store, &bench->err) < 0)
		bench_die("open", &bench->err);
	batch = store_batch_new(bench->store);
	for (int i = 0; i < JOBS; i++)
		bench_put_job(bench, batch, i);
	bench_commit(bench, batch);
}

static void bench_run(struct run *run, char *id, uint32_t number)
{
	run_init(run);
	run->job = id;
	run->number = number;
	run->state = RUN_RUNNING;
	run->scheduled_at = 1800000000000000 + (schedd_time)number * 60000000;
	run->started_at = run->scheduled_at + 1200;
}

/* The steps of a run's life. */
enum bench_step { BENCH_CLAIM, BENCH_PROCESS, BENCH_END };

static void bench_write(
    struct bench *bench, struct store_batch *batch, int number, enum bench_step step)
{
	struct job_state state;
	struct run run;
	char id[32];

	snprintf(id, sizeof(id), "job-%06d", number);
	bench_run(&run, id, bench->number + 1);
	if (step == BENCH_CLAIM) {
		job_state_init(&state);
		state.next_fire = state.next_run_time = run.scheduled_at + 60000000;
		state.run_count = state.last_run = bench->number + 1;
		store_batch_claim(batch, id, bench->number, &state, NULL);
	} else {
		run.pid = 100000 + number;
		run.pid_start = 123456789 + (uint64_t)number;
	}
	if (step == BENCH_END) {
		run.state = RUN_SUCCESS;
		run.ended_at = run.started_at + 1500;
		run.exit_code = 0;
		run.cpu_us = 900;
		run.max_rss = 1900544;
	}
	store_batch_put_run(batch, &run);
}

/* Runs of the jobs from first on, in one commit for each step of their lives. */
static void bench_lives(struct bench *bench, int first, int count, bool lasting)
{
	for (enum bench_step step = BENCH_CLAIM; step <= BENCH_END; step++) {
		struct store_batch *batch;

		if (step == BENCH_PROCESS && !lasting)
			continue;
		batch = store_batch_new(bench->store);
		for (int i = first; i < first + count; i++)
			bench_write(bench, batch, i, step);
		bench_commit(bench, batch);
	}
}

/* Microseconds of CPU for each run. */
static double bench_round(struct bench *bench, int group, bool lasting)
{
	int64_t begin = bench_others();
	int turns = group >= 100 ? 4 : 1;

	for (int turn = 0; turn < turns; turn++) {
		for (int i = 0; i < JOBS; i += group)
			bench_lives(bench, i, group, lasting);
		bench->number++;
	}
	return (double)(bench_others() - begin) / 1e3 / JOBS / turns;
}

static int bench_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void bench_group(struct bench *bench, int group, bool lasting)
{
	double us[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		us[i] = bench_round(bench, group, lasting);
	qsort(us, ROUNDS, sizeof(us[0]), bench_compare);
	printf("{\"bench\":\"store_sqlite_run\",\"runs_a_commit\":%d,\"lasting\":%s,\"cpu_us\":%.1f,"
	       "\"cpu_us_min\":%.1f%s}\n",
	    group, lasting ? "true" : "false", us[ROUNDS / 2], us[0],
	    group == JOBS && !lasting ? ",\"goal\":10" : "");
}

static void bench_remove(const struct bench *bench)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[300];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", bench->path, suffixes[i]);
		unlink(name);
	}
	rmdir(bench->directory);
}

int main(int argc, char **argv)
{
	static const int groups[] = {JOBS, 100, 10, 1};
	struct bench bench = {0};

	snprintf(bench.directory, sizeof(bench.directory), "%s/bench-commits-XXXXXX",
	    argc > 1 ? argv[1] : "/tmp");
	if (!mkdtemp(bench.directory)) {
		perror(bench.directory);
		return 1;
	}
	snprintf(bench.path, sizeof(bench.path), "%s/jobs.db", bench.directory);
	bench.mailbox = mailbox_new(NULL, &bench.err);
	bench.trigger.zones = zone_cache_new(NULL);
	bench.trigger.zone = zone_utc();
	bench_open(&bench);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (argc > 2 && atoi(argv[2]) != groups[i])
			continue;
		bench_group(&bench, groups[i], false);
		bench_group(&bench, groups[i], true);
	}
	store_close(bench.store);
	bench_remove(&bench);
	mailbox_free(bench.mailbox);
	zone_cache_free(bench.trigger.zones);
	return 0;
}
