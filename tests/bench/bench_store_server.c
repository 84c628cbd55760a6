/* SPDX-License-Identifier: MIT */
/*
 * What a store on a server costs, beside what its client library alone needs
 * for the same writes on the same server, the two taken in turns:
 *
 *   sh tests/support/with_server.sh redis build/bench/tests/bench/bench_store_server
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/server_bench.h"

#define SERIAL 200
#define PIPELINED 4000
#define PIPELINED_ALONE 1000 /* where nothing is measured beside it */
#define IN_FLIGHT 64
#define DUE 1000
#define START 10000
#define LOADED 100000
#define LOADS 3

/* Batches of so many claims with a run each, all handed over at once. */
static int64_t bench_claims(struct bench *bench, int from, int batches, int each)
{
	enum store_verdict *verdicts = calloc((size_t)batches * (size_t)each, sizeof(verdicts[0]));
	int64_t begin = bench_now();
	struct job_state state;
	struct run run;
	char id[16];

	job_state_init(&state);
	state.last_run = (uint32_t)bench->runs + 1;
	state.run_count = state.last_run;
	state.next_fire = state.next_run_time = 1800000000 * SCHEDD_SECOND;
	run_init(&run);
	run.job = id;
	run.number = state.last_run;
	run.state = RUN_RUNNING;
	run.scheduled_at = 1800000000 * SCHEDD_SECOND;
	run.started_at = run.scheduled_at + 100;
	bench->answered = 0;
	for (int b = 0; b < batches; b++) {
		struct store_batch *batch = store_batch_new(bench->store);

		for (int i = 0; i < each; i++) {
			snprintf(id, sizeof(id), "job-%06d", from + b * each + i);
			store_batch_claim(batch, id, (uint32_t)bench->runs, &state,
			    &verdicts[b * each + i]);
			store_batch_put_run(batch, &run);
		}
		store_commit(bench->store, batch, bench_done, bench);
	}
	bench_await(bench, batches);
	begin = bench_now() - begin;
	for (int i = 0; i < batches * each; i++)
		if (verdicts[i] != STORE_CLAIM_DONE)
			bench_die("a claim was lost", &bench->err);
	free(verdicts);
	return begin;
}

static int bench_keep(struct job_record *record, void *context)
{
	((struct bench *)context)->found++;
	bench_drop(record);
	return 0;
}

static void bench_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	struct bench *bench = context;

	if (rc < 0)
		bench_die("load", err);
	store_snapshot_free(snapshot);
	bench->loaded = true;
}

static int64_t bench_load(struct bench *bench)
{
	int64_t begin = bench_now();

	bench->found = 0;
	bench->loaded = false;
	store_load(bench->store, bench_keep, bench_loaded, bench);
	while (!bench->loaded)
		mailbox_wait_for(bench->mailbox, SCHEDD_SECOND);
	begin = bench_now() - begin;
	if (bench->found != bench->jobs)
		bench_die("jobs are missing", &bench->err);
	return begin;
}

/* ---- Figures ---- */

static void figure_adds(
    struct bench *bench, const char *name, int count, int in_flight, double goal)
{
	struct pair pair = {.count = 0};
	int bare = bench->jobs;

	for (int i = 0; i < BENCH_ROUNDS; i++, bare += count) {
		pair_begin(&pair);
		pair_own(&pair, bench_adds(bench, count, in_flight, 1));
		if (bench->bare->adds)
			bench->bare->adds(bare, count, in_flight);
		pair_bare(&pair);
	}
	pair_tell(&pair, bench, name, count, goal);
}

static void bench_bare_claims(const struct bench *bench, int batches, int number)
{
	for (int b = 0; b < batches && bench->bare->claims; b++)
		bench->bare->claims(b * DUE, DUE, number);
}

static void figure_claims(struct bench *bench)
{
	struct pair one = {.count = 0}, all = {.count = 0};
	int there = bench->jobs;

	while (bench->jobs < START)
		bench_adds(bench, 1, 1, DUE);
	if (there < bench->jobs && bench->bare->adds)
		bench->bare->adds(there, bench->jobs - there, 1000);
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		pair_begin(&one);
		pair_own(&one, bench_claims(bench, 0, 1, DUE));
		bench_bare_claims(bench, 1, 2 * i + 1);
		pair_bare(&one);
		/* The rest of them catches up, unmeasured. */
		bench_claims(bench, DUE, (START - DUE) / DUE, DUE);
		for (int b = 1; b < START / DUE && bench->bare->claims; b++)
			bench->bare->claims(b * DUE, DUE, 2 * i + 1);
		bench->runs++;
		pair_begin(&all);
		pair_own(&all, bench_claims(bench, 0, START / DUE, DUE));
		bench->runs++;
		bench_bare_claims(bench, START / DUE, 2 * i + 2);
		pair_bare(&all);
	}
	pair_tell(&one, bench, "claims_1000", 0, 1.5);
	pair_tell(&all, bench, "due_10000", 0, 2);
}

/* The same jobs in a file: what the rest of a load costs. */
static double figure_sqlite(struct bench *bench)
{
	struct bench file = *bench;
	double times[LOADS];
	char path[128];

	snprintf(path, sizeof(path), "%s/jobs.db", bench->directory);
	file.config.type = "sqlite";
	file.config.path = path;
	file.config.url = NULL;
	file.config.options = NULL;
	file.jobs = 0;
	bench_open(&file);
	bench_adds(&file, bench->jobs / DUE, 8, DUE);
	for (int i = 0; i < LOADS; i++)
		times[i] = (double)bench_load(&file) / 1e6;
	store_close(file.store);
	return bench_median(times, LOADS);
}

static void figure_load_beside(struct bench *bench)
{
	struct pair pair = {.count = 0};
	int missing = LOADED - bench->jobs, bare = bench->jobs;
	double sqlite, own, read;

	bench_adds(bench, missing / DUE, 8, DUE);
	if (bench->jobs < LOADED)
		bench_adds(bench, 1, 1, LOADED - bench->jobs);
	bench->bare->adds(bare, LOADED - bare, 1000);
	for (int i = 0; i < LOADS; i++) {
		pair_begin(&pair);
		pair_own(&pair, bench_load(bench));
		if (bench->bare->load() != LOADED)
			bench_die("jobs are missing", &bench->err);
		pair_bare(&pair);
	}
	sqlite = figure_sqlite(bench);
	own = bench_median(pair.own, pair.count);
	read = bench_median(pair.bare, pair.count);
	printf("{\"bench\":\"store_%s_load_100000\",\"ms\":%.1f,\"bare_ms\":%.1f,\"sqlite_ms\":%.1f,"
	       "\"of_greater\":%.2f,\"goal_of_greater\":1.5}\n",
	    bench->bare->type, own * 1e3, read * 1e3, sqlite * 1e3,
	    own / (read > sqlite ? read : sqlite));
}

static void figure_load(struct bench *bench)
{
	if (bench->bare->load)
		figure_load_beside(bench);
}

static void figure_serial(struct bench *bench)
{
	figure_adds(bench, "adds_serial", SERIAL, 1, 0.6);
}

static void figure_pipelined(struct bench *bench)
{
	figure_adds(bench, "adds_64", bench->bare->adds ? PIPELINED : PIPELINED_ALONE, IN_FLIGHT, 0.4);
}

static const struct {
	const char *name;
	void (*measure)(struct bench *bench);
} figures[] = {{"adds_serial", figure_serial},
    {"adds_64", figure_pipelined},
    {"load", figure_load}, /* before there are runs, of which the bare read knows nothing */
    {"claims", figure_claims}};

/* With names of figures those alone. */
int main(int argc, char **argv)
{
	static struct bench bench;
	static const struct store_option options[] = {{"run_as", "root"}, {NULL, NULL}};

	bench_init(&bench, geteuid() == 0 ? options : NULL);
	bench_open(&bench);
	if (bench.bare->open)
		bench.bare->open();
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		bool wanted = argc == 1;

		for (int a = 1; a < argc; a++)
			wanted = wanted || strcmp(argv[a], figures[i].name) == 0;
		if (wanted)
			figures[i].measure(&bench);
	}
	bench_end(&bench);
	return 0;
}
