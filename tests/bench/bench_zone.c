/* SPDX-License-Identifier: MIT */
/* What zones and time phrases cost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "base/duration.h"
#include "trigger/when.h"

#define INSTANTS 4096 /* a power of two */
#define ROUNDS 4000000

/* What a measured loop works on. */
struct bench {
	struct zone_cache *cache;   /* of the system's database */
	const struct zone *zone;    /* America/New_York */
	int64_t instants[INSTANTS]; /* at random, in the years the figure is about */
	int64_t sum;                /* of results, so that none is optimised away */
};

typedef void (*bench_fn)(struct bench *bench, long round);

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(struct bench *bench, const char *name, long rounds, bench_fn run)
{
	double start;

	run(bench, 0);
	start = now_ns();
	for (long i = 0; i < rounds; i++)
		run(bench, i);
	printf("{\"bench\":\"%s\",\"ns\":%.1f}\n", name, (now_ns() - start) / (double)rounds);
}

/* Instants from a year on, for some years. */
static void fill(struct bench *bench, int year, int years)
{
	unsigned seed = 1;
	int64_t first = (int64_t)civil_days(year, 1, 1) * 86400;

	for (size_t i = 0; i < INSTANTS; i++)
		bench->instants[i] = first + rand_r(&seed) % (years * INT64_C(31556952));
}

static void run_span(struct bench *bench, long round)
{
	struct zone_span span;

	zone_span_at(bench->zone, bench->instants[round % INSTANTS], &span);
	bench->sum += span.end;
}

static void run_wall(struct bench *bench, long round)
{
	struct zone_wall wall;

	zone_wall(bench->zone, bench->instants[round % INSTANTS], &wall);
	bench->sum += wall.first;
}

static void run_civil(struct bench *bench, long round)
{
	struct civil civil;

	civil_from_seconds(bench->instants[round % INSTANTS], &civil);
	bench->sum += civil_seconds(&civil);
}

static void run_get(struct bench *bench, long round)
{
	const struct zone *zone;

	if (zone_cache_get(bench->cache, "Europe/Berlin", &zone, NULL) == 0)
		bench->sum += round;
}

static void run_load(struct bench *bench, long round)
{
	struct zone_cache *cache = zone_cache_new(NULL);
	const struct zone *zone;

	if (cache && zone_cache_get(cache, "Europe/Berlin", &zone, NULL) == 0)
		bench->sum += round;
	zone_cache_free(cache);
}

static void run_duration(struct bench *bench, long round)
{
	schedd_span span;

	if (duration_parse("1h30m", &span, NULL) == 0)
		bench->sum += span + round;
}

static void run_when(struct bench *bench, long round)
{
	struct when_context context = {.zones = bench->cache, .zone = bench->zone};
	schedd_time when;

	if (when_parse("2026-12-01 09:30", &context, &when, NULL) == 0)
		bench->sum += when + round;
}

int main(void)
{
	static struct bench bench;

	bench.cache = zone_cache_new(NULL);
	if (!bench.cache || zone_cache_get(bench.cache, "America/New_York", &bench.zone, NULL) < 0)
		return 1;
	fill(&bench, 2020, 10);
	measure(&bench, "civil_there_and_back", ROUNDS, run_civil);
	measure(&bench, "zone_span_table", ROUNDS, run_span);
	measure(&bench, "zone_wall_table", ROUNDS, run_wall);
	fill(&bench, 2050, 100);
	measure(&bench, "zone_span_rule", ROUNDS, run_span);
	measure(&bench, "zone_wall_rule", ROUNDS, run_wall);
	measure(&bench, "zone_get", ROUNDS / 10, run_get);
	measure(&bench, "zone_load", 2000, run_load);
	measure(&bench, "duration_parse", ROUNDS / 10, run_duration);
	measure(&bench, "when_parse", ROUNDS / 10, run_when);
	zone_cache_free(bench.cache);
	return bench.sum == 42;
}
