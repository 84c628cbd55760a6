/* SPDX-License-Identifier: MIT */
/* Late runs: grace time, coalescing, downtime, pauses, steps of the clock. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEN "'trigger':{'type':'interval','seconds':10},'call':{'function':'count'}"
#define S SCHEDD_SECOND

static char database[64];

static void database_make(void)
{
	snprintf(database, sizeof(database), "/tmp/schedd-late-XXXXXX");
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

Test(late, coalesces_what_a_sleep_left_behind)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_jump(&f, 45 * S);
	cr_expect_eq(f.calls, 1);
	core_expect_runs(&f, "a", "1 success +3");
	core_close(&f);
}

Test(late, drops_what_is_beyond_the_grace_time_with_a_row)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','misfire_grace_time':2," TEN "}");
	core_jump(&f, 45 * S);
	cr_expect_eq(f.calls, 0);
	core_expect_runs(&f, "a", "1 missed x4");
	cr_expect_str_eq(core_last_reason(&f, "a"), "later than its misfire_grace_time 2s");
	/* More of the same cause joins the row. */
	core_jump(&f, 40 * S);
	core_expect_runs(&f, "a", "1 missed x8");
	core_advance(&f, 5 * S);
	core_jump(&f, 40 * S);
	core_expect_runs(&f, "a", "1 missed x8; 2 success; 3 missed x3; 4 success");
	core_close(&f);
}

Test(late, catches_up_one_after_the_other)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	f.settings.catchup_max = 3;
	scheduler_set_settings(f.scheduler, &f.settings);
	core_add(&f, "{'id':'a','coalesce':'all','trigger':{'every':'10s'},'command':['x']}");
	core_jump(&f, 60 * S);
	cr_expect_eq(core_tasks(), 1);
	core_expect_runs(&f, "a", "1 missed x3; 2 running; 3 queued; 4 queued");
	core_task_end(0, 0);
	core_settle(&f);
	core_task_end(0, 0);
	core_settle(&f);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 missed x3; 2 success; 3 success; 4 success");
	core_close(&f);
}

Test(late, measures_grace_when_the_run_really_starts)
{
	struct core_fixture f = {.max_workers = 1};

	core_open(&f, NULL);
	core_add(&f, "{'id':'long','trigger':{'at':'in 5s'},'command':['x']}");
	core_add(
	    &f, "{'id':'late','misfire_grace_time':3,'trigger':{'at':'in 6s'},'command':['x']}");
	core_advance(&f, 20 * S);
	core_expect_runs(&f, "late", "1 queued");
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, "late", "1 missed");
	cr_expect_str_eq(
	    core_last_reason(&f, "late"), "waited 14s for its turn, misfire_grace_time is 3s");
	cr_expect_eq(core_tasks(), 0);
	core_close(&f);
}

Test(late, continues_after_downtime_as_if_it_had_been_busy)
{
	struct core_fixture f = {0};

	database_make();
	core_open(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'g','misfire_grace_time':5," TEN "}");
	core_advance(&f, 20 * S);
	f.calls = 0;
	core_close(&f);
	f.wall += 2 * SCHEDD_HOUR + 6 * S;
	core_open(&f, database);
	cr_expect_eq(f.calls, 1);
	core_expect_runs(&f, "a", "1 success; 2 success; 3 success +719");
	core_expect_runs(&f, "g", "1 success; 2 success; 3 missed x720");
	cr_expect_str_eq(core_last_reason(&f, "g"), "daemon down 00:00–02:00");
	core_close(&f);
	database_remove();
}

Test(late, repeats_nothing_when_the_clock_is_put_back)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_advance(&f, 100 * S);
	cr_expect_eq(f.calls, 10);
	core_step(&f, -SCHEDD_HOUR);
	core_advance(&f, SCHEDD_HOUR);
	cr_expect_eq(f.calls, 10);
	core_advance(&f, 10 * S);
	cr_expect_eq(f.calls, 11);
	core_close(&f);
}

Test(late, catches_up_when_the_clock_is_put_forward)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_step(&f, 365 * SCHEDD_DAY);
	cr_expect_eq(f.calls, 1);
	core_expect_runs(&f, "a", "1 success +3153599");
	core_step(&f, -365 * SCHEDD_DAY);
	core_advance(&f, 60 * S);
	cr_expect_eq(f.calls, 1);
	core_close(&f);
}

Test(late, makes_one_row_of_a_pause)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_advance(&f, 10 * S);
	cr_assert_eq(core_pause(&f, "a", "upgrade"), 0);
	cr_expect_eq(core_next(&f, "a"), SCHEDD_TIME_NONE);
	cr_expect_str_eq(core_field(&f, "a", "state"), "\"paused\"");
	core_advance(&f, 35 * S);
	cr_assert_eq(core_resume(&f, "a", false), 0);
	core_expect_runs(&f, "a", "1 success; 2 missed x3");
	cr_expect_str_eq(core_last_reason(&f, "a"), "paused by uid 1000: upgrade");
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 50 * S);
	core_close(&f);
}

Test(late, runs_what_a_pause_held_back_when_asked_to)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_pause(&f, "a", NULL);
	core_advance(&f, 35 * S);
	cr_assert_eq(core_resume(&f, "a", true), 0);
	core_expect_runs(&f, "a", "1 success +2");
	core_close(&f);
}

Test(late, resumes_by_itself_when_the_time_has_come)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	scheduler_pause_job(f.scheduler, "a", CORE_EPOCH + 25 * S, "nap",
	    &(struct scheduler_actor){1000, 1, "job.pause", NULL}, core_reply(&f));
	core_settle(&f);
	core_advance(&f, 24 * S);
	cr_expect_eq(f.calls, 0);
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "a", "1 missed x2; 2 success");
	core_close(&f);
}

Test(late, treats_a_pause_of_the_scheduler_as_downtime)
{
	struct core_fixture f = {0};
	struct scheduler_actor actor = {0, 1, "scheduler.pause", NULL};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'g','misfire_grace_time':1," TEN "}");
	scheduler_set_paused(f.scheduler, true, &actor, core_reply(&f));
	core_settle(&f);
	core_advance(&f, 55 * S);
	cr_expect_eq(f.calls, 0);
	scheduler_set_paused(f.scheduler, false, &actor, core_reply(&f));
	core_settle(&f);
	core_expect_runs(&f, "a", "1 success +4");
	core_expect_runs(&f, "g", "1 missed x5");
	cr_expect_str_eq(core_last_reason(&f, "g"), "scheduler paused by uid 0");
	core_close(&f);
}
