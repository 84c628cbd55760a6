/* SPDX-License-Identifier: MIT */
/* The five rules of daylight saving, at each kind of change. */
#include "support/cron_case.h"

static struct zone_cache *zones;

static void open_zones(void)
{
	zones = zone_cache_new(NULL);
	cr_assert_not_null(zones);
}

static void close_zones(void)
{
	zone_cache_free(zones);
}

TestSuite(cron_next, .init = open_zones, .fini = close_zones);

/* The fire times from a time on, up to an empty text. */
static void fires(
    const char *text, const char *zone_text, const char *from, const char *const *expect)
{
	struct cron *cron = cron_case_parse(CRON_CRONTAB, text);
	const struct zone *zone;
	schedd_time at = cron_case_instant(from);

	cr_assert_eq(zone_cache_get(zones, zone_text, &zone, NULL), 0);
	for (; **expect; expect++) {
		schedd_time fire = cron_next(cron, zone, at);

		cr_assert_eq(fire, cron_case_instant(*expect), "'%s' from %s: %lld s instead of %s",
		    text, from, (long long)(fire / SCHEDD_SECOND), *expect);
		at = fire + 1;
	}
	cron_free(cron);
}

#define FIRES(text, zone, from, ...) fires(text, zone, from, (const char *[]){__VA_ARGS__, ""})

Test(cron_next, moves_a_fixed_time_out_of_a_gap)
{
	FIRES("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00",
	    "2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00");
	/* From inside the hour after the gap, too. */
	FIRES("30 2 * * *", "Europe/Berlin", "2026-03-29T03:10:00+02:00",
	    "2026-03-29T03:30:00+02:00");
	FIRES("30 2 * * *", "Europe/Berlin", "2026-03-29T03:31:00+02:00",
	    "2026-03-30T02:30:00+02:00");
	/* Moved times and those that were meant anyway come in order, equal ones once. */
	FIRES("15,45 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00",
	    "2026-03-29T03:15:00+02:00", "2026-03-29T03:45:00+02:00", "2026-03-30T02:15:00+02:00");
	FIRES("20 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00.000001+01:00",
	    "2026-03-29T03:20:00+02:00");
	/* Midnight, half an hour, a whole day. */
	FIRES("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00",
	    "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00");
	FIRES("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
	    "2026-10-04T02:45:00+11:00", "2026-10-05T02:15:00+11:00");
	FIRES("30 9 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00-10:00",
	    "2011-12-31T09:30:00+14:00", "2012-12-30T09:30:00+14:00");
	FIRES("30 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00",
	    "2011-12-31T09:30:00+14:00", "2012-01-01T09:30:00+14:00");
}

Test(cron_next, runs_a_fixed_time_at_the_first_pass_of_a_fold)
{
	FIRES("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
	    "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00");
	FIRES("30 2 * * *", "Europe/Berlin", "2026-10-25T02:00:00+01:00",
	    "2026-10-26T02:30:00+01:00");
	FIRES("30 0 * * *", "America/Sao_Paulo", "2018-02-17T12:00:00-02:00",
	    "2018-02-18T00:30:00-03:00");
	FIRES("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00+11:00",
	    "2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30");
}

Test(cron_next, follows_real_time_with_a_wildcard)
{
	FIRES("0 */2 * * *", "Europe/Berlin", "2026-03-29T00:00:01+01:00",
	    "2026-03-29T04:00:00+02:00");
	FIRES("*/30 * * * *", "Europe/Berlin", "2026-03-29T01:01:00+01:00",
	    "2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00");
	FIRES("*/30 * * * *", "Europe/Berlin", "2026-10-25T02:00:00+02:00",
	    "2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00",
	    "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00");
	FIRES(
	    "* 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T02:00:00+02:00");
	FIRES("@hourly", "Australia/Lord_Howe", "2026-04-05T01:00:00+11:00",
	    "2026-04-05T01:00:00+11:00", "2026-04-05T02:00:00+10:30");
	/* A star in the seconds counts where seconds are given. */
	FIRES("* 30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00",
	    "2026-03-30T02:30:00+02:00");
	/* A list that begins with a number is no wildcard, whatever follows. */
	FIRES("0,*/30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+01:00",
	    "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00");
}

Test(cron_next, does_not_lose_the_midnight_after_a_change)
{
	FIRES(
	    "0 0 * * *", "Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-30T00:00:00+02:00");
	FIRES(
	    "0 0 1 * *", "Europe/Berlin", "2026-03-15T00:00:00+01:00", "2026-04-01T00:00:00+02:00");
}

Test(cron_next, finds_rare_dates_and_gives_up_on_those_that_are_none)
{
	struct cron *cron = cron_case_parse(CRON_CRONTAB, "0 0 30 2 *");

	FIRES("0 0 29 2 +mon", "UTC", "2026-01-01T00:00:00Z", "2044-02-29T00:00:00Z",
	    "2072-02-29T00:00:00Z", "2112-02-29T00:00:00Z");
	FIRES("0 0 31W 2 *", "UTC", "9999-01-01T00:00:00Z", "");
	cr_assert_eq(cron_next(cron, zone_utc(), 0), SCHEDD_TIME_NONE);
	cron_free(cron);
	cron = cron_case_parse(CRON_CRONTAB, "0 0 0 1 1 * 2020-2025");
	cr_assert_eq(cron_next(cron, zone_utc(), cron_case_instant("2026-01-01T00:00:00Z")),
	    SCHEDD_TIME_NONE);
	cr_assert_eq(
	    cron_next(cron, zone_utc(), INT64_MIN), cron_case_instant("2020-01-01T00:00:00Z"));
	cron_free(cron);
}

Test(cron_next, ends_with_the_year_9999)
{
	struct cron *cron = cron_case_parse(CRON_CRONTAB, "59 23 31 12 *");

	cr_assert_eq(cron_next(cron, zone_utc(), cron_case_instant("9999-01-01T00:00:00Z")),
	    cron_case_instant("9999-12-31T23:59:00Z"));
	cr_assert_eq(cron_next(cron, zone_utc(), cron_case_instant("9999-12-31T23:59:01Z")),
	    SCHEDD_TIME_NONE);
	cr_assert_eq(cron_next(cron, zone_utc(), INT64_MAX), SCHEDD_TIME_NONE);
	cron_free(cron);
}
