/* SPDX-License-Identifier: MIT */
/*
 * ns of CPU time per cron_next() and cron_parse(), one JSON line for each expression.
 * The search starts each time just after the fire time before, as the scheduler
 * does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "trigger/cron.h"

#define START (INT64_C(1767225600) * SCHEDD_SECOND) /* 2026-01-01 */
#define END (INT64_C(2082758400) * SCHEDD_SECOND)   /* 2036-01-01, then from the start */
#define ROUNDS 7                                    /* the median of these is told */
#define NEXTS 200000
#define PARSES 100000

static const struct {
	const char *name;
	const char *expr;
	const char *zone;
} rows[] = {
    {"every minute", "* * * * *", "UTC"},
    {"weekdays at 9", "0 9 * * 1-5", "UTC"},
    {"29 February", "0 0 29 2 *", "UTC"},
    {"02:30 Berlin", "30 2 * * *", "Europe/Berlin"},
    {"last Friday", "15 10 * * 5L", "UTC"},
    {"every 10 s", "*/10 * * * * *", "UTC"},
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), by_size);
	return values[ROUNDS / 2];
}

static double time_next(const struct cron *cron, const struct zone *zone)
{
	double values[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		schedd_time at = START;
		double begin = now();

		for (int i = 0; i < NEXTS; i++) {
			at = cron_next(cron, zone, at) + 1;
			if (at < START || at > END)
				at = START;
		}
		values[round] = (now() - begin) / NEXTS;
	}
	return median(values);
}

static double time_parse(const char *expr)
{
	double values[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double begin = now();

		for (int i = 0; i < PARSES; i++) {
			struct cron *cron;

			if (cron_parse(CRON_CRONTAB, expr, NULL, &cron, NULL, NULL) != 0)
				exit(1);
			cron_free(cron);
		}
		values[round] = (now() - begin) / PARSES;
	}
	return median(values);
}

int main(void)
{
	struct zone_cache *zones = zone_cache_new(NULL);

	for (size_t i = 0; zones && i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct schedd_error err = {0};
		const struct zone *zone;
		struct cron *cron;

		if (zone_cache_get(zones, rows[i].zone, &zone, &err) != 0 ||
		    cron_parse(CRON_CRONTAB, rows[i].expr, NULL, &cron, NULL, &err) != 0) {
			fprintf(stderr, "%s\n", err.message);
			return 1;
		}
		printf("{\"bench\":\"next\",\"peer\":\"schedd\",\"name\":\"%s\",\"expr\":\"%s\","
		       "\"next_ns\":%.1f,\"parse_ns\":%.1f}\n",
		    rows[i].name, rows[i].expr, time_next(cron, zone), time_parse(rows[i].expr));
		cron_free(cron);
	}
	zone_cache_free(zones);
	return 0;
}
