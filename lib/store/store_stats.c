/* SPDX-License-Identifier: MIT */
/* Percentiles are exact (nearest rank): durations and delays are kept, sorted when asked. */
#include "store/store_stats.h"

#include <stdlib.h>
#include <string.h>
#include "base/duration.h"

#define STATS_STATES (RUN_LOST + 1)

/* A growing list of spans. */
struct stats_series {
	schedd_span *items;
	uint32_t count;
	uint32_t capacity;
};

/* What is known of one job. */
struct stats_job {
	uint64_t states[STATS_STATES]; /* fire times by outcome */
	struct stats_series durations; /* ended - started */
	struct stats_series delays;    /* started - scheduled */
	char id[];
};

static const char *stats_key(const void *item)
{
	return ((const struct stats_job *)item)->id;
}

void store_stats_init(struct store_stats *stats)
{
	strmap_init(&stats->jobs, stats_key);
	stats->failed = false;
}

void store_stats_clear(struct store_stats *stats)
{
	struct stats_job *job;
	uint32_t position = 0;

	while ((job = strmap_next(&stats->jobs, &position)) != NULL) {
		free(job->durations.items);
		free(job->delays.items);
		free(job);
	}
	strmap_clear(&stats->jobs);
}

static bool series_add(struct stats_series *series, schedd_span span)
{
	if (series->count == series->capacity) {
		uint32_t capacity = series->capacity ? series->capacity * 2 : 16;
		schedd_span *items = realloc(series->items, capacity * sizeof(*items));

		if (!items)
			return false;
		series->items = items;
		series->capacity = capacity;
	}
	series->items[series->count++] = span < 0 ? 0 : span;
	return true;
}

static struct stats_job *stats_job(struct store_stats *stats, const char *id)
{
	struct stats_job *job = strmap_get(&stats->jobs, id);
	size_t length;

	if (job)
		return job;
	length = strlen(id);
	job = calloc(1, sizeof(*job) + length + 1);
	if (!job)
		return NULL;
	memcpy(job->id, id, length);
	if (strmap_put(&stats->jobs, job) < 0) {
		free(job);
		return NULL;
	}
	return job;
}

void store_stats_add(struct store_stats *stats, const struct run *run)
{
	struct stats_job *job = stats_job(stats, run->job);

	if (!job) {
		stats->failed = true;
		return;
	}
	job->states[run->state] += run->count;
	if (run->started_at == SCHEDD_TIME_NONE)
		return;
	if (!series_add(&job->delays, run->started_at - run->scheduled_at))
		stats->failed = true;
	if (run->ended_at != SCHEDD_TIME_NONE &&
	    !series_add(&job->durations, run->ended_at - run->started_at))
		stats->failed = true;
}

static int stats_compare_span(const void *a, const void *b)
{
	const schedd_span *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int stats_compare_job(const void *a, const void *b)
{
	const struct stats_job *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

/* The smallest that at least percent of a sorted series do not exceed; nil for an empty one. */
static struct value series_percentile(const struct stats_series *series, unsigned percent)
{
	uint64_t rank = ((uint64_t)series->count * percent + 99) / 100;

	return series->count ? duration_to_value(series->items[rank - 1]) : value_nil();
}

static void series_sort(struct stats_series *series)
{
	if (series->count)
		qsort(series->items, series->count, sizeof(series->items[0]), stats_compare_span);
}

static struct value stats_describe(struct stats_job *job, struct arena *arena)
{
	struct value map = value_map(), states = value_map();
	uint64_t runs = 0, skips = 0, failures = 0;

	for (enum run_state state = 0; state < STATS_STATES; state++) {
		if (state >= RUN_CANCELLED && state <= RUN_SKIPPED)
			skips += job->states[state];
		else
			runs += job->states[state];
		if ((state > RUN_SUCCESS && state <= RUN_KILLED) || state == RUN_LOST)
			failures += job->states[state];
		if (job->states[state])
			value_put(arena, &states, run_state_name(state),
			    value_int((int64_t)job->states[state]));
	}
	series_sort(&job->durations);
	series_sort(&job->delays);
	value_put(arena, &map, "job", value_string(arena, job->id));
	value_put(arena, &map, "runs", value_int((int64_t)runs));
	value_put(arena, &map, "skips", value_int((int64_t)skips));
	value_put(arena, &map, "failures", value_int((int64_t)failures));
	value_put(arena, &map, "states", states);
	value_put(arena, &map, "duration_p50", series_percentile(&job->durations, 50));
	value_put(arena, &map, "duration_p95", series_percentile(&job->durations, 95));
	value_put(arena, &map, "delay_p50", series_percentile(&job->delays, 50));
	value_put(arena, &map, "delay_p95", series_percentile(&job->delays, 95));
	return map;
}

int store_stats_answer(
    struct store_stats *stats, struct arena *arena, struct value *out, struct schedd_error *err)
{
	struct stats_job **sorted;
	struct stats_job *job;
	uint32_t position = 0, count = 0;

	*out = value_array();
	sorted = arena_alloc(arena, (stats->jobs.count + 1) * sizeof(sorted[0]));
	if (!sorted || stats->failed)
		return schedd_error_nomem(err);
	while ((job = strmap_next(&stats->jobs, &position)) != NULL)
		sorted[count++] = job;
	qsort(sorted, count, sizeof(sorted[0]), stats_compare_job);
	for (uint32_t i = 0; i < count; i++)
		value_append(arena, out, stats_describe(sorted[i], arena));
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}
