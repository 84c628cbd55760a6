/* SPDX-License-Identifier: MIT */
/* What a client library alone makes of the writes of a store, on the same server. */
#ifndef TESTS_BENCH_BARE_H
#define TESTS_BENCH_BARE_H

#include <stdint.h>

struct bare {
	const char *type;
	/* Connects, with tables or keys of its own, which are empty. */
	void (*open)(void);
	/* A job each, so many at most on their way, each durable by itself. */
	void (*adds)(int from, int count, int in_flight);
	/* Of jobs that are there: their state and a run each, as one. */
	void (*claims)(int from, int count, int number);
	/* Reads all definitions and states; how many. */
	int (*load)(void);
	void (*close)(void);
	/* The same claims under a guard, in one statement; NULL: there is nothing faster than claims. */
	void (*gather)(int from, int count, int number);
	/* One row that is there, durable. */
	void (*raw)(int number);
};

extern const struct bare bare_redis, bare_postgresql;

/* As the store writes them. */
#define BARE_DEFINITION                                                                            \
	"{\"id\":\"job-%06d\",\"name\":\"job number %d\",\"command\":[\"/bin/true\"],\"trigger\":" \
	"{\"every\":%d,\"start\":\"2026-01-01T00:00:00Z\"},\"created_at\":1767225600000000}"
#define BARE_RUN                                                                                   \
	"{\"state\":\"running\",\"trigger\":\"schedule\",\"scheduled_at\":1800000000000000,"       \
	"\"started_at\":1800000000000100}"

#endif
