/* SPDX-License-Identifier: MIT */
#include "trigger/when.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct zone_cache *zones;

static void open_cache(void)
{
	zones = zone_cache_new(NULL);
	cr_assert(zones);
}

static void close_cache(void)
{
	zone_cache_free(zones);
}

TestSuite(when, .init = open_cache, .fini = close_cache);

/* Wednesday 2026-07-15, 10:20:30.5 in Berlin. */
#define NOW (INT64_C(1784103630) * SCHEDD_SECOND + 500000)

static struct when_context context_of(const char *zone)
{
	struct when_context context = {.zones = zones, .now = NOW, .strict = true};

	cr_assert_eq(zone_cache_get(zones, zone, &context.zone, NULL), 0);
	return context;
}

/* What the phrase comes to, written in the context's zone; or the sentence. */
static const char *read_as(const char *text, const struct when_context *context)
{
	static char shown[1024];
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err = {.message = ""};
	schedd_time when;

	if (when_parse(text, context, &when, &err) == 0)
		when_format(&out, when, context->zone);
	else
		strbuf_add(&out, err.message);
	snprintf(shown, sizeof(shown), "%s", strbuf_peek(&out));
	strbuf_clear(&out);
	return shown;
}

/* Phrases said at NOW in Berlin, and what they come to. */
static const char *const phrases[][2] = {
    {"2026-12-01T09:30:00+01:00", "2026-12-01T09:30:00+01:00"},
    {"2026-12-01T08:30:00Z", "2026-12-01T09:30:00+01:00"},
    {"2026-12-01t08:30:00.25z", "2026-12-01T09:30:00.250000+01:00"},
    {"2026-12-01", "2026-12-01T00:00:00+01:00"},
    {"2026-12-01 9:30", "2026-12-01T09:30:00+01:00"},
    {"2026-12-01 9:30:15.123456", "2026-12-01T09:30:15.123456+01:00"},
    {"2026-12-01T09:30", "2026-12-01T09:30:00+01:00"},
    {"2026-12-01 9am", "2026-12-01T09:00:00+01:00"},
    {"2026-12-01 at noon", "2026-12-01T12:00:00+01:00"},
    {"2026-12-01 9:30 America/New_York", "2026-12-01T15:30:00+01:00"},
    {"2026-12-01 Asia/Tokyo", "2026-11-30T16:00:00+01:00"},
    {"2026-12-01 9:30 UTC", "2026-12-01T10:30:00+01:00"},
    {"2026-12-01 9:30 z", "2026-12-01T10:30:00+01:00"},
    {"2026-12-01 9:30 -05:00", "2026-12-01T15:30:00+01:00"},
    {"2026-12-01 9:30+0530", "2026-12-01T05:00:00+01:00"},
    {"2026-12-01T09:30:00+01:00 Europe/Berlin", "2026-12-01T09:30:00+01:00"},
    {"14:00", "2026-07-15T14:00:00+02:00"},
    {"10:20", "2026-07-16T10:20:00+02:00"},
    {"10:20:30.5", "2026-07-16T10:20:30.500000+02:00"},
    {"14:00 America/New_York", "2026-07-15T20:00:00+02:00"},
    {"14:00Z", "2026-07-15T16:00:00+02:00"},
    {"9am", "2026-07-16T09:00:00+02:00"},
    {"9 PM", "2026-07-15T21:00:00+02:00"},
    {"9:30pm", "2026-07-15T21:30:00+02:00"},
    {"12am", "2026-07-16T00:00:00+02:00"},
    {"12:30pm", "2026-07-15T12:30:00+02:00"},
    {"noon", "2026-07-15T12:00:00+02:00"},
    {"midnight", "2026-07-16T00:00:00+02:00"},
    {"noon tomorrow", "2026-07-16T12:00:00+02:00"},
    {"9am next friday", "2026-07-17T09:00:00+02:00"},
    {"now", "2026-07-15T10:20:30.500000+02:00"},
    {"now + 2h", "2026-07-15T12:20:30.500000+02:00"},
    {"now+90", "2026-07-15T10:22:00.500000+02:00"},
    {"now - 1d", "2026-07-14T10:20:30.500000+02:00"},
    {"now - 2h", "2026-07-15T08:20:30.500000+02:00"},
    {"mon 14:00", "2026-07-20T14:00:00+02:00"},
    {"noon next fri", "2026-07-17T12:00:00+02:00"},
    {"9am tomorrow", "2026-07-16T09:00:00+02:00"},
    {"14:00 UTC", "2026-07-15T16:00:00+02:00"},
    {"now UTC", "2026-07-15T10:20:30.500000+02:00"},
    {"today", "2026-07-15T00:00:00+02:00"},
    {"TODAY 14:00", "2026-07-15T14:00:00+02:00"},
    {"tomorrow", "2026-07-16T00:00:00+02:00"},
    {"tomorrow at 9am", "2026-07-16T09:00:00+02:00"},
    {"tomorrow 9am Asia/Tokyo", "2026-07-16T02:00:00+02:00"},
    {"yesterday noon", "2026-07-14T12:00:00+02:00"},
    {"wed", "2026-07-22T00:00:00+02:00"},
    {"wed 11:00", "2026-07-15T11:00:00+02:00"},
    {"wed 10:00", "2026-07-22T10:00:00+02:00"},
    {"next wednesday 11:00", "2026-07-22T11:00:00+02:00"},
    {"monday", "2026-07-20T00:00:00+02:00"},
    {"next Mon 8:15", "2026-07-20T08:15:00+02:00"},
    {"in 5 minutes", "2026-07-15T10:25:30.500000+02:00"},
    {"in 1h30m", "2026-07-15T11:50:30.500000+02:00"},
    {"in PT1H", "2026-07-15T11:20:30.500000+02:00"},
    {"5 minutes ago", "2026-07-15T10:15:30.500000+02:00"},
    {"+90s", "2026-07-15T10:22:00.500000+02:00"},
    {"+ 90s", "2026-07-15T10:22:00.500000+02:00"},
    {"-7d", "2026-07-08T10:20:30.500000+02:00"},
    {"+1h Europe/London", "2026-07-15T11:20:30.500000+02:00"},
    {"@1764576000", "2025-12-01T09:00:00+01:00"},
    {"@1764576000.25", "2025-12-01T09:00:00.250000+01:00"},
    {"@0", "1970-01-01T01:00:00+01:00"},
    {"  tomorrow  9am  UTC  ", "2026-07-16T11:00:00+02:00"},
    {"2026-12-01 9:30 CET-1CEST,M3.5.0,M10.5.0/3", "2026-12-01T09:30:00+01:00"},
    /* at(1) and date(1) */
    {"10am Jul 31", "2026-07-31T10:00:00+02:00"},
    {"Jul 31 10am", "2026-07-31T10:00:00+02:00"},
    {"Dec 24 18:00", "2026-12-24T18:00:00+01:00"},
    {"18:00 24 Dec", "2026-12-24T18:00:00+01:00"},
    {"24 dec", "2026-12-24T00:00:00+01:00"},
    {"Feb 29", "2028-02-29T00:00:00+01:00"},
    {"15 Jul", "2027-07-15T00:00:00+02:00"},
    {"15 Jul 18:00", "2026-07-15T18:00:00+02:00"},
    {"Jul 14 2025", "2025-07-14T00:00:00+02:00"},
    {"July 14, 2027 at noon", "2027-07-14T12:00:00+02:00"},
    {"24th of December 2026 18:00", "2026-12-24T18:00:00+01:00"},
    {"December 1st", "2026-12-01T00:00:00+01:00"},
    {"24-dec-2026 6pm", "2026-12-24T18:00:00+01:00"},
    {"1 sept", "2026-09-01T00:00:00+02:00"},
    {"2019-4-24", "2019-04-24T00:00:00+02:00"},
    {"2027-4-24 00:00:01", "2027-04-24T00:00:01+02:00"},
    {"2026/12/24 18:00", "2026-12-24T18:00:00+01:00"},
    {"12/24/2026", "2026-12-24T00:00:00+01:00"},
    {"24.12.2026 18:00", "2026-12-24T18:00:00+01:00"},
    {"20261224", "2026-12-24T00:00:00+01:00"},
    {"20261224 1800", "2026-12-24T18:00:00+01:00"},
    {"24.12.26", "2026-12-24T00:00:00+01:00"},
    {"now next minute", "2026-07-15T10:21:30.500000+02:00"},
    {"now next week", "2026-07-22T10:20:30.500000+02:00"},
    {"monday next week", "2026-07-27T00:00:00+02:00"},
    {"in an hour", "2026-07-15T11:20:30.500000+02:00"},
    {"in a month", "2026-08-15T10:20:30.500000+02:00"},
    {"12/24/26 6pm", "2026-12-24T18:00:00+01:00"},
    {"6pm 24.12.26", "2026-12-24T18:00:00+01:00"},
    {"20261224T180000Z", "2026-12-24T19:00:00+01:00"},
    {"20261224T1800", "2026-12-24T18:00:00+01:00"},
    {"Thu Dec 24 18:00:00 UTC 2026", "2026-12-24T19:00:00+01:00"},
    {"Thu Dec 24 18:00:00 2026", "2026-12-24T18:00:00+01:00"},
    {"Thu, 24 Dec 2026 18:00:00 +0200", "2026-12-24T17:00:00+01:00"},
    {"thu 24 dec", "2026-12-24T00:00:00+01:00"},
    {"1430", "2026-07-15T14:30:00+02:00"},
    {"0900 tomorrow", "2026-07-16T09:00:00+02:00"},
    {"teatime", "2026-07-15T16:00:00+02:00"},
    {"teatime tomorrow", "2026-07-16T16:00:00+02:00"},
    {"now + 1 month", "2026-08-15T10:20:30.500000+02:00"},
    {"now + 1month", "2026-08-15T10:20:30.500000+02:00"},
    {"now + 2 years", "2028-07-15T10:20:30.500000+02:00"},
    {"now + 1 month 2 days", "2026-08-17T10:20:30.500000+02:00"},
    {"now + 3 weeks", "2026-08-05T10:20:30.500000+02:00"},
    {"now + 4 months", "2026-11-15T10:20:30.500000+01:00"},
    {"in 1 month", "2026-08-15T10:20:30.500000+02:00"},
    {"1 month ago", "2026-06-15T10:20:30.500000+02:00"},
    {"2 weeks ago", "2026-07-01T10:20:30.500000+02:00"},
    {"-1 month", "2026-06-15T10:20:30.500000+02:00"},
    {"+1 year", "2027-07-15T10:20:30.500000+02:00"},
    {"2027-01-31 + 1 month", "2027-02-28T00:00:00+01:00"},
    {"4pm + 3 days", "2026-07-18T16:00:00+02:00"},
    {"9am + 3 days", "2026-07-18T09:00:00+02:00"},
    {"9am + 2 hours", "2026-07-16T11:00:00+02:00"},
    {"tomorrow 9am + 1 week", "2026-07-23T09:00:00+02:00"},
    {"tomorrow - 2 hours", "2026-07-15T22:00:00+02:00"},
    {"Jul 31 10am + 1 year - 1 day", "2027-07-30T10:00:00+02:00"},
    {"noon + 1 day UTC", "2026-07-16T14:00:00+02:00"},
    {"next week", "2026-07-22T10:20:30.500000+02:00"},
    {"next month", "2026-08-15T10:20:30.500000+02:00"},
    {"next year", "2027-07-15T10:20:30.500000+02:00"},
    {"next day", "2026-07-16T10:20:30.500000+02:00"},
    {"next hour", "2026-07-15T11:20:30.500000+02:00"},
    {"last month", "2026-06-15T10:20:30.500000+02:00"},
    {"last monday", "2026-07-13T00:00:00+02:00"},
    {"last wednesday noon", "2026-07-08T12:00:00+02:00"},
    {"10am next week", "2026-07-22T10:00:00+02:00"},
    {"6pm next month", "2026-08-15T18:00:00+02:00"},
    {"on friday at 9am", "2026-07-17T09:00:00+02:00"},
    {"this friday 9am", "2026-07-17T09:00:00+02:00"},
    {"9am on friday", "2026-07-17T09:00:00+02:00"},
    {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"},
};

Test(when, reads_every_form)
{
	struct when_context context = context_of("Europe/Berlin");

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		const char *shown = read_as(phrases[i][0], &context);

		cr_expect_str_eq(shown, phrases[i][1], "'%s' gives %s", phrases[i][0], shown);
	}
}

/* What is refused, where it points, and what it says. */
static const struct {
	const char *text;
	int offset;
	const char *says;
} refusals[] = {
    {"", 0, "empty"},
    {"   ", 0, "empty"},
    {"tomorow", 0, "did you mean 'tomorrow'"},
    {"frobnicate", 0, "write a time as"},
    {"2026-02-29", 0, "no such date"},
    {"2026-2-30", 0, "no such date"},
    {"13/24/2026", 0, "no such date"},
    {"24.13.2026", 0, "no such date"},
    {"Feb 30", 0, "no such date"},
    {"31 jun 2027", 0, "no such date"},
    {"20261324", 0, "no such date"},
    {"12.24.26", 0, "no such date"},
    {"24/12/26", 0, "no such date"},
    {"24-12-26", 0, "no such date"},
    {"20261224T2400", 9, "a time of day"},
    {"now next", 8, "a unit is missing"},
    {"Dec", 3, "a day is missing"},
    {"Fri Dec 24 2026", 0, "2026-12-24 is a Thursday"},
    {"2460", 0, "from 0000 to 2359"},
    {"next decade", 0, "go with a weekday"},
    {"now + 99999 months", 0, "outside of the years"},
    {"12-01-2026", 0, "no such date"},
    {"2026-12-01T", 11, "a time of day"},
    {"2026-12-01 24:00", 11, "a time of day"},
    {"2026-12-01 9:60", 11, "a time of day"},
    {"2026-12-01 9", 11, "no part of a time"},
    {"2026-12-01 13pm", 11, "from 1 to 12"},
    {"0am", 0, "from 1 to 12"},
    {"2026-12-01 9:30 Europe/Berln", 16, "did you mean 'Europe/Berlin'"},
    {"2026-12-01 9:30Europe/Berlin", 15, "no part of a time"},
    {"2026-12-01T09:30:00+02:00 Europe/Berlin", 0, "2026-12-01T08:30:00+01:00"},
    {"9am +2H", 4, "unknown time zone '+2H'"},
    {"in", 2, "a number is missing"},
    {"in 5 parsecs", 5, "units are"},
    {"next", 4, "a weekday or a unit is missing"},
    {"next tomorrow", 0, "go with a weekday"},
    {"tomorrow at", 11, "missing behind 'at'"},
    {"90", 0, "a duration is no time"},
    {"1764576000", 0, "with an '@'"},
    {"@", 1, "missing behind '@'"},
    {"@-5", 1, "before 1970"},
    {"@1764576000123", 1, "not milliseconds"},
    {"@999999999999", 0, "outside of the years"},
    {"1969-12-31", 0, "outside of the years"},
    {"9999-12-31T23:59:59-01:00", 0, "outside of the years"},
    {"-8000w", 0, "outside of the years"},
    {"+9999999w", 1, "longer than"},
    {"\xd9\xa1\xd9\xa2:00", 0, "ASCII"},
    {"14:00\n", 5, "ASCII"},
};

Test(when, refuses_the_rest_and_points_at_it)
{
	struct when_context context = context_of("Europe/Berlin");
	char longer[300];

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct schedd_error err = {.message = ""};
		schedd_time when = 7;

		cr_expect_eq(when_parse(refusals[i].text, &context, &when, &err), SCHEDD_EINVAL,
		    "%s", refusals[i].text);
		cr_expect_eq(
		    err.offset, refusals[i].offset, "'%s': %d", refusals[i].text, err.offset);
		cr_expect(strstr(err.message, refusals[i].says), "%s", err.message);
		cr_expect_eq(when, 7);
	}
	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_expect(strstr(read_as(longer, &context), "at most 255"));
}

Test(when, names_both_choices_where_a_typed_time_is_not_unique)
{
	static const struct {
		const char *zone, *text, *says;
	} cases[] = {
	    {"Europe/Berlin", "2026-03-29 02:30",
		"time '2026-03-29 02:30': 2026-03-29 02:30:00 does not exist in Europe/Berlin, "
		"where "
		"the clock goes from 02:00 to 03:00: write 2026-03-29T03:30:00+02:00 or "
		"2026-03-29T01:30:00+01:00"},
	    {"Europe/Berlin", "2026-10-25 2:30",
		"time '2026-10-25 2:30': 2026-10-25 02:30:00 comes twice in Europe/Berlin, where "
		"the "
		"clock goes from 03:00 to 02:00: write 2026-10-25T02:30:00+02:00 or "
		"2026-10-25T02:30:00+01:00"},
	    {"Australia/Lord_Howe", "2026-04-05 01:45",
		"write 2026-04-05T01:45:00+11:00 or 2026-04-05T01:45:00+10:30"},
	    {"America/Sao_Paulo", "2018-11-04 00:00", "write 2018-11-04T01:00:00-02:00 or "},
	    {"Pacific/Apia", "2011-12-30",
		"write 2011-12-31T00:00:00+14:00 or 2011-12-29T00:00:00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when_context context = context_of(cases[i].zone);
		const char *shown = read_as(cases[i].text, &context);

		cr_expect(strstr(shown, cases[i].says), "%s", shown);
	}
}

Test(when, settles_gaps_and_folds_by_rule_where_nobody_typed)
{
	static const char *const cases[][3] = {
	    {"Europe/Berlin", "2026-03-29 02:30", "2026-03-29T03:30:00+02:00"},
	    {"Europe/Berlin", "2026-10-25 02:30", "2026-10-25T02:30:00+02:00"},
	    {"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"},
	    {"Pacific/Apia", "2011-12-30 12:00", "2011-12-31T12:00:00+14:00"},
	    {"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when_context context = context_of(cases[i][0]);

		context.strict = false;
		cr_expect_str_eq(read_as(cases[i][1], &context), cases[i][2], "%s", cases[i][1]);
	}
}

Test(when, takes_a_day_as_its_end_where_an_end_is_meant)
{
	static const char *const cases[][3] = {
	    {"Europe/Berlin", "2026-12-01", "2026-12-01T23:59:59.999999+01:00"},
	    {"Europe/Berlin", "2026-12-01 09:00", "2026-12-01T09:00:00+01:00"},
	    {"Europe/Berlin", "tomorrow", "2026-07-16T23:59:59.999999+02:00"},
	    {"Europe/Berlin", "wed", "2026-07-15T23:59:59.999999+02:00"},
	    /* The next day has no midnight; this day's last hour comes twice. */
	    {"America/Sao_Paulo", "2018-11-03", "2018-11-03T23:59:59.999999-03:00"},
	    {"America/Sao_Paulo", "2018-02-17", "2018-02-17T23:59:59.999999-03:00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when_context context = context_of(cases[i][0]);

		context.date_is_end = true;
		cr_expect_str_eq(read_as(cases[i][1], &context), cases[i][2], "%s", cases[i][1]);
	}
}

static schedd_time instant(const char *text)
{
	struct when_context context = context_of("UTC");
	schedd_time when = -1;

	cr_assert_eq(when_parse(text, &context, &when, NULL), 0, "%s", text);
	return when;
}

Test(when, finds_the_coming_time_of_day_around_changes)
{
	static const struct {
		const char *now, *text, *strict, *lenient;
	} cases[] = {
	    /* Before the fold both are to come; between them only the second is. */
	    {"2026-10-24T23:00:00Z", "02:30", "comes twice", "2026-10-25T02:30:00+02:00"},
	    {"2026-10-25T00:45:00Z", "02:30", "2026-10-25T02:30:00+01:00",
		"2026-10-25T02:30:00+01:00"},
	    {"2026-10-25T02:00:00Z", "02:30", "2026-10-26T02:30:00+01:00",
		"2026-10-26T02:30:00+01:00"},
	    {"2026-10-25T02:00:00Z", "sun 02:30", "2026-11-01T02:30:00+01:00",
		"2026-11-01T02:30:00+01:00"},
	    /* Before the gap, in what the reading is moved to, and after that. */
	    {"2026-03-28T23:30:00Z", "02:30", "does not exist", "2026-03-29T03:30:00+02:00"},
	    {"2026-03-29T01:15:00Z", "02:30", "2026-03-30T02:30:00+02:00",
		"2026-03-29T03:30:00+02:00"},
	    {"2026-03-29T02:00:00Z", "02:30", "2026-03-30T02:30:00+02:00",
		"2026-03-30T02:30:00+02:00"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct when_context context = context_of("Europe/Berlin");

		context.now = instant(cases[i].now);
		cr_expect(strstr(read_as(cases[i].text, &context), cases[i].strict), "case %zu: %s",
		    i, read_as(cases[i].text, &context));
		context.strict = false;
		cr_expect_str_eq(read_as(cases[i].text, &context), cases[i].lenient, "case %zu", i);
	}
}

Test(when, reads_back_what_it_writes)
{
	static const char *const names[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe",
	    "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu"};
	unsigned seed = 11;

	for (int i = 0; i < 30000; i++) {
		struct when_context context = context_of(names[i % 6]);
		schedd_time when = (schedd_time)(((uint64_t)rand_r(&seed) << 31 ^ rand_r(&seed)) %
						 (uint64_t)SCHEDD_TIME_MAX);
		struct strbuf text = STRBUF_EMPTY;
		schedd_time again = -1;

		when_format(&text, when, context.zone);
		cr_assert_eq(when_parse(strbuf_peek(&text), &context, &again, NULL), 0);
		cr_assert_eq(again, when, "%s", strbuf_peek(&text));
		strbuf_clear(&text);
	}
}

Test(when, takes_integers_as_microseconds)
{
	struct when_context context = context_of("UTC");
	struct value good = value_int(5), bad = value_int(-1), real = value_real(1.5);
	struct value text = value_string_ref("@1"), nul = value_string_ref("@1");
	struct schedd_error err;
	schedd_time when;

	cr_assert_eq(when_from_value(&good, &context, &when, &err), 0);
	cr_assert_eq(when, 5);
	cr_assert_eq(when_from_value(&text, &context, &when, &err), 0);
	cr_assert_eq(when, SCHEDD_SECOND);
	cr_assert_eq(when_from_value(&bad, &context, &when, &err), SCHEDD_EINVAL);
	cr_assert_eq(when_from_value(&real, &context, &when, &err), SCHEDD_EINVAL);
	nul.string.length = 3;
	cr_assert_eq(when_from_value(&nul, &context, &when, &err), SCHEDD_EINVAL);
	cr_assert_eq(err.offset, 2);
}
