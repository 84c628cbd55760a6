/* SPDX-License-Identifier: MIT */
/* Runs that had not begun: held by a pause, gone with their job, taken up by the next life. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "model/run.h"
#include "support/fake_store.h"

#define S SCHEDD_SECOND
#define TEN "'trigger':{'type':'interval','seconds':10},'command':['x']"
#define MANUAL "'trigger':{'type':'manual'},'command':['x']"

static char database[64];

static void database_make(void)
{
	snprintf(database, sizeof(database), "/tmp/schedd-takeup-XXXXXX");
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

TestSuite(take_up, .init = database_make, .fini = database_remove);

/* A stop with its limit, as SIGTERM asks for it. */
static void stop(struct core_fixture *f)
{
	scheduler_drain(f->scheduler, 10 * S, SCHEDULER_DRAIN_WAIT, core_reply(f));
	core_settle(f);
}

static void group_of_one(struct core_fixture *f)
{
	scheduler_group_set(f->scheduler, "io", 1, NULL, core_reply(f));
	core_settle(f);
	cr_assert_eq(f->rc, 0);
}

static void end_all(struct core_fixture *f)
{
	while (core_tasks()) {
		core_task_end(0, 0);
		core_settle(f);
	}
}

/* Two run at most; the others wait for an instance. */
static void instances(struct core_fixture *f)
{
	core_add(f, "{'id':'a','overlap':'queue'," TEN "}");
	core_advance(f, 30 * S);
	core_expect_runs(f, "a", "1 running; 2 queued; 3 queued");
}

Test(take_up, after_a_crash_once)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	instances(&f);
	core_reopen(&f);
	core_expect_runs(&f, "a", "1 lost; 2 running; 3 queued");
	cr_expect_str_eq(core_task_run(0), "a/2");
	core_reopen(&f);
	/* The second had begun, and is not begun again. */
	core_expect_runs(&f, "a", "1 lost; 2 lost; 3 running");
	end_all(&f);
	core_expect_runs(&f, "a", "1 lost; 2 lost; 3 success");
	core_reopen(&f);
	cr_expect_eq(core_tasks(), 0);
	core_close(&f);
}

Test(take_up, after_a_stop)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	instances(&f);
	stop(&f);
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect(f.answered, "a stop waits for what cannot begin any more");
	core_reopen(&f);
	core_expect_runs(&f, "a", "1 success; 2 running; 3 queued");
	core_close(&f);
}

Test(take_up, of_a_group_and_of_jobs_that_run_once)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	group_of_one(&f);
	core_add(&f, "{'id':'a','group':'io','command':['x']}");
	core_add(&f, "{'id':'b','group':'io','command':['x']}");
	core_expect_runs(&f, "a", "1 running");
	core_expect_runs(&f, "b", "1 queued");
	stop(&f);
	end_all(&f);
	core_reopen(&f);
	cr_expect_str_neq(core_field(&f, "b", "id"), "", "a job ended before its run");
	core_expect_runs(&f, "b", "1 running");
	core_reopen(&f);
	cr_expect_str_eq(core_field(&f, "b", "id"), "");
	core_expect_runs(&f, "b", "1 lost");
	core_close(&f);
}

Test(take_up, with_its_environment_force_and_time)
{
	struct core_fixture f = {.max_workers = 1};
	char name[] = "HOW", text[] = "thus";
	struct job_pair pair = {name, text};
	struct job_pairs env = {&pair, 1};
	struct scheduler_run_options options = {
	    .force = true, .env = &env, .trigger = RUN_BY_HAND};

	core_open(&f, database);
	core_add(&f, "{'id':'first'," MANUAL "}");
	core_add(&f, "{'id':'a','max_instances':1," MANUAL "}");
	core_run(&f, "first");
	scheduler_run_job(f.scheduler, "a", &options, NULL, core_reply(&f));
	core_settle(&f);
	scheduler_run_job(f.scheduler, "a", &options, NULL, core_reply(&f));
	core_settle(&f);
	core_expect_runs(&f, "a", "1 queued; 2 queued");
	f.max_workers = 4;
	core_reopen(&f);
	/* Both at once: they are forced beyond max_instances. */
	core_expect_runs(&f, "a", "1 running; 2 running");
	cr_expect_str_eq(core_task_env(0, "HOW"), "thus");
	end_all(&f);
	core_reopen(&f);
	cr_expect_eq(core_tasks(), 0);
	core_close(&f);
}

Test(take_up, of_a_retry_when_its_time_comes)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	core_add(&f, "{'id':'a','retry':{'limit':2,'delay':60}," MANUAL "}");
	core_run(&f, "a");
	core_task_end(0, 1);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 retrying");
	core_advance(&f, 20 * S);
	core_reopen(&f);
	core_expect_runs(&f, "a", "1 retrying");
	core_advance(&f, 39 * S);
	cr_expect_eq(core_tasks(), 0, "it was tried before its delay was over");
	core_advance(&f, 2 * S);
	cr_assert_eq(core_tasks(), 1);
	stop(&f);
	/* A failure while schedd stops: the next life tries again. */
	core_task_end(0, 1);
	core_settle(&f);
	cr_expect(f.answered);
	core_reopen(&f);
	core_expect_runs(&f, "a", "1 retrying");
	core_advance(&f, 61 * S);
	core_task_end(0, 0);
	core_settle(&f);
	core_show_run(&f, "a", 1);
	cr_expect_not_null(strstr(f.json, "\"attempt\":3"), "%s", f.json);
	cr_expect_not_null(strstr(f.json, "\"state\":\"success\""), "%s", f.json);
	core_close(&f);
}

Test(take_up, not_of_jobs_that_are_gone)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	scheduler_set_paused(f.scheduler, true, NULL, core_reply(&f));
	core_settle(&f);
	core_add(&f, "{'id':'z'," MANUAL "}");
	core_run(&f, "z");
	core_expect_runs(&f, "z", "1 queued");
	cr_expect_eq(core_remove(&f, "z"), 0);
	core_expect_runs(&f, "z", "1 cancelled");
	cr_expect_str_eq(core_last_reason(&f, "z"), "its job was removed before it began");
	scheduler_set_paused(f.scheduler, false, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(core_tasks(), 0);
	core_reopen(&f);
	cr_expect_eq(core_tasks(), 0);
	core_close(&f);
}

Test(take_up, ends_with_the_job_wherever_it_waits)
{
	struct core_fixture f = {.max_workers = 2};

	core_open(&f, NULL);
	group_of_one(&f);
	core_add(&f, "{'id':'a','group':'io'," MANUAL "}");
	core_add(&f, "{'id':'g','group':'io'," MANUAL "}");
	core_add(&f, "{'id':'b'," MANUAL "}");
	core_add(&f, "{'id':'w'," MANUAL "}");
	core_add(&f, "{'id':'r','retry':{'limit':2,'delay':60}," MANUAL "}");
	core_run(&f, "r");
	core_task_end(0, 1);
	core_settle(&f);
	core_run(&f, "a");
	core_run(&f, "g");
	core_run(&f, "b");
	core_run(&f, "w");
	core_expect_runs(&f, "w", "1 queued");
	core_remove(&f, "g");
	core_remove(&f, "w");
	core_remove(&f, "r");
	core_expect_runs(&f, "g", "1 cancelled");
	core_expect_runs(&f, "w", "1 cancelled");
	core_expect_runs(&f, "r", "1 failed");
	cr_expect_str_eq(core_last_reason(&f, "r"), "its job was removed before the next attempt");
	core_remove(&f, "a");
	cr_expect_not_null(strstr(f.json, "\"running\":1"), "rm does not say what goes on: %s", f.json);
	core_advance(&f, 100 * S);
	cr_expect_eq(core_tasks(), 2);
	end_all(&f);
	core_expect_runs(&f, "a", "1 success");
	core_close(&f);
}

/* Not even a row of what was cancelled. */
Test(take_up, leaves_nothing_of_a_job_that_is_purged)
{
	struct core_fixture f = {.max_workers = 1};

	core_open(&f, database);
	core_add(&f, "{'id':'first'," MANUAL "}");
	core_add(&f, "{'id':'a'," MANUAL "}");
	core_run(&f, "first");
	core_run(&f, "a");
	core_expect_runs(&f, "a", "1 queued");
	scheduler_remove(f.scheduler, "a", true, false, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(f.rc, 0);
	core_expect_runs(&f, "a", "");
	core_close(&f);
}

/* A run that goes on when its job is removed has no further attempt. */
Test(take_up, makes_no_attempts_for_a_job_that_is_gone)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','retry':{'limit':2,'delay':1}," MANUAL "}");
	core_run(&f, "a");
	core_remove(&f, "a");
	core_task_end(0, 1);
	core_settle(&f);
	core_expect_runs(&f, "a", "1 failed");
	core_close(&f);
}

Test(take_up, holds_what_waits_while_its_job_is_paused)
{
	struct core_fixture f = {.max_workers = 1};

	core_open(&f, database);
	core_add(&f, "{'id':'first'," MANUAL "}");
	core_add(&f, "{'id':'a'," MANUAL "}");
	core_add(&f, "{'id':'r','retry':{'limit':1,'delay':5}," MANUAL "}");
	core_run(&f, "r");
	core_task_end(0, 1);
	core_settle(&f);
	core_run(&f, "first");
	core_run(&f, "a");
	core_pause(&f, "a", "upgrade");
	core_pause(&f, "r", NULL);
	core_task_end(0, 0);
	core_advance(&f, 20 * S);
	cr_expect_eq(core_tasks(), 0, "a pause does not hold what is queued");
	core_show_run(&f, "a", 1);
	cr_expect_not_null(strstr(f.json, "held: paused by uid 1000: upgrade"), "%s", f.json);
	scheduler_why(f.scheduler, "r", SCHEDD_TIME_NONE, core_reply(&f));
	core_settle(&f);
	cr_expect_not_null(strstr(f.json, "held: paused"), "%s", f.json);
	core_reopen(&f);
	cr_expect_eq(core_tasks(), 0, "a pause does not hold what the next life takes up");
	/* A run by hand is for now, also of a job that is paused. */
	core_run(&f, "a");
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	core_resume(&f, "a", false);
	cr_expect_str_eq(core_task_run(0), "a/1");
	end_all(&f);
	core_resume(&f, "r", false);
	cr_expect_str_eq(core_task_run(0), "r/1");
	end_all(&f);
	core_expect_runs(&f, "r", "1 success");
	core_close(&f);
}

/* The place of a run that is held is another's. */
Test(take_up, gives_back_the_place_of_what_is_held)
{
	struct core_fixture f = {.max_workers = 1};

	core_open(&f, NULL);
	group_of_one(&f);
	core_add(&f, "{'id':'first'," MANUAL "}");
	core_add(&f, "{'id':'a','group':'io'," MANUAL "}");
	core_add(&f, "{'id':'b','group':'io'," MANUAL "}");
	core_run(&f, "first");
	core_run(&f, "a");
	core_run(&f, "b");
	core_pause(&f, "a", NULL);
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect_str_eq(core_task_run(0), "b/1");
	core_close(&f);
}

Test(take_up, of_many_that_are_due_at_once)
{
	struct core_fixture f = {0};
	char id[128];

	core_open(&f, database);
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "{'id':'j%d'," TEN "}", i);
		core_add(&f, id);
	}
	core_jump(&f, 10 * S);
	cr_expect_eq(core_tasks(), 200);
	core_reopen(&f);
	cr_expect_eq(core_tasks(), 0, "something began twice");
	core_close(&f);
}

/* Those that waited longest go first, also where each has to be marked before it begins. */
Test(take_up, keeps_the_order_of_those_that_wait)
{
	struct core_fixture f = {.max_workers = 1};
	char id[64], first[160];

	core_open(&f, database);
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "j%d", i);
		snprintf(first, sizeof(first), "{'id':'%s'," MANUAL "}", id);
		core_add(&f, first);
		core_run(&f, id);
	}
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "j%d/1", i);
		cr_expect_str_eq(core_task_run(0), id);
		core_task_end(0, 0);
		/* One that comes now goes behind them. */
		if (i == 0)
			core_run(&f, "j0");
		core_settle(&f);
	}
	cr_expect_str_eq(core_task_run(0), "j0/2");
	core_close(&f);
}

static int begun, begun_unsaid;

/* Another connection sees what is durable, and that alone would be left by a crash now. */
static void look_at_row(const char *run)
{
	sqlite3_stmt *statement = NULL;
	sqlite3 *db = NULL;
	char job[128];

	begun++;
	snprintf(job, sizeof(job), "%.*s", (int)strcspn(run, "/"), run);
	cr_assert_eq(sqlite3_open_v2(database, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db,
			 "SELECT state FROM runs WHERE job = (SELECT key FROM ids WHERE id = ?1) AND number = ?2", -1, &statement, NULL),
	    SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_bind_text(statement, 1, job, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 2, atoi(strchr(run, '/') + 1));
	if (sqlite3_step(statement) != SQLITE_ROW ||
	    strcmp((const char *)sqlite3_column_text(statement, 0), run_state_name(RUN_RUNNING)) != 0)
		begun_unsaid++;
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

/* However a run comes to its start: a crash after it leaves a row that is never begun again. */
Test(take_up, is_said_before_anything_begins)
{
	struct core_fixture f = {.max_workers = 70};
	char text[128];

	core_open_file(&f, database);
	core_fake_on_start(look_at_row);
	core_add(&f, "{'id':'a','overlap':'queue'," TEN "}");
	core_add(&f, "{'id':'r','retry':{'limit':2,'delay':1}," MANUAL "}");
	core_add(&f, "{'id':'c','after':['r:any'],'command':['x']}");
	group_of_one(&f);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "{'id':'g%d'%s," TEN "}", i, i < 5 ? ",'group':'io'" : "");
		core_add(&f, text);
	}
	core_run(&f, "r");
	core_advance(&f, 30 * S);
	for (int i = 0; i < 400 && core_tasks(); i++) {
		core_task_end(0, 1);
		core_settle(&f);
		if (i % 50 == 0)
			core_advance(&f, 2 * S);
	}
	cr_expect_gt(begun, 100, "only %d began", begun);
	cr_expect_eq(begun_unsaid, 0, "of %d", begun);
	core_show_run(&f, "r", 1);
	cr_expect_not_null(strstr(f.json, "\"attempt\":3"), "%s", f.json);
	core_expect_runs(&f, "c", "1 failed");
	core_fake_on_start(NULL);
	core_close(&f);
}

static void judge(const char *account, struct scheduler_account *may, void *context)
{
	(void)account;
	may->running = *(const uint32_t *)context;
}

static uint32_t places = 1;

static void limit_accounts(struct schedd_scheduler *scheduler, void *context)
{
	scheduler_set_accounts(scheduler, judge, context);
}

/* The claim that wrote it as begun came back when its account had no place any more. */
Test(take_up, of_an_account_whose_place_was_taken_meanwhile)
{
	struct core_fixture f = {.before_start = limit_accounts, .before_start_context = &places};

	core_open_file(&f, database);
	cr_assert_eq(core_add(&f, "{'id':'bin:a'," TEN "}"), 0, "%s", f.err.message);
	f.wall += 11 * S;
	f.mono += 11 * S;
	scheduler_tick(f.scheduler);
	places = 0;
	scheduler_review_accounts(f.scheduler);
	core_settle(&f);
	core_expect_runs(&f, "bin:a", "1 queued");
	places = 1;
	core_reopen(&f);
	core_expect_runs(&f, "bin:a", "1 running");
	core_close(&f);
}

/* Likewise of a worker: an attempt that was due again came first. */
Test(take_up, of_an_executor_whose_place_was_taken_meanwhile)
{
	static const struct store_option root[] = {{"run_as", "root"}, {NULL, NULL}};
	struct core_fixture f = {
	    .server = "core", .options = geteuid() == 0 ? root : NULL, .max_workers = 1};

	fake_server_reset(f.server);
	core_open_file(&f, NULL);
	core_add(&f, "{'id':'r','retry':{'limit':1,'delay':11}," MANUAL "}");
	core_run(&f, "r");
	core_task_end(0, 1);
	core_settle(&f);
	core_expect_runs(&f, "r", "1 retrying");
	core_add(&f, "{'id':'a'," TEN "}");
	fake_server_freeze("core", true);
	f.wall += 10 * S;
	f.mono += 10 * S;
	scheduler_tick(f.scheduler);
	f.wall += 2 * S;
	f.mono += 2 * S;
	scheduler_tick(f.scheduler);
	fake_server_freeze("core", false);
	core_settle(&f);
	core_expect_runs(&f, "r", "1 running");
	core_expect_runs(&f, "a", "1 queued");
	f.max_workers = 0;
	core_reopen(&f);
	core_expect_runs(&f, "a", "1 running");
	core_close(&f);
}
