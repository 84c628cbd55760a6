/* SPDX-License-Identifier: MIT */
/* A store on a server that is measured, beside its client library alone, the two in turns. */
#ifndef TESTS_BENCH_SERVER_BENCH_H
#define TESTS_BENCH_SERVER_BENCH_H

#include "bench/bare.h"
#include "model/job_fields.h"
#include "store/store.h"

#define BENCH_ROUNDS 5

struct bench {
	const struct bare *bare;
	struct store_config config;
	struct store *store;
	struct trigger_context trigger;
	struct mailbox *mailbox;
	struct schedd_error err;
	char directory[64];
	int jobs;  /* added so far */
	int runs;  /* of each of those that are claimed */
	int answered;
	int64_t found;
	bool loaded;
};

int64_t bench_now(void);
void bench_die(const char *what, const struct schedd_error *err) __attribute__((noreturn));
double bench_median(double *values, int count);

/* Times of ours and theirs, in turns, and how they compare. */
struct pair {
	double own[BENCH_ROUNDS], bare[BENCH_ROUNDS], ratio[BENCH_ROUNDS], cpu[BENCH_ROUNDS];
	int64_t begin, begin_cpu, took, took_cpu; /* of what is measured, and of ours */
	int count;
};

void pair_begin(struct pair *pair);
/* Of ours, which knows by itself how long it took. */
void pair_own(struct pair *pair, int64_t took);
void pair_bare(struct pair *pair);
/* A rate where there is a count, else a time. */
void pair_tell(struct pair *pair, const struct bench *bench, const char *name, int count, double goal);

/* Options of the store; NULL: none. */
void bench_init(struct bench *bench, const struct store_option *options);
void bench_open(struct bench *bench);
void bench_end(struct bench *bench);
struct job_record bench_job(struct bench *bench, int number);
void bench_drop(struct job_record *record);
/* Counts an answer; a failure is the end. */
void bench_done(int rc, const struct schedd_error *err, void *context);
void bench_await(struct bench *bench, int answered);
/* So many batches of so many jobs each; how long the last of them took. */
int64_t bench_adds(struct bench *bench, int count, int in_flight, int each);

#endif
