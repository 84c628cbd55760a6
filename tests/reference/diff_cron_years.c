/* SPDX-License-Identifier: MIT */
/*
 * The dates of cron schedules over decades, in UTC, against a walk over every
 * day. What diff_cron leaves out: leap years, centuries, far weekdays.
 *
 *   diff_cron_years [SEED [CASES]]     also SCHEDD_SEED, SCHEDD_CASES
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "reference/cron_spec.h"

#define DAY INT64_C(86400)
#define YEARS_DAYS 15000 /* about 41 years */
#define CASES_PER_SPELL 200

struct spell {
	struct wall_day days[YEARS_DAYS]; /* one after the other */
};

static void fill(struct spell *spell, int32_t first)
{
	for (int i = 0; i < YEARS_DAYS; i++) {
		time_t when = (time_t)(first + i) * DAY;
		struct tm tm;
		char week[4];

		gmtime_r(&when, &tm);
		strftime(week, sizeof(week), "%V", &tm);
		spell->days[i] = (struct wall_day){first + i, tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_wday, atoi(week), 0};
	}
	/* A month is as long as the number of its last day; the spell ends with a month. */
	for (int i = YEARS_DAYS - 1, length = spell->days[i].day; i >= 0; i--) {
		if (i + 1 < YEARS_DAYS && spell->days[i + 1].day == 1)
			length = spell->days[i].day;
		spell->days[i].length = length;
	}
}

/* A day so many days before the last of a month. */
static int32_t random_start(struct random *random)
{
	time_t when = (time_t)random_in(random, YEARS_DAYS, 2932896 - 31) * DAY;
	struct tm tm;

	gmtime_r(&when, &tm);
	tm.tm_mon++;
	tm.tm_mday = 0;
	return (int32_t)(timegm(&tm) / DAY) - YEARS_DAYS + 1;
}

/* The first time of a day, and how many there are. */
static int64_t times_of(const struct cron_spec *spec, uint64_t *count)
{
	static const int sizes[] = {60, 60, 24}, units[] = {1, 60, 3600};
	int64_t first = 0;

	*count = 1;
	for (int field = SPEC_SECOND; field <= SPEC_HOUR; field++) {
		uint64_t matching = 0;

		for (int value = 0; value < sizes[field]; value++) {
			if (!cron_spec_value_matches(spec, (enum spec_field)field, value))
				continue;
			if (matching++ == 0)
				first += (int64_t)value * units[field];
		}
		*count *= matching;
	}
	return first;
}

static int differ(
    const struct cron_spec *spec, const char *question, int64_t from, int64_t wanted, int64_t got)
{
	fprintf(stderr,
	    "%s: dialect %d '%s' from %" PRId64 ": wanted %" PRId64 ", got %" PRId64
	    " (seconds since 1970, UTC)\n",
	    question, (int)spec->dialect, spec->text, from, wanted, got);
	return 1;
}

static int check(
    struct spell *spell, const struct cron_spec *spec, const struct cron *cron, int start)
{
	uint64_t times, days = 0;
	int64_t first_time = times_of(spec, &times);
	int64_t begin = spell->days[start].number * DAY;
	int64_t end = (spell->days[YEARS_DAYS - 1].number + 1) * DAY;
	int64_t at = begin, last = -1;
	schedd_time got;
	uint64_t counted;

	for (int i = start; i < YEARS_DAYS; i++) {
		int64_t wanted = spell->days[i].number * DAY + first_time;

		if (!cron_spec_day_matches(spec, &spell->days[i]))
			continue;
		got = cron_next(cron, zone_utc(), at * SCHEDD_SECOND);
		if (got != wanted * SCHEDD_SECOND)
			return differ(spec, "next", at, wanted, got / SCHEDD_SECOND);
		got = cron_latest(
		    cron, zone_utc(), begin * SCHEDD_SECOND, wanted * SCHEDD_SECOND - 1);
		if (days > 0 && got / SCHEDD_SECOND / DAY != last)
			return differ(spec, "latest", wanted, last * DAY, got / SCHEDD_SECOND);
		at = (spell->days[i].number + 1) * DAY;
		last = spell->days[i].number;
		days++;
	}
	got = cron_next(cron, zone_utc(), at * SCHEDD_SECOND);
	if (got != SCHEDD_TIME_NONE && got < end * SCHEDD_SECOND)
		return differ(spec, "next", at, end, got / SCHEDD_SECOND);
	counted = cron_count(
	    cron, zone_utc(), begin * SCHEDD_SECOND, end * SCHEDD_SECOND - 1, UINT64_MAX);
	if (counted != days * times)
		return differ(spec, "count", begin, (int64_t)(days * times), (int64_t)counted);
	return 0;
}

static uint64_t setting(const char *variable, const char *argument, uint64_t fallback)
{
	const char *text = getenv(variable);

	if (!text)
		text = argument;
	return text ? strtoull(text, NULL, 0) : fallback;
}

int main(int argc, char **argv)
{
	uint64_t seed = setting("SCHEDD_SEED", argc > 1 ? argv[1] : NULL, 1);
	uint64_t cases = setting("SCHEDD_CASES", argc > 2 ? argv[2] : NULL, 2000);
	struct random random = {seed};
	static struct spell spell;

	for (uint64_t i = 0; i < cases; i++) {
		struct schedd_error err = {0};
		struct cron_spec spec;
		struct cron *cron;
		int rc;

		if (i % CASES_PER_SPELL == 0)
			fill(&spell, random_start(&random));
		cron_spec_make(
		    &spec, &random, &spell.days[random_in(&random, 0, YEARS_DAYS - 1)], true);
		if (cron_parse(spec.dialect, spec.text, NULL, &cron, NULL, &err) != 0) {
			fprintf(stderr, "refused: %s\n", err.message);
			return 1;
		}
		rc = check(&spell, &spec, cron, random_in(&random, 0, YEARS_DAYS - 1));
		cron_free(cron);
		if (rc) {
			fprintf(stderr, "SCHEDD_SEED=%" PRIu64 ", case %" PRIu64 "\n", seed, i);
			return 1;
		}
	}
	printf("seed %" PRIu64 ", %" PRIu64 " cases without a difference\n", seed, cases);
	return 0;
}
