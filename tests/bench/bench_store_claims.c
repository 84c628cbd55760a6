/* SPDX-License-Identifier: MIT */
/*
 * What claims cost on a store on a server, each handed over as it comes, beside
 * what the client library alone makes of them: one statement for 64 of them,
 * and a commit of one row. On a store that is shared and on one that is not.
 *
 *   sh tests/support/with_server.sh postgresql build/bench/tests/bench/bench_store_claims
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench/server_bench.h"

#define JOBS 16384
#define GATHERED 64
#define CLAIMS 8192 /* of one measurement */
#define ALONE 256

/* One claim with its run, as a job of its own that is due. */
static void claims_send(struct bench *bench, int number, int run_number, enum store_verdict *verdict)
{
	struct store_batch *batch = store_batch_new(bench->store);
	struct job_state state;
	struct run run;
	char id[16];

	snprintf(id, sizeof(id), "job-%06d", number);
	job_state_init(&state);
	state.last_run = (uint32_t)run_number;
	state.run_count = state.last_run;
	state.revision = 1;
	state.next_fire = state.next_run_time = 1800000000 * SCHEDD_SECOND;
	run_init(&run);
	run.job = id;
	run.number = state.last_run;
	run.state = RUN_RUNNING;
	run.scheduled_at = 1800000000 * SCHEDD_SECOND;
	run.started_at = run.scheduled_at + 100;
	store_batch_claim(batch, id, (uint32_t)run_number - 1, &state, verdict);
	store_batch_put_run(batch, &run);
	store_commit(bench->store, batch, bench_done, bench);
}

/* So many at a time on their way. */
static int64_t claims_come(struct bench *bench, int from, int count, int in_flight, int run_number)
{
	enum store_verdict *verdicts = calloc((size_t)count, sizeof(verdicts[0]));
	int64_t begin = bench_now();
	int sent = 0;

	bench->answered = 0;
	while (bench->answered < count) {
		while (sent < count && sent - bench->answered < in_flight) {
			claims_send(bench, from + sent, run_number, &verdicts[sent]);
			sent++;
		}
		bench_await(bench, bench->answered + 1);
	}
	begin = bench_now() - begin;
	for (int i = 0; i < count; i++)
		if (verdicts[i] != STORE_CLAIM_DONE)
			bench_die("a claim was lost", &bench->err);
	free(verdicts);
	return begin;
}

static void figure_gathered(struct bench *bench, const char *name, int in_flight)
{
	void (*bare)(int, int, int) = bench->bare->gather ? bench->bare->gather : bench->bare->claims;
	struct pair pair = {.count = 0};

	for (int i = 0; i < BENCH_ROUNDS; i++) {
		bench->runs++;
		pair_begin(&pair);
		pair_own(&pair, claims_come(bench, 0, CLAIMS, in_flight, bench->runs));
		for (int b = 0; bare && b < CLAIMS; b += GATHERED)
			bare(b, GATHERED, bench->runs);
		pair_bare(&pair);
	}
	pair_tell(&pair, bench, name, CLAIMS, 0.6);
}

static void figure_single(struct bench *bench, const char *name)
{
	struct pair pair = {.count = 0};

	for (int i = 0; i < BENCH_ROUNDS; i++) {
		pair_begin(&pair);
		pair_own(&pair, claims_come(bench, CLAIMS, ALONE, 1, i + 1));
		for (int k = 0; bench->bare->raw && k < ALONE; k++)
			bench->bare->raw(k);
		pair_bare(&pair);
	}
	pair_tell(&pair, bench, name, ALONE, 0.8);
}

static int claims_keep(struct job_record *record, void *context)
{
	(void)context;
	bench_drop(record);
	return 0;
}

static void claims_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	bench_done(rc, err, context);
	store_snapshot_free(snapshot);
}

static void claims_measure(const struct store_option *options, bool shared)
{
	static struct bench empty;
	struct bench bench = empty;

	bench_init(&bench, options);
	bench_open(&bench);
	/* Of a shared one all is read before anything is written. */
	store_load(bench.store, claims_keep, claims_loaded, &bench);
	bench_await(&bench, 1);
	if (bench.bare->open)
		bench.bare->open();
	bench_adds(&bench, JOBS / 1024, 4, 1024);
	if (bench.bare->adds)
		bench.bare->adds(0, JOBS, 1000);
	figure_gathered(&bench, shared ? "shared_claims_64" : "claims_64", GATHERED);
	figure_gathered(&bench, shared ? "shared_claims_512" : "claims_512", 512);
	figure_single(&bench, shared ? "shared_claim_alone" : "claim_alone");
	bench_end(&bench);
}

int main(void)
{
	static const struct store_option alone[] = {{"run_as", "root"}, {NULL, NULL}};
	static const struct store_option shared[] = {
	    {"shared", "true"}, {"node", "one"}, {"lease", "1m"}, {"run_as", "root"}, {NULL, NULL}};
	const struct store_option *last = geteuid() == 0 ? NULL : &shared[3];
	struct store_option options[5];

	for (int i = 0; i < 5; i++)
		options[i] = last && i == 3 ? (struct store_option){NULL, NULL} : shared[i];
	claims_measure(options, true);
	claims_measure(geteuid() == 0 ? alone : NULL, false);
	return 0;
}
