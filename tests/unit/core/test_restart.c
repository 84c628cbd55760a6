/* SPDX-License-Identifier: MIT */
/* What a life leaves behind for the next one, and stores that fail. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S SCHEDD_SECOND
#define TEN "'trigger':{'type':'interval','seconds':10},'command':['x']"

static char database[64];

static void database_make(void)
{
	snprintf(database, sizeof(database), "/tmp/schedd-restart-XXXXXX");
	cr_assert_not_null(mkdtemp(database));
	strcat(database, "/jobs.db");
}

static void database_remove(void)
{
	char command[128];

	*strrchr(database, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf %s", database);
	cr_assert_eq(system(command), 0);
}

TestSuite(restart, .init = database_make, .fini = database_remove);

Test(restart, finds_jobs_as_they_were)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a','tags':{'k':'v'}," TEN "}");
	core_add(&f, "{'id':'p'," TEN "}");
	core_pause(&f, "p", "upgrade");
	core_reopen(&f);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 10 * S);
	cr_expect_str_eq(core_field(&f, "p", "state"), "\"paused\"");
	f.wall += 30 * S;
	core_resume(&f, "p", false);
	cr_expect_str_eq(core_last_reason(&f, "p"), "paused by uid 1000: upgrade");
	core_close(&f);
}

Test(restart, records_runs_of_a_dead_daemon_as_lost)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'r','recover':true," TEN "}");
	core_advance(&f, 10 * S);
	cr_assert_eq(core_tasks(), 2);
	core_close(&f);
	f.wall += 5 * S;
	core_open(&f, database);
	core_expect_runs(&f, "a", "1 lost");
	core_expect_runs(&f, "r", "1 lost; 2 running");
	cr_expect_eq(core_tasks(), 1);
	core_close(&f);
}

Test(restart, executes_nothing_twice)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a','trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, 10 * S);
	cr_assert_eq(f.calls, 1);
	core_reopen(&f);
	cr_expect_eq(f.calls, 1);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 20 * S);
	core_close(&f);
}

Test(restart, goes_on_counting_events_and_runs)
{
	struct core_fixture f = {0};
	uint64_t seq;

	core_open(&f, database);
	core_add(&f, "{'id':'a','trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, 10 * S);
	seq = scheduler_event_seq(f.scheduler);
	core_remove(&f, "a");
	core_reopen(&f);
	cr_expect_gt(scheduler_event_seq(f.scheduler), seq);
	core_add(&f, "{'id':'a','trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "a", "1 success; 2 success");
	core_close(&f);
}

Test(restart, leaves_no_gap_in_event_numbers_after_a_clean_stop)
{
	struct core_fixture f = {0};
	uint64_t seq;

	core_open(&f, database);
	scheduler_drain(f.scheduler, 0, false, core_reply(&f));
	core_settle(&f);
	cr_assert(f.answered);
	seq = scheduler_event_seq(f.scheduler);
	core_reopen(&f);
	cr_expect_eq(scheduler_event_seq(f.scheduler), seq + 1);
	core_close(&f);
}

Test(restart, keeps_pauses_of_the_scheduler_and_limits_of_groups)
{
	struct core_fixture f = {0};
	struct scheduler_actor actor = {5, 1, "scheduler.pause", NULL};

	core_open(&f, database);
	scheduler_group_set(f.scheduler, "io", 1, NULL, core_reply(&f));
	core_settle(&f);
	core_add(&f, "{'id':'a','group':'io'," TEN "}");
	core_add(&f, "{'id':'b','group':'io'," TEN "}");
	scheduler_set_paused(f.scheduler, true, &actor, core_reply(&f));
	core_settle(&f);
	core_reopen(&f);
	core_advance(&f, 10 * S);
	cr_expect_eq(core_tasks(), 0);
	scheduler_set_paused(f.scheduler, false, &actor, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(core_tasks(), 1);
	core_close(&f);
}

Test(restart, runs_at_start_and_first_after_a_boot)
{
	struct core_fixture f = {.boot_id = "boot-1"};

	core_open(&f, database);
	core_add(&f, "{'id':'start','trigger':{'type':'on_start'},'call':{'function':'count'}}");
	core_add(&f, "{'id':'boot','trigger':{'type':'on_boot'},'call':{'function':'count'}}");
	cr_expect_eq(f.calls, 0);
	core_reopen(&f);
	core_expect_runs(&f, "start", "1 success");
	core_expect_runs(&f, "boot", "");
	core_close(&f);
	f.boot_id = "boot-2";
	core_open(&f, database);
	core_expect_runs(&f, "start", "1 success; 2 success");
	core_expect_runs(&f, "boot", "1 success");
	cr_expect_str_eq(core_field(&f, "boot", "state"), "\"waiting\"");
	core_close(&f);
}

Test(restart, finishes_a_job_that_ended_with_the_last_life)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a','trigger':{'at':'in 5s'},'command':['x']}");
	core_advance(&f, 5 * S);
	core_reopen(&f);
	cr_expect_null(scheduler_job_state(f.scheduler, "a"));
	core_expect_runs(&f, "a", "1 lost");
	core_close(&f);
}
