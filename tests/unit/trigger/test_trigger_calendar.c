/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/civil.h"
#include "support/trigger_case.h"

/* The next fire times from a moment on must be these. */
static void fires(
    const char *trigger_text, const char *from, const char *const *expect, size_t count)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	schedd_time at;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, trigger_text);
	at = trigger_case_time(from);
	for (size_t i = 0; i < count; i++) {
		schedd_time fire = trigger_next(trigger, at);

		cr_expect_eq(fire, expect[i] ? trigger_case_time(expect[i]) : SCHEDD_TIME_NONE,
		    "%s: time %zu", trigger_text, i);
		if (fire == SCHEDD_TIME_NONE)
			break;
		at = fire + 1;
	}
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

#define FIRES(trigger, from, ...)                                                                  \
	fires(trigger, from, (const char *const[]){__VA_ARGS__},                                   \
	    sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

Test(trigger_calendar, skips_dates_that_do_not_exist)
{
	FIRES("calendar 'months=1 time=08:00:00' start 2026-01-31", "2026-01-01T00:00:00Z",
	    "2026-01-31T08:00:00Z", "2026-03-31T08:00:00Z", "2026-05-31T08:00:00Z");
	FIRES(
	    "calendar 'years=1' start 2024-02-29", "2024-03-01T00:00:00Z", "2028-02-29T00:00:00Z");
	FIRES("calendar 'years=100' start 2000-02-29", "2000-03-01T00:00:00Z",
	    "2400-02-29T00:00:00Z", "2800-02-29T00:00:00Z");
	FIRES("calendar 'months=1 days=1' start 2026-01-31", "2026-02-01T00:00:00Z",
	    "2026-04-01T00:00:00Z", "2026-05-02T00:00:00Z", "2026-06-03T00:00:00Z");
}

Test(trigger_calendar, keeps_the_wall_time_over_changes_of_the_clock)
{
	FIRES("calendar 'days=1 time=02:30' start 2026-03-28 tz Europe/Berlin",
	    "2026-03-28T00:00:00Z", "2026-03-28T02:30:00+01:00", "2026-03-29T03:30:00+02:00",
	    "2026-03-30T02:30:00+02:00");
	FIRES("calendar 'days=1 time=02:30' start 2026-10-24 tz Europe/Berlin",
	    "2026-10-24T12:00:00Z", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00");
	/* Samoa had no 30 December 2011: moved by a day, onto the next date. */
	FIRES("calendar 'days=1 time=08:00' start 2011-12-28 tz Pacific/Apia",
	    "2011-12-29T00:00:00-10:00", "2011-12-29T08:00:00-10:00", "2011-12-31T08:00:00+14:00",
	    "2012-01-01T08:00:00+14:00");
}

Test(trigger_calendar, counts_a_date_that_was_moved_onto_the_next_once)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	schedd_time from, until;

	trigger_case_init(&tc);
	trigger =
	    trigger_case_make(&tc, "calendar 'days=1 time=08:00' start 2011-12-28 tz Pacific/Apia");
	from = trigger_case_time("2011-12-29T00:00:00-10:00");
	until = trigger_case_time("2012-01-01T20:00:00+14:00");
	cr_assert_eq(trigger_count(trigger, from, until, 100), 3);
	cr_assert_eq(trigger_latest(trigger, from, until - SCHEDD_DAY),
	    trigger_case_time("2011-12-31T08:00:00+14:00"));
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_calendar, takes_an_end_that_is_a_date_as_that_whole_day)
{
	FIRES("{\"calendar\":\"days=1 time=23:00\",\"start\":\"2026-01-01\",\"end\":\"2026-01-02\","
	      "\"timezone\":\"Europe/Berlin\"}",
	    "2026-01-01T00:00:00Z", "2026-01-01T23:00:00+01:00", "2026-01-02T23:00:00+01:00", NULL);
	FIRES("{\"calendar\":\"days=1 time=23:00\",\"start\":\"2026-01-01T23:00:01+01:00\","
	      "\"timezone\":\"Europe/Berlin\"}",
	    "2026-01-01T00:00:00Z", "2026-01-02T23:00:00+01:00");
}

Test(trigger_calendar, starts_today_in_its_zone)
{
	struct schedd_trigger *trigger, *later;
	struct trigger_case tc;
	char *json;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "calendar 'weeks=2 time=9:05' tz America/New_York");
	json = trigger_case_json(trigger);
	cr_assert_str_eq(json,
	    "{\"type\":\"calendar\",\"years\":0,\"months\":0,\"weeks\":2,\"days\":0,"
	    "\"time\":\"09:05:00\",\"start\":\"2025-12-31\",\"timezone\":\"America/New_York\"}");
	free(json);
	tc.context.now += 40 * SCHEDD_DAY;
	tc.context.previous = trigger;
	later = trigger_case_make(&tc, "calendar 'weeks=2 time=9:05' tz America/New_York");
	cr_assert(trigger_equal(later, trigger));
	trigger_unref(later);
	later = trigger_case_make(&tc, "calendar 'weeks=2 time=9:06' tz America/New_York");
	cr_assert_eq(trigger_next(later, 0), trigger_case_time("2026-02-09T09:06:00-05:00"));
	trigger_unref(later);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_calendar, says_which_times_were_moved)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(
	    &tc, "calendar 'days=1 time=02:30' start 2026-01-01 tz Europe/Berlin");
	cr_assert_eq(trigger_note_at(trigger, trigger_case_time("2026-03-29T03:30:00+02:00")),
	    TRIGGER_NOTE_MOVED);
	cr_assert_eq(trigger_note_at(trigger, trigger_case_time("2026-03-28T02:30:00+01:00")),
	    TRIGGER_NOTE_NONE);
	cr_assert_eq(trigger_note_at(trigger, trigger_case_time("2026-10-25T02:30:00+02:00")),
	    TRIGGER_NOTE_FOLD_FIRST);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

/* The rule, walked date by date from the start. */
static schedd_time next_slowly(int months, int days, int32_t anchor, schedd_time from)
{
	int32_t day = anchor;

	while (day * SCHEDD_DAY < from) {
		struct civil date;
		int month;

		civil_from_days(day, &date);
		month = date.year * 12 + date.month - 1;
		do
			month += months;
		while (date.day > civil_month_length(month / 12, month % 12 + 1));
		day = civil_days(month / 12, month % 12 + 1, date.day) + days;
	}
	return day * SCHEDD_DAY;
}

Test(trigger_calendar, is_what_a_walk_over_the_dates_finds)
{
	struct trigger_case tc;
	unsigned seed = 11;

	trigger_case_init(&tc);
	for (int i = 0; i < 2000; i++) {
		int months = rand_r(&seed) % 3 ? rand_r(&seed) % 30 : 0;
		int days = months && rand_r(&seed) % 2 ? 0 : rand_r(&seed) % 40 + 1;
		int32_t anchor = rand_r(&seed) % 20000;
		schedd_time from = (rand_r(&seed) % 40000) * SCHEDD_DAY + rand_r(&seed) % 3 - 1;
		schedd_time slow = next_slowly(months, days, anchor, from), fire;
		struct schedd_trigger *trigger;
		struct civil date;
		char text[120];

		civil_from_days(anchor, &date);
		snprintf(text, sizeof(text), "calendar 'months=%d days=%d' start %04d-%02d-%02d",
		    months, days, date.year, date.month, date.day);
		trigger = trigger_case_make(&tc, text);
		fire = trigger_next(trigger, from);
		cr_assert_eq(fire, slow, "%s", text);
		cr_assert_eq(trigger_latest(trigger, 0, fire), fire, "%s", text);
		if (trigger_latest(trigger, 0, fire - 1) != SCHEDD_TIME_NONE)
			cr_assert_lt(trigger_latest(trigger, 0, fire - 1), from, "%s", text);
		cr_assert_eq(trigger_count(trigger, from, fire, 9), 1, "%s", text);
		/* Whatever was asked before, near or far, earlier or later. */
		for (int again = 0; again < 4; again++) {
			from = (rand_r(&seed) % 60000) * SCHEDD_DAY;
			slow = next_slowly(months, days, anchor, from);
			cr_assert_eq(trigger_next(trigger, from), slow, "%s", text);
			cr_assert_eq(trigger_latest(trigger, 0, slow), slow, "%s", text);
		}
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}

/* CPU seconds of a search, forwards and backwards, that finds nothing. */
static double cost_of(struct trigger_case *tc, const char *text)
{
	struct schedd_trigger *trigger = trigger_case_make(tc, text);
	clock_t begin = clock();

	cr_assert_eq(trigger_next(trigger, 0), SCHEDD_TIME_NONE);
	cr_assert_eq(trigger_latest(trigger, 0, SCHEDD_TIME_MAX), SCHEDD_TIME_NONE);
	trigger_unref(trigger);
	return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Walked from its anchor for each question this took minutes. */
Test(trigger_calendar, does_not_walk_from_its_anchor_for_each_question)
{
	struct trigger_case tc;
	double plain, mixed;

	trigger_case_init(&tc);
	plain = cost_of(&tc,
	    "all (cron '30 6 1,15 * *', calendar 'months=1 time=23:59' start 1970-01-02)");
	mixed = cost_of(&tc,
	    "all (cron '30 6 1,15 * *', calendar 'months=1 days=1 time=23:59' start 1970-01-02)");
	cr_assert_lt(mixed, 30 * plain + 1, "%f beside %f", mixed, plain);
	trigger_case_clear(&tc);
}
