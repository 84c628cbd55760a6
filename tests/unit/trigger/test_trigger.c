/* SPDX-License-Identifier: MIT */
#include "trigger/trigger.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/trigger_case.h"
#include "trigger/trigger_ops.h"
#include "trigger/trigger_spread.h"

Test(trigger, holds_its_inclusive_bounds)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	schedd_time start, end;

	trigger_case_init(&tc);
	trigger =
	    trigger_case_make(&tc, "{\"any\":[\"every 1h start 2026-01-01T00:00:00Z\"],"
				   "\"start\":\"2026-01-02\",\"end\":\"2026-01-03T00:00:00Z\"}");
	start = trigger_case_time("2026-01-02T00:00:00Z");
	end = trigger_case_time("2026-01-03T00:00:00Z");
	cr_assert_eq(trigger_next(trigger, 0), start);
	cr_assert_eq(trigger_next(trigger, end), end);
	cr_assert_eq(trigger_next(trigger, end + 1), SCHEDD_TIME_NONE);
	cr_assert_eq(trigger_latest(trigger, 0, SCHEDD_TIME_MAX), end);
	cr_assert_eq(trigger_latest(trigger, 0, start - 1), SCHEDD_TIME_NONE);
	cr_assert_eq(trigger_count(trigger, INT64_MIN, INT64_MAX, 100), 25);
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger, answers_at_the_edges_of_time)
{
	static const char *const texts[] = {"every 1s start 1970-01-01T00:00:00Z",
	    "cron '* * * * *'", "calendar 'days=1' start 1970-01-01",
	    "at 9999-12-31T23:59:59.999999Z", "manual",
	    "any (every 7s, cron '@yearly' tz Asia/Tokyo)"};
	struct trigger_case tc;

	trigger_case_init(&tc);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct schedd_trigger *trigger = trigger_case_make(&tc, texts[i]);
		schedd_time first = trigger_next(trigger, INT64_MIN);

		cr_assert(first == SCHEDD_TIME_NONE || first >= SCHEDD_TIME_MIN, "%s", texts[i]);
		cr_assert_eq(trigger_next(trigger, 0), first);
		cr_assert_eq(trigger_next(trigger, INT64_MAX), SCHEDD_TIME_NONE);
		cr_assert_leq(trigger_latest(trigger, INT64_MIN, INT64_MAX), SCHEDD_TIME_MAX);
		cr_assert_eq(trigger_latest(trigger, 5, 4), SCHEDD_TIME_NONE);
		cr_assert_eq(trigger_count(trigger, 5, 4, 10), 0);
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}

Test(trigger, splay_moves_all_times_by_the_same_up_to_the_end)
{
	struct schedd_trigger *plain, *moved;
	struct trigger_case tc;
	schedd_time end;
	schedd_span offset;
	unsigned at_end = 0;

	trigger_case_init(&tc);
	plain =
	    trigger_case_make(&tc, "every 1h start 2026-01-01T00:00:00Z end 2026-01-01T05:00:00Z");
	moved = trigger_case_make(
	    &tc, "every 1h start 2026-01-01T00:00:00Z end 2026-01-01T05:00:00Z splay 10h");
	end = trigger_case_time("2026-01-01T05:00:00Z");
	offset = trigger_spread_splay(10 * SCHEDD_HOUR, "host", "job");
	cr_assert(offset > SCHEDD_HOUR && offset < 5 * SCHEDD_HOUR, "%lld", (long long)offset);
	for (schedd_time at = 0, fire; (fire = trigger_next(plain, at)) != SCHEDD_TIME_NONE;
	     at = fire + 1) {
		schedd_time due = fire + offset < end ? fire + offset : end;

		at_end += due == end;
		cr_assert_eq(trigger_next(moved, due), due);
		cr_assert_eq(trigger_latest(moved, 0, due), due);
	}
	cr_assert(at_end > 1);
	cr_assert_eq(trigger_next(moved, 0), trigger_case_time("2026-01-01T00:00:00Z") + offset);
	cr_assert_eq(trigger_next(moved, end + 1), SCHEDD_TIME_NONE);
	cr_assert_eq(trigger_count(moved, 0, SCHEDD_TIME_MAX, 100), 6 - at_end + 1);
	cr_assert_eq(trigger_count(moved, 0, end - 1, 100), 6 - at_end);
	cr_assert_eq(trigger_count(moved, end, end, 100), 1);
	cr_assert_eq(trigger_latest(moved, 0, SCHEDD_TIME_MAX), end);
	trigger_case_round_trip(&tc, moved);
	trigger_unref(plain);
	trigger_unref(moved);
	trigger_case_clear(&tc);
}

/* What stepping finds, counting and looking back find too, and nothing lies outside of the bounds.
 */
static void splay_holds(const char *text, const char *first, const char *last, unsigned times)
{
	struct trigger_case tc;
	struct schedd_trigger *trigger;
	schedd_time from, until, fire, before = 0;
	unsigned count = 0;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, text);
	from = trigger_case_time(first);
	until = trigger_case_time(last);
	for (fire = trigger_next(trigger, 0); fire != SCHEDD_TIME_NONE && count <= times;
	     fire = trigger_next(trigger, fire + 1)) {
		cr_expect(fire >= from && fire <= until, "%s: %lld", text, (long long)fire);
		cr_expect_eq(trigger_latest(trigger, 0, fire), fire, "%s", text);
		cr_expect_eq(trigger_jittered(trigger, fire, 0, 0), fire, "%s", text);
		cr_expect(trigger_jittered(trigger, fire, 0, UINT64_MAX) <= until, "%s", text);
		if (before)
			cr_expect_eq(trigger_latest(trigger, 0, fire - 1), before, "%s", text);
		before = fire;
		count++;
	}
	cr_expect(times == 0 || before == until, "%s ends at %lld", text, (long long)before);
	cr_expect_eq(count, times, "%s: %u", text, count);
	cr_expect_eq(trigger_count(trigger, 0, SCHEDD_TIME_MAX, 1000), times, "%s", text);
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger, bounds_hold_for_whatever_moves_a_time)
{
	const char *first = "2026-01-01T00:00:00Z", *last = "2026-01-03T02:35:00Z";

	splay_holds("cron '30 2 * * *' start 2026-01-01T00:00:00Z end 2026-01-03T02:35:00Z splay "
		    "2h jitter 1h",
	    first, last, 3);
	splay_holds(
	    "cron '30 2 * * *' start 2026-01-01T00:00:00Z end 2026-01-03T02:30:00Z jitter 1h",
	    first, "2026-01-03T02:30:00Z", 3);
	splay_holds(
	    "at 2026-01-01T00:00:00Z end 2026-01-01T00:00:00Z splay 2h jitter 1h", first, first, 1);
	/* As the command line writes it: the ends inside, the splay outside. */
	splay_holds("any (cron '30 2 * * *' start 2026-01-01T00:00:00Z end 2026-01-03T02:35:00Z, "
		    "cron '30 12 * * *' start 2026-01-01T00:00:00Z end 2026-01-03T02:35:00Z) splay "
		    "2h jitter 1h",
	    first, last, 5);
	splay_holds("any (cron '30 2 * * *', every 1d) start 2026-01-01T00:00:00Z "
		    "end 2026-01-03T02:35:00Z splay 2h jitter 1h",
	    first, last, 5);
	splay_holds(
	    "all (cron '30 2 * * *' start 2026-01-01T00:00:00Z end 2026-01-03T02:35:00Z, "
	    "every 30m start 2026-01-01T00:00:00Z) start 2026-01-01T00:00:00Z splay 2h jitter 1h",
	    first, last, 3);
	splay_holds("all (cron '30 2 * * *', every 30m start 2026-01-01T00:00:00Z "
		    "end 2026-01-03T02:35:00Z splay 5m)",
	    first, last, 0);
}

Test(trigger, splay_is_spread_evenly_over_jobs)
{
	unsigned low = 0;

	for (int i = 0; i < 10000; i++) {
		char id[16];
		schedd_span offset;

		snprintf(id, sizeof(id), "job%d", i);
		offset = trigger_spread_splay(SCHEDD_HOUR, "host", id);
		cr_assert(offset >= 0 && offset <= SCHEDD_HOUR);
		low += offset < SCHEDD_HOUR / 2;
	}
	cr_assert(low > 4700 && low < 5300, "%u", low);
	cr_assert_eq(trigger_spread_splay(0, NULL, NULL), 0);
	cr_assert_neq(trigger_spread_splay(SCHEDD_DAY, "ab", "c"),
	    trigger_spread_splay(SCHEDD_DAY, "a", "bc"));
}

Test(trigger, jitter_only_delays_and_not_beyond_the_end)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	schedd_time fire, now;
	unsigned late = 0;

	trigger_case_init(&tc);
	now = tc.context.now;
	fire = now + SCHEDD_MINUTE;
	trigger = trigger_case_make(&tc, "any (every 1m jitter 10s, every 2m jitter 5s)");
	cr_assert_eq(trigger_jittered(trigger, fire, now, 0), fire);
	cr_assert_eq(trigger_jittered(trigger, fire, now, UINT64_MAX), fire + 10 * SCHEDD_SECOND);
	cr_assert_eq(
	    trigger_jittered(trigger, fire, fire + SCHEDD_MINUTE, 0), fire + SCHEDD_MINUTE);
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger = trigger_case_make(&tc, "every 1m");
	cr_assert_eq(trigger_jittered(trigger, fire, now, 12345), fire);
	trigger_unref(trigger);
	trigger = trigger_case_make(&tc, "every 1m jitter 1h");
	for (uint64_t i = 0; i < 1000; i++)
		late += trigger_jittered(trigger, fire, now, i * (UINT64_MAX / 1000)) >
			fire + 30 * SCHEDD_MINUTE;
	cr_assert(late > 490 && late < 510, "%u", late);
	trigger_unref(trigger);
	trigger = trigger_case_make(
	    &tc, "any (at 2026-01-01T12:00:00Z end 2026-01-01T12:00:20Z) jitter 1m");
	fire = trigger_next(trigger, 0);
	cr_assert_eq(trigger_jittered(trigger, fire, now, UINT64_MAX), fire + 20 * SCHEDD_SECOND);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger, a_date_that_has_passed_is_still_its_first_time)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "at 2025-01-01T00:00:00Z");
	cr_assert_eq(trigger_next(trigger, tc.context.now), SCHEDD_TIME_NONE);
	cr_assert_eq(
	    trigger_first(trigger, tc.context.now), trigger_case_time("2025-01-01T00:00:00Z"));
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger, draws_are_kept_with_the_text)
{
	struct schedd_trigger *first, *second;
	struct trigger_case tc;
	char *json;

	trigger_case_init(&tc);
	tc.context.seed = 0;
	first = trigger_case_make(&tc, "{\"cron\":\"0~59 0~23 * * *\"}");
	json = trigger_case_json(first);
	cr_assert(strstr(json, "\"seed\":"), "%s", json);
	trigger_case_round_trip(&tc, first);
	tc.context.previous = first;
	second = trigger_case_make(&tc, "{\"cron\":\"0~59 0~23 * * *\",\"end\":\"2027-01-01\"}");
	cr_assert_eq(trigger_next(first, tc.context.now), trigger_next(second, tc.context.now));
	free(json);
	trigger_unref(second);
	trigger_unref(first);
	trigger_case_clear(&tc);
}

Test(trigger, is_small)
{
	struct schedd_trigger head;

	cr_assert_leq(sizeof(head), 32);
}
