/* SPDX-License-Identifier: MIT */
/* One run from its start to its end: outcomes, time-outs, retries, what follows. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "core/frame/scheduler_state.h"

#define S SCHEDD_SECOND
#define NOW "'trigger':{'at':'now'},'keep':true,'command':['x']"

Test(life, judges_by_exit_code)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','success_codes':[0,3]," NOW "}");
	core_task_end(0, 3);
	core_expect_runs(&f, "a", "1 success");
	core_run(&f, "a");
	core_task_end(0, 1);
	cr_expect_str_eq(core_last_reason(&f, "a"), "exit code 1");
	core_run(&f, "a");
	core_task_end_signal(0, SIGSEGV);
	core_expect_runs(&f, "a", "1 success; 2 failed; 3 failed");
	cr_expect_str_eq(core_last_reason(&f, "a"), "ended by signal 11 (SIGSEGV)");
	cr_expect_str_eq(core_field(&f, "a", "state"), "\"finished\"");
	core_close(&f);
}

Test(life, records_a_run_that_could_not_start)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','trigger':{'at':'now'},'command':['/missing']}");
	core_expect_runs(&f, "a", "1 failed");
	cr_expect_str_eq(core_last_reason(&f, "a"), "/missing: No such file or directory");
	core_close(&f);
}

Test(life, ends_a_run_at_its_timeout)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','timeout':5,'kill_after':2,'kill_signal':'INT'," NOW "}");
	core_advance(&f, 5 * S);
	cr_expect_eq(core_task_signal(0), SIGINT);
	core_advance(&f, 2 * S);
	cr_expect_eq(core_task_signal(0), SIGKILL);
	core_task_end_signal(0, SIGKILL);
	core_expect_runs(&f, "a", "1 timeout");
	cr_expect_str_eq(core_last_reason(&f, "a"), "timeout after 5s");
	core_close(&f);
}

/* The time-out's timer becomes that of the kill; it must not stay in the heap beside it. */
Test(life, a_kill_takes_the_place_of_the_timeout)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'b','timeout':3,'kill_after':50," NOW "}");
	core_add(&f, "{'id':'a','timeout':5,'kill_after':2," NOW "}");
	cr_expect_eq(core_kill(&f, "a", 0), 0);
	cr_expect_eq(core_task_signal(1), SIGTERM);
	core_advance(&f, 2 * S);
	cr_expect_eq(core_task_signal(1), SIGKILL);
	core_task_end_signal(1, SIGKILL);
	core_expect_runs(&f, "a", "1 killed");
	cr_expect(heap_check(&f.scheduler->timers.heap));
	core_advance(&f, 10 * S);
	cr_expect_eq(core_task_signal(0), SIGTERM);
	core_task_end_signal(0, SIGTERM);
	core_expect_runs(&f, "b", "1 timeout");
	core_close(&f);
}

Test(life, retries_with_growing_delays_as_one_run)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_forget_events(&f);
	core_add(&f, "{'id':'a','retry':{'limit':2,'delay':10,'backoff':3}," NOW "}");
	core_task_end(0, 1);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 retrying");
	core_advance(&f, 9 * S);
	cr_expect_eq(core_tasks(), 0);
	core_advance(&f, 1 * S);
	cr_expect_eq(core_tasks(), 1);
	core_task_end(0, 1);
	core_advance(&f, 29 * S);
	cr_expect_eq(core_tasks(), 0);
	core_advance(&f, 1 * S);
	core_task_end(0, 0);
	core_expect_runs(&f, "a", "1 success");
	core_expect_events(&f, "job_added a; job_submitted a/1; run_started a/1; run_retrying a/1; "
			       "run_retrying a/1; job_executed a/1; job_modified a");
	core_show_run(&f, "a", 1);
	cr_expect_not_null(strstr(f.json, "\"attempts\":[{\"attempt\":1,\"state\":\"failed\""));
	core_close(&f);
}

Test(life, retries_only_on_the_codes_that_are_named)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','retry':{'limit':2,'delay':1,'on':[75]}," NOW "}");
	core_task_end(0, 1);
	core_expect_runs(&f, "a", "1 failed");
	core_close(&f);
}

Test(life, gives_up_after_the_last_attempt)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','retry':{'limit':1,'delay':1}," NOW "}");
	core_task_end(0, 1);
	core_advance(&f, S);
	core_task_end(0, 2);
	core_expect_runs(&f, "a", "1 failed");
	cr_expect_str_eq(core_last_reason(&f, "a"), "exit code 2");
	core_close(&f);
}

Test(life, kills_a_run_that_waits_for_its_next_attempt)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','retry':{'limit':1,'delay':100}," NOW "}");
	core_task_end(0, 1);
	core_settle(&f);
	cr_expect_eq(core_kill(&f, "a", 0), 0);
	core_expect_runs(&f, "a", "1 killed");
	core_close(&f);
}

Test(life, runs_jobs_after_another)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}");
	cr_assert_eq(
	    core_add(&f, "{'id':'ok','after':['a:ok'],'command':['x']}"), 0, "%s", f.err.message);
	core_add(&f, "{'id':'fail','after':['a:fail'],'command':['x']}");
	core_add(&f, "{'id':'any','after':['a:any'],'command':['x']}");
	cr_expect_str_eq(core_field(&f, "ok", "state"), "\"waiting\"");
	core_run(&f, "a");
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, "ok", "1 running");
	core_expect_runs(&f, "fail", "");
	core_expect_runs(&f, "any", "1 running");
	core_task_end(0, 0);
	core_task_end(0, 0);
	core_run(&f, "a");
	core_task_end(0, 1);
	core_settle(&f);
	core_expect_runs(&f, "fail", "1 running");
	core_expect_runs(&f, "any", "1 success; 2 running");
	core_close(&f);
}

Test(life, refuses_jobs_that_wait_for_each_other)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','after':['c'],'command':['x']}");
	core_add(&f, "{'id':'b','after':['a'],'command':['x']}");
	cr_expect_eq(core_add(&f, "{'id':'c','after':['b'],'command':['x']}"), SCHEDD_EINVAL);
	cr_expect_str_eq(f.err.message, "after: the jobs would wait for each other in a circle: "
					"c after b after a after c");
	cr_expect_eq(core_add(&f, "{'id':'d','after':['d'],'command':['x']}"), SCHEDD_EINVAL);
	core_close(&f);
}

/* Two jobs a layer, each after both of the layer before: as many chains as 2 to the layers. */
Test(life, looks_for_circles_in_a_lattice_at_once)
{
	struct core_fixture f = {0};
	char text[256];

	core_open(&f, NULL);
	core_add(&f, "{'id':'a0','trigger':{'type':'manual'},'command':['x']}");
	core_add(&f, "{'id':'b0','trigger':{'type':'manual'},'command':['x']}");
	for (int layer = 1; layer <= 200; layer++)
		for (char side = 'a'; side <= 'b'; side++) {
			snprintf(text, sizeof(text),
			    "{'id':'%c%d','after':['a%d','b%d'],'command':['x']}", side, layer,
			    layer - 1, layer - 1);
			cr_assert_eq(core_add(&f, text), 0, "%s", f.err.message);
		}
	cr_expect_eq(
	    core_add(&f, "{'id':'self','after':['b200','self'],'command':['x']}"), SCHEDD_EINVAL);
	core_close(&f);
}

Test(life, refuses_a_chain_that_is_too_long)
{
	struct core_fixture f = {0};
	char text[256];
	int length = 0;

	core_open(&f, NULL);
	core_add(&f, "{'id':'j0','trigger':{'type':'manual'},'command':['x']}");
	while (length < 2000) {
		snprintf(text, sizeof(text), "{'id':'j%d','after':['j%d'],'command':['x']}",
		    length + 1, length);
		if (core_add(&f, text))
			break;
		length++;
	}
	cr_expect_eq(length, 1000);
	cr_expect_str_eq(
	    f.err.message, "after: the chain of jobs that wait for each other is longer than 1000");
	core_close(&f);
}

Test(life, answers_those_who_wait_for_an_end)
{
	struct core_fixture f = {0};
	struct scheduler_wait *wait;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}");
	core_run(&f, "a");
	wait = scheduler_wait_run(f.scheduler, "a", 1, core_reply(&f));
	core_settle(&f);
	cr_expect_not_null(wait);
	cr_expect_not(f.answered);
	core_task_end(0, 7);
	core_settle(&f);
	cr_expect(f.answered);
	cr_expect_not_null(strstr(f.json, "\"exit_code\":7"));
	/* One that has ended is answered at once, one that never was is not found. */
	scheduler_wait_run(f.scheduler, "a", 1, core_reply(&f));
	core_settle(&f);
	cr_expect(f.answered && f.rc == 0);
	scheduler_wait_run(f.scheduler, "a", 9, core_reply(&f));
	core_settle(&f);
	cr_expect(f.answered && f.rc == SCHEDD_ENOTFOUND);
	wait = scheduler_wait_idle(f.scheduler, "a", core_reply(&f));
	core_settle(&f);
	cr_expect(f.answered && !wait);
	core_close(&f);
}

Test(life, drains_and_ends_what_takes_too_long)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','kill_after':5," NOW "}");
	scheduler_drain(f.scheduler, 10 * S, false, core_reply(&f));
	core_settle(&f);
	cr_expect_not(f.answered);
	core_advance(&f, 10 * S);
	cr_expect_eq(core_task_signal(0), SIGTERM);
	core_task_end_signal(0, SIGTERM);
	cr_expect(f.answered);
	core_expect_runs(&f, "a", "1 killed");
	cr_expect_str_eq(core_last_reason(&f, "a"), "schedd was stopped");
	core_close(&f);
}
