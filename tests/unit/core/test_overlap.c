/* SPDX-License-Identifier: MIT */
/* More runs than may go on: overlap, groups, workers, priorities. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <signal.h>

#define TEN "'trigger':{'type':'interval','seconds':10},'command':['x']"
#define S SCHEDD_SECOND

Test(overlap, skips_by_default_and_keeps_one_row)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_advance(&f, 10 * S);
	core_forget_events(&f);
	core_advance(&f, 30 * S);
	core_expect_runs(&f, "a", "1 running; 2 skipped x3");
	core_expect_events(
	    &f, "job_max_instances a/2; job_max_instances a/2; job_max_instances a/2");
	cr_expect_str_eq(core_last_reason(&f, "a"), "run a/1 still going");
	core_task_end(0, 0);
	core_advance(&f, 20 * S);
	core_expect_runs(&f, "a", "1 success; 2 skipped x3; 3 running; 4 skipped");
	core_close(&f);
}

Test(overlap, queues_where_it_is_told_to)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','overlap':'queue'," TEN "}");
	core_advance(&f, 30 * S);
	core_expect_runs(&f, "a", "1 running; 2 queued; 3 queued");
	cr_expect_eq(core_tasks(), 1);
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect_str_eq(core_task_run(0), "a/2");
	cr_expect_str_eq(core_field(&f, "a", "queued"), "1");
	core_close(&f);
}

Test(overlap, replaces_the_oldest_run)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','overlap':'replace'," TEN "}");
	core_advance(&f, 20 * S);
	cr_expect_eq(core_tasks(), 1);
	cr_expect_eq(core_task_signal(0), SIGTERM);
	core_task_end_signal(0, SIGTERM);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 killed; 2 running");
	core_close(&f);
}

Test(overlap, kills_a_replaced_run_that_does_not_listen)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','overlap':'replace','kill_after':3," TEN "}");
	core_advance(&f, 22 * S);
	cr_expect_eq(core_task_signal(0), SIGTERM);
	core_advance(&f, 2 * S);
	cr_expect_eq(core_task_signal(0), SIGKILL);
	core_close(&f);
}

Test(overlap, lets_several_instances_run)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','max_instances':2," TEN "}");
	core_advance(&f, 30 * S);
	core_expect_runs(&f, "a", "1 running; 2 running; 3 skipped");
	core_close(&f);
}

Test(overlap, refuses_one_more_run_by_hand_unless_forced)
{
	struct core_fixture f = {0};
	struct scheduler_run_options force = {.force = true, .trigger = RUN_BY_HAND};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}");
	cr_expect_str_eq(core_field(&f, "a", "state"), "\"waiting\"");
	cr_assert_eq(core_run(&f, "a"), 0);
	cr_expect_str_eq(f.run, "a/1");
	cr_expect_eq(core_run(&f, "a"), SCHEDD_ECONFLICT);
	scheduler_run_job(f.scheduler, "a", &force, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(f.rc, 0);
	core_expect_runs(&f, "a", "1 running; 2 running");
	core_close(&f);
}

Test(overlap, keeps_a_group_to_its_limit)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	scheduler_group_set(f.scheduler, "io", 0, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(f.rc, SCHEDD_EINVAL);
	scheduler_group_set(f.scheduler, "io", 1, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(f.rc, 0);
	core_add(&f, "{'id':'a','group':'io'," TEN "}");
	core_add(&f, "{'id':'b','group':'io','priority':5," TEN "}");
	core_add(&f, "{'id':'c','group':'io'," TEN "}");
	core_advance(&f, 10 * S);
	cr_expect_eq(core_tasks(), 1);
	core_task_end(0, 0);
	core_settle(&f);
	/* The one of higher priority goes first, unless it was first already. */
	cr_expect_eq(core_tasks(), 1);
	core_task_end(0, 0);
	core_settle(&f);
	core_task_end(0, 0);
	cr_expect_eq(core_tasks(), 0);
	core_expect_runs(&f, "b", "1 success");
	core_close(&f);
}

Test(overlap, has_what_waits_where_its_job_belongs_now)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	scheduler_group_set(f.scheduler, "io", 1, NULL, core_reply(&f));
	core_settle(&f);
	for (const char *id = "abcdef"; *id; id++) {
		char json[128];

		snprintf(json, sizeof(json), "{'id':'%c','group':'io'," TEN "}", *id);
		core_add(&f, json);
	}
	core_advance(&f, 10 * S);
	cr_expect_eq(core_tasks(), 1);
	/* Out of the group, into one with room, and into one that is full as well. */
	cr_expect_eq(core_modify(&f, "b", "{'group':null}"), 0);
	cr_expect_eq(core_tasks(), 2);
	cr_expect_eq(core_modify(&f, "c", "{'group':'free'}"), 0);
	cr_expect_eq(core_tasks(), 3);
	scheduler_group_set(f.scheduler, "free", 1, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(core_modify(&f, "d", "{'group':'free'}"), 0);
	cr_expect_eq(core_tasks(), 3);
	/* The last one first. */
	cr_expect_eq(core_modify(&f, "f", "{'priority':5}"), 0);
	cr_expect_eq(core_modify(&f, "e", "{'description':'x'}"), 0);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, "f", "1 running");
	core_expect_runs(&f, "e", "1 queued");
	core_expect_runs(&f, "d", "1 queued");
	/* What runs keeps its place where it took it. */
	cr_expect_eq(core_modify(&f, "f", "{'group':null}"), 0);
	core_expect_runs(&f, "e", "1 queued");
	cr_expect_eq(core_modify(&f, "e", "{'group':null}"), 0);
	core_expect_runs(&f, "e", "1 running");
	core_close(&f);
}

Test(overlap, starts_by_priority_where_workers_are_few)
{
	struct core_fixture f = {.max_workers = 1};

	core_open(&f, NULL);
	core_add(&f, "{'id':'low','priority':-1," TEN "}");
	core_add(&f, "{'id':'high','priority':10," TEN "}");
	core_add(&f, "{'id':'mid'," TEN "}");
	core_advance(&f, 10 * S);
	cr_expect_str_eq(core_task_run(0), "high/1");
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect_str_eq(core_task_run(0), "mid/1");
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect_str_eq(core_task_run(0), "low/1");
	core_close(&f);
}

Test(overlap, kills_running_and_cancels_queued_runs)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','overlap':'queue'," TEN "}");
	core_advance(&f, 20 * S);
	cr_expect_eq(core_kill(&f, "a", 2), 0);
	core_expect_runs(&f, "a", "1 running; 2 cancelled");
	cr_expect_eq(core_kill(&f, "a", 1), 0);
	cr_expect_eq(core_task_signal(0), SIGTERM);
	core_task_end_signal(0, SIGTERM);
	core_expect_runs(&f, "a", "1 killed; 2 cancelled");
	cr_expect_eq(core_kill(&f, "a", 1), SCHEDD_ECONFLICT);
	cr_expect_eq(core_kill(&f, "nobody", 0), SCHEDD_ENOTFOUND);
	core_close(&f);
}

/* However the limit is raised, those that wait for it go on. */
Test(overlap, lets_go_on_when_the_limit_is_raised)
{
	static const char *const ways[] = {"modify", "replace", "apply"};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct core_fixture f = {0};

		core_open(&f, NULL);
		core_add(&f, "{'id':'a','overlap':'queue'," TEN "}");
		core_advance(&f, 30 * S);
		cr_assert_eq(core_tasks(), 1);
		if (i == 0)
			core_modify(&f, "a", "{'max_instances':2}");
		else if (i == 1)
			core_add_flags(&f, "{'id':'a','overlap':'queue','max_instances':2," TEN "}",
			    SCHEDULER_ADD_REPLACE);
		else
			core_apply(&f, "[{'id':'a','overlap':'queue','max_instances':2," TEN "}]",
			    NULL, false, false);
		core_settle(&f);
		cr_expect_eq(core_tasks(), 2, "%s: %d run", ways[i], core_tasks());
		core_close(&f);
	}
}
