/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "support/trigger_case.h"

Test(trigger_combine, any_of_them_fires_equal_times_once)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	schedd_time at;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "any (every 2m start 2026-01-01T00:00:00Z, "
					 "every 3m start 2026-01-01T00:00:00Z)");
	at = tc.context.now;
	for (int minute = 0; minute < 600; minute++) {
		if (minute % 2 && minute % 3)
			continue;
		at = trigger_next(trigger, at);
		cr_assert_eq(at, tc.context.now + minute * SCHEDD_MINUTE);
		at++;
	}
	cr_assert_eq(
	    trigger_count(trigger, tc.context.now, tc.context.now + SCHEDD_HOUR, 1000), 41);
	cr_assert_eq(trigger_latest(trigger, 0, tc.context.now + 11 * SCHEDD_MINUTE),
	    tc.context.now + 10 * SCHEDD_MINUTE);
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_combine, all_of_them_must_agree)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc,
	    "all (every 20m start 2026-01-01T00:00:00Z, "
	    "every 30m start 2026-01-01T00:00:00Z end 2026-01-01T03:00:00Z)");
	cr_assert_eq(trigger_next(trigger, tc.context.now + 1), tc.context.now + SCHEDD_HOUR);
	cr_assert_eq(trigger_count(trigger, tc.context.now, SCHEDD_TIME_MAX, 1000), 4);
	cr_assert_eq(trigger_latest(trigger, 0, SCHEDD_TIME_MAX), tc.context.now + 3 * SCHEDD_HOUR);
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_combine, that_never_agree_say_so_in_bounded_time)
{
	static const char *const never[] = {
	    "all (every 2m start 2026-01-01T00:00:00Z, every 2m start 2026-01-01T00:00:30Z)",
	    "all (cron '0 17 * * *', cron '0 14,22,23 * * *')",
	    "all (cron '* * * * *', every 1m start 2026-01-01T00:00:00.5Z)",
	    "all (cron '0 0 30 2 *', every 1s)",
	    "all (cron '*/2 * * * *', cron '1-59/2 * * * *', any (cron '@daily', every 4m))",
	    "all (at 2026-01-01T00:00:00Z, at 2026-01-02T00:00:00Z)",
	};
	struct trigger_case tc;

	trigger_case_init(&tc);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct schedd_trigger *trigger = trigger_case_make(&tc, never[i]);

		cr_assert_eq(trigger_next(trigger, 0), SCHEDD_TIME_NONE, "%s", never[i]);
		cr_assert_eq(
		    trigger_latest(trigger, 0, SCHEDD_TIME_MAX), SCHEDD_TIME_NONE, "%s", never[i]);
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}

Test(trigger_combine, goes_on_with_the_others_when_one_search_gives_up)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "any (all (cron '*/2 * * * *', cron '1-59/2 * * * *'), "
					 "every 5m start 2026-01-01T00:00:00Z)");
	cr_assert_eq(trigger_next(trigger, tc.context.now + 1), tc.context.now + 5 * SCHEDD_MINUTE);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_combine, finds_rare_meetings_far_ahead)
{
	struct schedd_trigger *trigger;
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "all (cron '0 0 29 2 *', cron '0 0 * * mon')");
	cr_assert_eq(
	    trigger_next(trigger, tc.context.now), trigger_case_time("2044-02-29T00:00:00Z"));
	cr_assert_eq(
	    trigger_latest(trigger, 0, tc.context.now), trigger_case_time("2016-02-29T00:00:00Z"));
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}

Test(trigger_combine, keeps_anchors_of_its_children)
{
	struct schedd_trigger *first, *second;
	struct trigger_case tc;

	trigger_case_init(&tc);
	first =
	    trigger_case_make(&tc, "any (every 5m, all (every 7m, cron '0~30 4 * * *'), every 9m)");
	tc.context.now += 77777;
	tc.context.seed = 99;
	tc.context.previous = first;
	second = trigger_case_make(
	    &tc, "any (every 5m, all (every 7m, cron '0~30  4 * * *'), every 9m)");
	cr_assert(trigger_equal(first, second));
	trigger_unref(second);
	trigger_unref(first);
	trigger_case_clear(&tc);
}

Test(trigger_combine, collects_events_but_not_under_all)
{
	struct schedd_trigger *trigger;
	struct schedd_error err = {0};
	struct trigger_case tc;

	trigger_case_init(&tc);
	trigger = trigger_case_make(&tc, "any (on-boot, any (on-start, every 5m))");
	cr_assert_eq(trigger_events(trigger), TRIGGER_ON_START | TRIGGER_ON_BOOT);
	cr_assert(trigger_has_clock(trigger));
	trigger_case_round_trip(&tc, trigger);
	trigger_unref(trigger);
	trigger = trigger_case_make(&tc, "any (manual)");
	cr_assert_not(trigger_has_clock(trigger));
	cr_assert_eq(trigger_next(trigger, 0), SCHEDD_TIME_NONE);
	trigger_unref(trigger);
	cr_assert_eq(
	    trigger_case_try(&tc, "all (every 5m, on-start)", &trigger, &err), SCHEDD_EINVAL);
	cr_assert_str_eq(err.message, "trigger: all[1]: what no clock fires cannot stand in a "
				      "combination by 'and'");
	trigger_case_clear(&tc);
}
