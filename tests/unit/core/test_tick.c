/* SPDX-License-Identifier: MIT */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "core/frame/scheduler_state.h"

#define EVERY_10S "'trigger':{'type':'interval','seconds':10},'call':{'function':'count'}"

Test(tick, runs_an_interval_job_and_records_it)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	cr_assert_eq(core_add(&f, "{'id':'a'," EVERY_10S "}"), 0, "%s", f.err.message);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 10 * SCHEDD_SECOND);
	core_advance(&f, 25 * SCHEDD_SECOND);
	cr_expect_eq(f.calls, 2);
	core_expect_runs(&f, "a", "1 success; 2 success");
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 30 * SCHEDD_SECOND);
	core_close(&f);
}

Test(tick, tells_one_run_in_order_and_removes_an_exhausted_job)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_forget_events(&f);
	cr_assert_eq(core_add(&f, "{'id':'once','trigger':{'at':'in 5s'},"
				  "'call':{'function':'count'}}"),
	    0, "%s", f.err.message);
	core_advance(&f, 6 * SCHEDD_SECOND);
	core_expect_events(&f, "job_added once; job_submitted once/1; run_started once/1; "
			       "job_executed once/1; job_removed once");
	core_expect_runs(&f, "once", "1 success");
	core_close(&f);
}

Test(tick, does_not_wake_with_nothing_due)
{
	struct core_fixture f = {0};
	schedd_time wall;
	struct schedd_mono mono;

	core_open(&f, NULL);
	/* The first tidying of the history is over. */
	core_advance(&f, SCHEDD_MINUTE);
	scheduler_next_wake(f.scheduler, &wall, &mono);
	cr_expect_eq(wall, SCHEDD_TIME_NONE);
	cr_expect_eq(mono.us, INT64_MAX);
	core_close(&f);
}

/* One turn of the loop. Returns how many have been called. */
static int turn(struct core_fixture *fixture)
{
	struct schedd_scheduler *scheduler = fixture->scheduler;

	scheduler_tick(scheduler);
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		(void)store_flush(scheduler->stores[i]->store, SCHEDD_SPAN_NONE);
	mailbox_deliver(scheduler_mailbox(scheduler));
	/* As at the end of each request, and of each run. */
	scheduler_enter(scheduler);
	scheduler_leave(scheduler);
	return fixture->calls;
}

Test(tick, lets_the_loop_turn_while_many_start)
{
	struct core_fixture f = {.takes = SCHEDD_SECOND / 1000};
	schedd_time wall;
	struct schedd_mono mono;
	char json[160];

	core_open(&f, NULL);
	for (int i = 0; i < 100; i++) {
		snprintf(json, sizeof(json), "{'id':'a%d'," EVERY_10S "}", i);
		cr_assert_eq(core_add(&f, json), 0, "%s", f.err.message);
	}
	f.wall += 10 * SCHEDD_SECOND;
	f.mono += 10 * SCHEDD_SECOND;
	/* After 24 ms it is enough: the clock is looked at now and then. */
	for (int calls = 24; calls < 100; calls += 24) {
		cr_expect_eq(turn(&f), calls);
		scheduler_next_wake(f.scheduler, &wall, &mono);
		cr_expect_eq(wall, SCHEDD_TIME_MIN, "woken again at once");
	}
	cr_expect_eq(turn(&f), 100);
	core_settle(&f);
	cr_expect_eq(f.calls, 100);
	core_close(&f);
}
