/* SPDX-License-Identifier: MIT */
#include "core/jobs/misfire.h"

#include <criterion/criterion.h>

#define T0 ((schedd_time)1772409600 * SCHEDD_SECOND)
#define S SCHEDD_SECOND

static struct schedd_trigger *every_10s(void)
{
	struct schedd_trigger *trigger;

	cr_assert_eq(
	    schedd_trigger_parse(
		"{\"type\":\"interval\",\"seconds\":10,\"start\":\"2026-03-02T00:00:00Z\"}", NULL,
		T0, &trigger, NULL),
	    0);
	return trigger;
}

static struct misfire_plan plan_of(
    schedd_time fire, schedd_time now, const struct misfire_rules *rules)
{
	struct schedd_trigger *trigger = every_10s();
	struct misfire_plan plan;

	misfire_plan(trigger, fire, now, rules, &plan);
	schedd_trigger_unref(trigger);
	return plan;
}

static const struct misfire_rules latest = {SCHEDD_SPAN_NONE, JOB_COALESCE_LATEST, 100, UINT64_MAX};

Test(misfire, runs_a_single_time_as_it_is)
{
	struct misfire_plan plan = plan_of(T0 + 10 * S, T0 + 10 * S, &latest);

	cr_expect_eq(plan.runs, 1);
	cr_expect_eq(plan.fire, T0 + 10 * S);
	cr_expect_eq(plan.coalesced, 0);
	cr_expect_eq(plan.late.count, 0);
	cr_expect_eq(plan.next, T0 + 20 * S);
}

Test(misfire, lets_the_latest_stand_for_all)
{
	struct misfire_plan plan = plan_of(T0 + 10 * S, T0 + 45 * S, &latest);

	cr_expect_eq(plan.runs, 1);
	cr_expect_eq(plan.fire, T0 + 40 * S);
	cr_expect_eq(plan.coalesced, 3);
	cr_expect_eq(plan.due.first, T0 + 10 * S);
	cr_expect_eq(plan.next, T0 + 50 * S);
}

Test(misfire, lets_the_earliest_stand_for_all)
{
	struct misfire_rules rules = latest;
	struct misfire_plan plan;

	rules.coalesce = JOB_COALESCE_EARLIEST;
	plan = plan_of(T0 + 10 * S, T0 + 45 * S, &rules);
	cr_expect_eq(plan.fire, T0 + 10 * S);
	cr_expect_eq(plan.coalesced, 3);
}

Test(misfire, sets_late_times_apart_before_it_coalesces)
{
	struct misfire_rules rules = latest;
	struct misfire_plan plan;

	rules.grace = 15 * S;
	plan = plan_of(T0 + 10 * S, T0 + 45 * S, &rules);
	cr_expect_eq(plan.late.count, 2);
	cr_expect_eq(plan.late.first, T0 + 10 * S);
	cr_expect_eq(plan.late.last, T0 + 20 * S);
	cr_expect_eq(plan.fire, T0 + 40 * S);
	cr_expect_eq(plan.coalesced, 1);
	/* Late by exactly the grace time is in time. */
	plan = plan_of(T0 + 10 * S, T0 + 25 * S, &rules);
	cr_expect_eq(plan.late.count, 0);
	plan = plan_of(T0 + 10 * S, T0 + 25 * S + 1, &rules);
	cr_expect_eq(plan.late.count, 1);
	cr_expect_eq(plan.fire, T0 + 20 * S);
}

Test(misfire, has_nothing_to_run_when_all_are_late)
{
	struct misfire_rules rules = latest;
	struct misfire_plan plan;

	rules.grace = 2 * S;
	plan = plan_of(T0 + 10 * S, T0 + 45 * S, &rules);
	cr_expect_eq(plan.runs, 0);
	cr_expect_eq(plan.late.count, 4);
	cr_expect_eq(plan.late.last, T0 + 40 * S);
	cr_expect_eq(plan.next, T0 + 50 * S);
}

Test(misfire, catches_up_with_a_cap_and_counts_the_rest)
{
	struct misfire_rules rules = {SCHEDD_SPAN_NONE, JOB_COALESCE_ALL, 3, UINT64_MAX};
	struct misfire_plan plan = plan_of(T0 + 10 * S, T0 + 25 * S, &rules);

	cr_expect_eq(plan.runs, 2);
	cr_expect_eq(plan.fire, T0 + 10 * S);
	plan = plan_of(T0 + 10 * S, T0 + 100 * S, &rules);
	cr_expect_eq(plan.runs, 3);
	cr_expect_eq(plan.fire, T0 + 80 * S);
	cr_expect_eq(plan.dropped.count, 7);
	cr_expect_eq(plan.dropped.first, T0 + 10 * S);
	cr_expect_eq(plan.dropped.last, T0 + 70 * S);
}

Test(misfire, makes_no_more_runs_than_are_left)
{
	struct misfire_rules rules = {SCHEDD_SPAN_NONE, JOB_COALESCE_ALL, 100, 2};
	struct misfire_plan plan = plan_of(T0 + 10 * S, T0 + 100 * S, &rules);

	cr_expect_eq(plan.runs, 2);
	cr_expect_eq(plan.fire, T0 + 10 * S);
	cr_expect_eq(plan.dropped.count, 0);
}

Test(misfire, counts_a_year_of_seconds)
{
	struct schedd_trigger *trigger;
	struct misfire_plan plan;

	cr_assert_eq(
	    schedd_trigger_parse("{\"cron\":\"* * * * * *\"}", NULL, T0, &trigger, NULL), 0);
	misfire_plan(trigger, T0, T0 + 365 * SCHEDD_DAY - 1, &latest, &plan);
	cr_expect_eq(plan.coalesced, 365 * 86400 - 1);
	cr_expect_eq(plan.fire, T0 + 365 * SCHEDD_DAY - S);
	schedd_trigger_unref(trigger);
}

Test(misfire, takes_a_time_that_is_not_the_triggers)
{
	struct misfire_plan plan = plan_of(T0 + 7 * S, T0 + 25 * S, &latest);

	cr_expect_eq(plan.fire, T0 + 20 * S);
	cr_expect_eq(plan.coalesced, 2);
	cr_expect_eq(plan.due.count, 3);
}
