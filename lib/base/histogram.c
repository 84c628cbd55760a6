/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

static const schedd_span histogram_bounds[HISTOGRAM_BUCKETS] = {1000, 5000, 10000, 25000, 50000,
    100000, 250000, 500000, SCHEDD_SECOND, 5 * SCHEDD_SECOND, 15 * SCHEDD_SECOND,
    60 * SCHEDD_SECOND, 300 * SCHEDD_SECOND, 1800 * SCHEDD_SECOND, 7200 * SCHEDD_SECOND,
    SCHEDD_DAY};

schedd_span histogram_bound(int bucket)
{
	return histogram_bounds[bucket];
}

void histogram_add(struct histogram *histogram, schedd_span span)
{
	int bucket = 0;

	if (span < 0)
		span = 0;
	while (bucket < HISTOGRAM_BUCKETS && span > histogram_bounds[bucket])
		bucket++;
	histogram->counts[bucket]++;
	histogram->count++;
	histogram->sum += span;
}

struct value histogram_value(const struct histogram *histogram, struct arena *arena)
{
	struct value map = value_map(), buckets = value_array();
	uint64_t below = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		struct value pair = value_array();

		below += histogram->counts[i];
		value_append(
		    arena, &pair, value_real((double)histogram_bounds[i] / (double)SCHEDD_SECOND));
		value_append(arena, &pair, value_int((int64_t)below));
		value_append(arena, &buckets, pair);
	}
	value_put(arena, &map, "count", value_int((int64_t)histogram->count));
	value_put(
	    arena, &map, "sum", value_real((double)histogram->sum / (double)SCHEDD_SECOND));
	value_put(arena, &map, "buckets", buckets);
	return map;
}
