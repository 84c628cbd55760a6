/* SPDX-License-Identifier: MIT */
/*
 * What triggers cost at a restart and in between: reading the canonical forms
 * of many jobs with and without sharing, what each takes of the heap, and
 * asking combinations.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "trigger/trigger.h"
#include "trigger/trigger_cache.h"

#define BENCH_JOBS 10000

/* One kind of job. */
struct bench {
	const char *name;
	const char *before; /* its JSON up to a number of two digits below 60 */
	const char *after;  /* and after it */
	bool cache;         /* with sharing */
};

static double seconds(void)
{
	struct schedd_mono now = schedd_clock_system()->mono(NULL);

	return (double)now.us / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_trigger: %s\n", what);
	exit(1);
}

/* The values of all jobs, as a store would hand them over. */
static struct value *bench_values(const struct bench *bench, struct arena *arena)
{
	struct value *values = calloc(BENCH_JOBS, sizeof(*values));
	struct schedd_error err;
	char text[512];

	if (!values)
		die("out of memory");
	for (int i = 0; i < BENCH_JOBS; i++) {
		snprintf(text, sizeof(text), "%s%02d%s", bench->before, i % 60, bench->after);
		if (json_parse(text, strlen(text), arena, &values[i], &err))
			die(err.message);
	}
	return values;
}

static void bench_read(const struct bench *bench, struct trigger_context *context)
{
	struct schedd_trigger **triggers = calloc(BENCH_JOBS, sizeof(*triggers));
	struct schedd_error err;
	struct arena arena;
	struct value *values;
	double begin, end;
	size_t heap;

	arena_init(&arena);
	values = bench_values(bench, &arena);
	context->cache = bench->cache ? trigger_cache_new() : NULL;
	if (!triggers || trigger_from_value(&values[0], context, &triggers[0], &err))
		die("cannot read");
	heap = mallinfo2().uordblks;
	begin = seconds();
	for (int i = 1; i < BENCH_JOBS; i++)
		if (trigger_from_value(&values[i], context, &triggers[i], &err))
			die(err.message);
	end = seconds();
	printf("{\"bench\":\"trigger_read_%s\",\"ns\":%.0f,\"bytes\":%.0f}\n", bench->name,
	    (end - begin) * 1e9 / (BENCH_JOBS - 1),
	    (double)(mallinfo2().uordblks - heap) / (BENCH_JOBS - 1));
	for (int i = 0; i < BENCH_JOBS; i++)
		trigger_unref(triggers[i]);
	trigger_cache_free(context->cache);
	context->cache = NULL;
	arena_clear(&arena);
	free(triggers);
	free(values);
}

static void bench_next(
    const char *name, const char *text, int turns, const struct trigger_context *context)
{
	struct schedd_trigger *trigger;
	struct schedd_error err;
	schedd_time at = context->now;
	double begin;

	if (trigger_from_text(text, context, &trigger, &err))
		die(err.message);
	begin = seconds();
	for (int i = 0; i < turns; i++) {
		at = trigger_next(trigger, at) + 1;
		if (at < context->now)
			at = context->now;
	}
	printf("{\"bench\":\"trigger_next_%s\",\"ns\":%.0f}\n", name,
	    (seconds() - begin) * 1e9 / turns);
	trigger_unref(trigger);
}

int main(void)
{
	static const struct bench reads[] = {
	    {"interval", "{\"type\":\"interval\",\"seconds\":900,\"start\":\"2026-01-01T00:00:",
		"+01:00\","
		"\"timezone\":\"Europe/Berlin\"}",
		true},
	    {"date", "{\"type\":\"date\",\"run_at\":\"2026-01-01T00:00:",
		"+01:00\","
		"\"timezone\":\"Europe/Berlin\"}",
		true},
	    {"cron_alone", "{\"type\":\"cron\",\"expr\":\"",
		" 2 * * *\",\"timezone\":\"Europe/Berlin\"}", false},
	    {"cron_shared", "{\"type\":\"cron\",\"expr\":\"",
		" 2 * * *\",\"timezone\":\"Europe/Berlin\"}", true},
	    {"cron_other_zone", "{\"type\":\"cron\",\"expr\":\"",
		" 2 * * *\",\"timezone\":\"Asia/Tokyo\"}", true},
	    {"fields_shared", "{\"type\":\"cron\",\"fields\":{\"hour\":\"5\",\"minute\":\"",
		"\"},\"timezone\":\"Europe/Berlin\"}", true},
	};
	struct trigger_context context = {.now = (schedd_time)1767225600 * SCHEDD_SECOND};
	struct schedd_error err;

	context.zones = zone_cache_new(NULL);
	if (!context.zones || zone_cache_get(context.zones, "Europe/Berlin", &context.zone, &err))
		die("no time zones");
	for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		bench_read(&reads[i], &context);
	bench_next("interval", "every 15m", 10000000, &context);
	bench_next("cron", "cron '30 2 * * *'", 3000000, &context);
	bench_next("calendar", "calendar 'months=1 time=08:00'", 90000, &context);
	bench_next("or", "any (cron '30 2 * * *', every 7m, cron '@hourly')", 1000000, &context);
	bench_next("and", "all (cron '0 * * * *', cron '0 0 * * mon')", 100000, &context);
	bench_next("and_never", "all (cron '0 17 * * *', cron '0 14 * * *')", 10, &context);
	zone_cache_free(context.zones);
	return 0;
}
