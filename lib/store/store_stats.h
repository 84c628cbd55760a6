/* SPDX-License-Identifier: MIT */
/* Counts and percentiles of runs, job by job, from one pass over them in any order. */
#ifndef SCHEDD_STORE_STORE_STATS_H
#define SCHEDD_STORE_STORE_STATS_H

#include "base/strmap.h"
#include "store/store.h"

struct store_stats {
	struct strmap jobs; /* of the file's own tallies */
	bool failed;        /* memory ran out */
};

void store_stats_init(struct store_stats *stats);
void store_stats_clear(struct store_stats *stats);
/* Takes down job, state, times and count of a run. */
void store_stats_add(struct store_stats *stats, const struct run *run);
/* The answer of store_query_stats(). SCHEDD_ENOMEM. */
int store_stats_answer(struct store_stats *stats, struct arena *arena, struct value *out,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
