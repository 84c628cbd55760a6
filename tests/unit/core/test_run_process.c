/* SPDX-License-Identifier: MIT */
/* How often the row of a run is written, and when it says which process that is. */
#include "core/runs/run_process.h"

#include <criterion/criterion.h>
#include "support/core_fixture.h"
#include "support/faulty_vfs.h"
#include "support/sql_case.h"

static char path[96];

/* What is written to rows of runs after they were made is counted by the database itself. */
static void counted_open(struct core_fixture *fixture)
{
	strcpy(path, "/tmp/run-process-XXXXXX");
	cr_assert(mkdtemp(path));
	strcat(path, "/jobs.db");
	core_open_file(fixture, path);
	core_close(fixture);
	sql_case_exec(path, "CREATE TABLE written (number); CREATE TRIGGER count_written AFTER UPDATE ON runs BEGIN "
			    "INSERT INTO written VALUES (new.number); END");
	core_open_file(fixture, path);
	cr_assert_eq(core_add(fixture, "{'id':'a','command':['/x'],'trigger':{'every':'1h'},'max_instances':9}"), 0);
}

static const char *counted(const char *text)
{
	return sql_case_text(path, text);
}

static void counted_close(struct core_fixture *fixture)
{
	core_close(fixture);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

Test(run_process, is_written_once_more_where_the_run_is_over_at_once)
{
	struct core_fixture fixture = {0};

	counted_open(&fixture);
	for (int i = 0; i < 5; i++) {
		core_advance(&fixture, 3600 * SCHEDD_SECOND);
		cr_assert_eq(core_tasks(), 1);
		core_task_end(0, 0);
		core_settle(&fixture);
	}
	core_advance(&fixture, SCHEDD_SECOND);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT count(*) FROM written"), "5");
	cr_expect_str_eq(counted("SELECT count(*) FROM runs WHERE state = 'success' AND pid IS NOT NULL"), "5");
	counted_close(&fixture);
}

Test(run_process, is_said_a_moment_after_the_start)
{
	struct core_fixture fixture = {0};

	counted_open(&fixture);
	core_advance(&fixture, 3600 * SCHEDD_SECOND);
	cr_assert_eq(core_tasks(), 1);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT state || coalesce(pid, '-') FROM runs"), "running-");
	core_advance(&fixture, RUN_PROCESS_DELAY);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT state || pid FROM runs"), "running4001");
	/* And no more until it ends. */
	core_advance(&fixture, 60 * SCHEDD_SECOND);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT count(*) FROM written"), "1");
	core_task_end(0, 3);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT state || pid FROM runs"), "failed4001");
	cr_expect_str_eq(counted("SELECT count(*) FROM written"), "2");
	counted_close(&fixture);
}

/* Of many that began in that moment some are over, first, last and between. */
Test(run_process, is_said_of_those_that_go_on)
{
	struct core_fixture fixture = {0};

	counted_open(&fixture);
	for (int i = 0; i < 6; i++)
		cr_assert_eq(core_run(&fixture, "a"), 0);
	cr_assert_eq(core_tasks(), 6);
	core_task_end(5, 0);
	core_task_end(2, 0);
	core_task_end(0, 0);
	core_advance(&fixture, RUN_PROCESS_DELAY);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT group_concat(number || state || pid, ' ') FROM runs"),
	    "1success4001 2running4002 3success4003 4running4004 5running4005 6success4006");
	cr_expect_str_eq(counted("SELECT count(*) FROM written"), "6");
	counted_close(&fixture);
}

Test(run_process, is_left_behind_by_who_goes)
{
	struct core_fixture fixture = {0};

	counted_open(&fixture);
	cr_assert_eq(core_run(&fixture, "a"), 0);
	core_close(&fixture);
	cr_expect_str_eq(counted("SELECT state || pid FROM runs"), "running4001");
	core_open_file(&fixture, path);
	counted_close(&fixture);
}

/* A store that is full when a run begins, and a while on: each row is written as the run is when it works again. */
static void refused_open(struct core_fixture *fixture, const char *job)
{
	faulty_install();
	counted_open(fixture);
	cr_assert_eq(core_add(fixture, job), 0, "%s", fixture->err.message);
	cr_assert_eq(core_run(fixture, "b"), 0);
	cr_assert_eq(core_tasks(), 1);
	core_settle(fixture);
	atomic_store(&faulty.write, SQLITE_FULL);
	core_advance(fixture, SCHEDD_SECOND);
	core_settle(fixture);
	cr_expect_str_eq(counted("SELECT state || coalesce(pid, '-') FROM runs"), "running-");
}

static void refused_no_more(struct core_fixture *fixture)
{
	atomic_store(&faulty.write, 0);
	core_advance(fixture, 60 * SCHEDD_SECOND);
	core_settle(fixture);
}

Test(run_process, is_said_once_the_store_works_again)
{
	struct core_fixture fixture = {0};

	refused_open(&fixture, "{'id':'b','trigger':{'type':'manual'},'command':['x']}");
	refused_no_more(&fixture);
	cr_expect_str_eq(counted("SELECT state || pid || (started_at > 0) FROM runs"), "running40011");
	cr_expect_str_eq(counted("SELECT count(*) FROM written"), "1", "and no more than once");
	core_task_end(0, 0);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT state || pid FROM runs"), "success4001");
	counted_close(&fixture);
}

Test(run_process, is_not_said_of_one_that_is_over_when_the_store_works_again)
{
	struct core_fixture fixture = {0};

	refused_open(&fixture, "{'id':'b','trigger':{'type':'manual'},'command':['x']}");
	core_task_end(0, 0);
	core_settle(&fixture);
	refused_no_more(&fixture);
	cr_expect_str_eq(counted("SELECT state || pid FROM runs"), "success4001");
	cr_expect_str_eq(counted("SELECT count(*) FROM written"), "1");
	counted_close(&fixture);
}

/* Who dies then has another attempt to make, and has lost nothing. */
Test(run_process, tells_of_another_attempt_once_the_store_works_again)
{
	struct core_fixture fixture = {0};

	refused_open(&fixture,
	    "{'id':'b','trigger':{'type':'manual'},'command':['x'],'retry':{'limit':1,'delay':'10m'}}");
	core_task_end(0, 3);
	core_settle(&fixture);
	refused_no_more(&fixture);
	cr_expect_str_eq(counted("SELECT state || attempt FROM runs"), "retrying2");
	core_reopen(&fixture);
	core_expect_runs(&fixture, "b", "1 retrying");
	core_advance(&fixture, 700 * SCHEDD_SECOND);
	core_settle(&fixture);
	cr_expect_eq(core_tasks(), 1);
	core_task_end(0, 0);
	core_settle(&fixture);
	core_expect_runs(&fixture, "b", "1 success");
	counted_close(&fixture);
}

/* The mark of the next attempt is stored by then, and the row of the one before comes no more. */
Test(run_process, comes_not_behind_the_mark_of_the_next_attempt)
{
	struct core_fixture fixture = {0};

	refused_open(&fixture,
	    "{'id':'b','trigger':{'type':'manual'},'command':['x'],'retry':{'limit':1,'delay':'5s'}}");
	core_task_end(0, 3);
	core_settle(&fixture);
	core_advance(&fixture, 20 * SCHEDD_SECOND);
	cr_expect_eq(core_tasks(), 0, "it begins nothing that is not marked");
	refused_no_more(&fixture);
	cr_expect_eq(core_tasks(), 1);
	cr_expect_str_eq(counted("SELECT state || attempt || pid FROM runs"), "running24001");
	core_task_end(0, 0);
	core_settle(&fixture);
	cr_expect_str_eq(counted("SELECT state || attempt || pid FROM runs"), "success24001");
	counted_close(&fixture);
}
