/* SPDX-License-Identifier: MIT */
/* How long things took, in buckets of fixed bounds: cheap to add to, and to be summed over time. */
#ifndef SCHEDD_BASE_HISTOGRAM_H
#define SCHEDD_BASE_HISTOGRAM_H

#include <stdint.h>
#include <schedd/clock.h>
#include "base/value.h"

#define HISTOGRAM_BUCKETS 16 /* and one beyond all bounds */

struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS + 1];
	uint64_t count;
	int64_t sum; /* µs */
};

/* Negative spans count as none. */
void histogram_add(struct histogram *histogram, schedd_span span);
/* The upper bound of a bucket, in µs: 1 ms, 5 ms, 10 ms, 25 ms, … 1 day. */
schedd_span histogram_bound(int bucket);
/* {"count", "sum", "buckets": [[bound, count up to it], …]}; bounds and sum in seconds. */
struct value histogram_value(const struct histogram *histogram, struct arena *arena);

#endif
