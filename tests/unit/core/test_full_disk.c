/* SPDX-License-Identifier: MIT */
/* A store that cannot be written: nothing starts that is not recorded, and it goes on afterwards.
 */
#include "support/core_fixture.h"
#include "support/faulty_vfs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define S SCHEDD_SECOND
#define TEN "'trigger':{'type':'interval','seconds':10},'call':{'function':'count'}"

static char database[64];

static void database_make(void)
{
	snprintf(database, sizeof(database), "/tmp/schedd-full-XXXXXX");
	cr_assert_not_null(mkdtemp(database));
	strcat(database, "/jobs.db");
	faulty_install();
}

static void database_remove(void)
{
	char command[128];

	*strrchr(database, '/') = '\0';
	snprintf(command, sizeof(command), "rm -rf %s", database);
	cr_assert_eq(system(command), 0);
}

TestSuite(full_disk, .init = database_make, .fini = database_remove);

static int count_events(const struct core_fixture *f, const char *name)
{
	int count = 0;

	for (int i = 0; i < f->event_count; i++)
		count += strncmp(f->events[i], name, strlen(name)) == 0;
	return count;
}

Test(full_disk, refuses_changes_and_goes_on)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	atomic_store(&faulty.write, SQLITE_FULL);
	cr_expect_lt(core_add(&f, "{'id':'a'," TEN "}"), 0);
	cr_expect_null(scheduler_job_state(f.scheduler, "a"));
	atomic_store(&faulty.write, 0);
	cr_expect_eq(core_add(&f, "{'id':'a'," TEN "}"), 0, "%s", f.err.message);
	core_close(&f);
}

Test(full_disk, starts_no_run_whose_claim_is_not_durable)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'g','misfire_grace_time':5," TEN "}");
	core_forget_events(&f);
	atomic_store(&faulty.write, SQLITE_FULL);
	core_advance(&f, 40 * S);
	cr_expect_eq(f.calls, 0);
	cr_expect_gt(count_events(&f, "store_error"), 1);
	cr_expect_lt(count_events(&f, "store_error"), 20);
	core_forget_events(&f);
	atomic_store(&faulty.write, 0);
	core_advance(&f, 35 * S);
	cr_expect_eq(count_events(&f, "store_recovered"), 1);
	cr_expect_gt(f.calls, 0);
	/* By the misfire rules: one stands for all, the other kept to its grace time. */
	core_show_run(&f, "a", 1);
	cr_expect_not_null(strstr(f.json, "\"state\":\"success\""), "%s", f.json);
	core_show_run(&f, "g", 1);
	cr_expect_not_null(strstr(f.json, "\"state\":\"missed\""), "%s", f.json);
	core_close(&f);
}

Test(full_disk, writes_the_end_of_a_run_later)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}");
	core_run(&f, "a");
	atomic_store(&faulty.write, SQLITE_FULL);
	core_task_end(0, 3);
	core_settle(&f);
	atomic_store(&faulty.write, 0);
	core_add(&f, "{'id':'b','trigger':{'type':'manual'},'command':['x']}");
	core_expect_runs(&f, "a", "1 failed");
	core_close(&f);
}

/* What belongs to an end is tried again with it. */
Test(full_disk, starts_what_follows_an_end_that_is_written_late)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}");
	core_add(&f, "{'id':'b','after':['a'],'command':['x']}");
	core_add(&f, "{'id':'c','after':['a:any'],'command':['x']}");
	core_run(&f, "a");
	atomic_store(&faulty.write, SQLITE_FULL);
	core_task_end(0, 0);
	core_advance(&f, 20 * S);
	cr_expect_eq(core_tasks(), 0);
	atomic_store(&faulty.write, 0);
	core_advance(&f, 60 * S);
	core_expect_runs(&f, "a", "1 success");
	core_expect_runs(&f, "b", "1 running");
	core_expect_runs(&f, "c", "1 running");
	while (core_tasks())
		core_task_end(0, 0);
	core_settle(&f);
	core_reopen(&f);
	/* Nothing is left of the chain that could go on a second time. */
	core_expect_runs(&f, "b", "1 success");
	core_expect_runs(&f, "c", "1 success");
	core_close(&f);
}

/* One commit that fails: what comes behind it must not be undone by what is written late. */
Test(full_disk, lets_a_chain_go_on_once_whatever_commit_fails)
{
	for (int failing = 0; failing < 6; failing++) {
		struct core_fixture f = {0};

		core_open(&f, database);
		core_add_flags(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}",
		    SCHEDULER_ADD_REPLACE);
		core_add_flags(&f, "{'id':'b','after':['a'],'command':['x']}", SCHEDULER_ADD_REPLACE);
		core_run(&f, "a");
		atomic_store(&faulty.countdown, failing + 1);
		core_task_end(0, 0);
		core_settle(&f);
		core_advance(&f, 60 * S);
		atomic_store(&faulty.countdown, 0);
		cr_expect_eq(core_tasks(), 1, "commit %d: %d follow", failing, core_tasks());
		while (core_tasks())
			core_task_end(0, 0);
		core_settle(&f);
		core_reopen(&f);
		cr_expect_eq(core_tasks(), 0, "commit %d: it follows again", failing);
		core_close(&f);
	}
}

/* A job that ran for the last time cannot be removed: that is tried with back-off, and a stop ends
 * it. */
Test(full_disk, removes_a_job_that_has_run_with_back_off)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'once','command':['x']}");
	cr_assert_eq(core_tasks(), 1);
	atomic_store(&faulty.write, SQLITE_FULL);
	core_task_end(0, 0);
	core_forget_events(&f);
	core_advance(&f, 60 * S);
	cr_expect_gt(count_events(&f, "store_error"), 1);
	cr_expect_lt(count_events(&f, "store_error"), 30, "%d failures in a minute",
	    count_events(&f, "store_error"));
	cr_expect_str_neq(core_field(&f, "once", "id"), "");
	atomic_store(&faulty.write, 0);
	core_advance(&f, 60 * S);
	cr_expect_str_eq(core_field(&f, "once", "id"), "");
	core_expect_runs(&f, "once", "1 success");
	atomic_store(&faulty.write, SQLITE_FULL);
	core_add(&f, "{'id':'again','command':['x']}");
	scheduler_drain(f.scheduler, 10 * S, SCHEDULER_DRAIN_WAIT, core_reply(&f));
	core_settle(&f);
	cr_expect(f.answered, "a full disk keeps it from stopping");
	atomic_store(&faulty.write, 0);
	core_close(&f);
}

Test(full_disk, ends_a_pause_with_back_off)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	scheduler_pause_job(f.scheduler, "a", CORE_EPOCH + 30 * S, NULL, NULL, core_reply(&f));
	core_settle(&f);
	cr_assert_eq(f.rc, 0);
	core_forget_events(&f);
	atomic_store(&faulty.write, SQLITE_FULL);
	core_advance(&f, 90 * S);
	cr_expect_gt(count_events(&f, "store_error"), 1);
	cr_expect_lt(count_events(&f, "store_error"), 30, "%d failures in a minute",
	    count_events(&f, "store_error"));
	atomic_store(&faulty.write, 0);
	core_advance(&f, 60 * S);
	cr_expect_str_eq(core_field(&f, "a", "state"), "\"waiting\"");
	core_close(&f);
}

/* A run that waited begins nothing that is not recorded. */
Test(full_disk, begins_no_waiting_run_that_cannot_be_marked)
{
	struct core_fixture f = {.max_workers = 1};

	core_open(&f, database);
	core_add(&f, "{'id':'a','trigger':{'type':'manual'},'command':['x']}");
	core_add(&f, "{'id':'b','trigger':{'type':'manual'},'command':['x']}");
	core_run(&f, "a");
	core_run(&f, "b");
	atomic_store(&faulty.write, SQLITE_FULL);
	core_task_end(0, 0);
	core_advance(&f, 60 * S);
	cr_expect_eq(core_tasks(), 0);
	core_show_run(&f, "b", 1);
	cr_expect_not_null(strstr(f.json, "store default to be written"), "%s", f.json);
	atomic_store(&faulty.write, 0);
	core_advance(&f, 60 * S);
	cr_expect_str_eq(core_task_run(0), "b/1");
	core_close(&f);
}

/* What belongs to a run that has begun is written out of what was set aside for it; nothing new is. */
Test(full_disk, writes_ends_out_of_its_reserve)
{
	static char reserve[96];
	struct core_fixture f = {0};

	snprintf(reserve, sizeof(reserve), "%s-reserve", database);
	core_open(&f, database);
	core_add(&f, "{'id':'tick'," TEN "}");
	core_add(&f, "{'id':'a','command':['x']}");
	core_add(&f, "{'id':'b','after':['a'],'command':['x']}");
	cr_assert_eq(core_tasks(), 1);
	core_forget_events(&f);
	atomic_store(&faulty.reserve, reserve);
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 success");
	cr_expect_str_eq(core_field(&f, "a", "id"), "", "a job that ran for the last time stays");
	cr_expect_str_eq(core_task_run(0), "b/1", "what follows does not start");
	cr_expect_lt(core_add(&f, "{'id':'c'," TEN "}"), 0);
	core_advance(&f, 60 * S);
	cr_expect_eq(f.calls, 0, "a run was begun");
	cr_expect_lt(count_events(&f, "store_error"), 30, "%d failures in a minute",
	    count_events(&f, "store_error"));
	core_task_end(0, 0);
	core_settle(&f);
	core_expect_runs(&f, "b", "1 success");
	core_forget_events(&f);
	atomic_store(&faulty.reserve, NULL);
	core_advance(&f, 60 * S);
	cr_expect_eq(count_events(&f, "store_recovered"), 1);
	cr_expect_gt(f.calls, 0);
	cr_expect_eq(core_add(&f, "{'id':'c'," TEN "}"), 0);
	core_reopen(&f);
	cr_expect_eq(core_tasks(), 0);
	core_close(&f);
	cr_expect_eq(access(reserve, F_OK), -1, "the reserve stays behind");
}
