/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_interval.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include "support/trigger_case.h"

Test(trigger_interval, is_a_grid_from_its_start)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "every 1.5s start 2024-01-01T00:00:00Z");
	cr_assert_eq(trigger_next(trigger, 0), trigger_case_time("2024-01-01T00:00:00Z"));
	cr_assert_eq(trigger_next(trigger, trigger_case_time("2024-01-01T00:00:00.000001Z")),
	    trigger_case_time("2024-01-01T00:00:01.5Z"));
	cr_assert_eq(trigger_latest(trigger, 0, trigger_case_time("2024-01-01T00:00:01Z")),
	    trigger_case_time("2024-01-01T00:00:00Z"));
	cr_assert_eq(trigger_latest(trigger, 0, trigger_case_time("2023-01-01T00:00:01Z")),
	    SCHEDD_TIME_NONE);
	cr_assert_eq(trigger_count(trigger, 0, trigger_case_time("2024-01-01T00:00:03Z"), 100), 3);
	cr_assert_eq(trigger_count(trigger, 0, SCHEDD_TIME_MAX, 100), 100);
	cr_assert_eq(trigger_next(trigger, SCHEDD_TIME_MAX), SCHEDD_TIME_NONE);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_interval, without_start_first_fires_one_interval_from_now)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	char *json;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "{\"every\":\"15m\"}");
	cr_assert_eq(trigger_next(trigger, tc.context.now), tc.context.now + 15 * SCHEDD_MINUTE);
	json = trigger_case_json(trigger);
	cr_assert_str_eq(json, "{\"type\":\"interval\",\"seconds\":900,"
			       "\"start\":\"2026-01-01T00:15:00+00:00\",\"timezone\":\"UTC\"}");
	free(json);
	trigger_unref(trigger);
	trigger = trigger_case_make(&tc, "{\"every\":\"15m\",\"start\":\"now\"}");
	cr_assert_eq(trigger_next(trigger, tc.context.now), tc.context.now);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_interval, keeps_its_anchor_while_the_interval_is_the_same)
{
	struct schedd_trigger *first, *second;
	struct trigger_case tc;

	trigger_case_init(&tc);
	first = trigger_case_make(&tc, "{\"every\":\"15m\"}");
	tc.context.now += 1234567;
	tc.context.previous = first;
	second = trigger_case_make(&tc, "{\"every\":\"900\"}");
	cr_assert(trigger_equal(first, second));
	trigger_unref(second);
	second = trigger_case_make(&tc, "{\"every\":\"20m\"}");
	cr_assert_eq(trigger_next(second, 0), tc.context.now + 20 * SCHEDD_MINUTE);
	trigger_unref(second);
	trigger_unref(first);
	trigger_case_clear(&tc);
}

/* The first common time of two grids found by walking one of them. */
static schedd_time meet_slowly(const struct trigger_grid *a, const struct trigger_grid *b)
{
	for (schedd_time at = a->anchor; at < a->anchor + a->step * b->step + b->anchor;
	     at += a->step)
		if (at >= b->anchor && (at - b->anchor) % b->step == 0)
			return at;
	return SCHEDD_TIME_NONE;
}

Test(trigger_interval, grids_meet_where_a_walk_finds_it)
{
	unsigned seed = 3;

	for (int i = 0; i < 20000; i++) {
		struct trigger_grid a = {rand_r(&seed) % 200, rand_r(&seed) % 60 + 1};
		struct trigger_grid b = {rand_r(&seed) % 200, rand_r(&seed) % 60 + 1}, met = a;
		schedd_time slow = meet_slowly(&a, &b);

		cr_assert_eq(trigger_interval_meet(&met, &b), slow != SCHEDD_TIME_NONE);
		if (slow == SCHEDD_TIME_NONE)
			continue;
		cr_assert_eq(met.anchor, slow);
		cr_assert(met.step % a.step == 0 && met.step % b.step == 0);
	}
}

Test(trigger_interval, grids_that_meet_once_in_all_time_do_so)
{
	struct trigger_grid a = {0, 100000000000003}, b = {100000000000003 * 7, 99999999999973};
	struct trigger_grid c = {1, 2};

	cr_assert(trigger_interval_meet(&a, &b));
	cr_assert_eq(a.anchor, 100000000000003 * 7);
	cr_assert_eq(a.step, SCHEDD_TIME_MAX + 1);
	cr_assert(trigger_interval_meet(&a, &c));
	cr_assert_eq(a.anchor, 100000000000003 * 7);
}
