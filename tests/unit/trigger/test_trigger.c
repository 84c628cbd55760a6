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

Test(trigger, splay_moves_all_times_by_the_same)
{
	struct schedd_trigger *plain, *moved;
	struct trigger_case tc;
	schedd_span offset;

	trigger_case_init(&tc);
	plain =
	    trigger_case_make(&tc, "every 1h start 2026-01-01T00:00:00Z end 2026-01-01T05:00:00Z");
	moved = trigger_case_make(
	    &tc, "every 1h start 2026-01-01T00:00:00Z end 2026-01-01T05:00:00Z splay 3h");
	offset = trigger_spread_splay(3 * SCHEDD_HOUR, "host", "job");
	cr_assert(offset > 0 && offset <= 3 * SCHEDD_HOUR);
	for (schedd_time at = 0; at != SCHEDD_TIME_NONE;) {
		schedd_time fire = trigger_next(plain, at),
			    later = trigger_next(moved, at ? at + offset : 0);

		cr_assert_eq(later, fire == SCHEDD_TIME_NONE ? fire : fire + offset);
		cr_assert(later == SCHEDD_TIME_NONE || trigger_next(moved, later) == later);
		at = fire == SCHEDD_TIME_NONE ? fire : fire + 1;
	}
	cr_assert_eq(trigger_count(moved, 0, SCHEDD_TIME_MAX, 100), 6);
	cr_assert_eq(trigger_latest(moved, 0, SCHEDD_TIME_MAX),
	    trigger_case_time("2026-01-01T05:00:00Z") + offset);
	trigger_case_round_trip(&tc, moved);
	trigger_unref(plain);
	trigger_unref(moved);
	trigger_case_clear(&tc);
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

Test(trigger, jitter_goes_both_ways_but_never_before_now)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	schedd_time fire, now;

	trigger_case_init(&tc);
	now = tc.context.now;
	fire = now + SCHEDD_MINUTE;
	trigger = trigger_case_make(&tc, "any (every 1m jitter 10s, every 2m jitter 5s)");
	cr_assert_eq(trigger_jittered(trigger, fire, now, 0), fire - 10 * SCHEDD_SECOND);
	cr_assert_eq(trigger_jittered(trigger, fire, now, UINT64_MAX), fire + 10 * SCHEDD_SECOND);
	cr_assert_eq(trigger_jittered(trigger, fire, fire, 0), fire);
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger = trigger_case_make(&tc, "every 1m");
	cr_assert_eq(trigger_jittered(trigger, fire, now, 12345), fire);
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
