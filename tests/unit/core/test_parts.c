/* SPDX-License-Identifier: MIT */
/* Stores and executors that come and go, and rows that cannot be read. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <malloc.h>
#include <schedd/job.h>
#include <schedd/loop.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "executor/worker_config.h"
#include "loop/mailbox.h"

#define S SCHEDD_SECOND
#define TEN "'trigger':{'type':'interval','seconds':10},'call':{'function':'count'}"

static char directory[64];
static char database[96];

static void directory_make(void)
{
	snprintf(directory, sizeof(directory), "/tmp/schedd-parts-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	snprintf(database, sizeof(database), "%s/jobs.db", directory);
}

static void directory_remove(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(parts, .init = directory_make, .fini = directory_remove);

static void remove_store(struct core_fixture *f, const char *name)
{
	scheduler_remove_store(f->scheduler, name, NULL, core_reply(f));
	while (!f->answered)
		mailbox_wait_for(scheduler_mailbox(f->scheduler), S);
}

Test(parts, take_up_a_store_while_running_and_let_it_go)
{
	struct core_fixture f = {0};
	struct schedd_error err;

	core_open(&f, NULL);
	cr_assert_eq(schedd_scheduler_add_store(f.scheduler, "file", "sqlite", database, &err), 0);
	cr_assert_eq(core_add(&f, "{'id':'a','store':'file'," TEN "}"), 0, "%s", f.err.message);
	core_advance(&f, 10 * S);
	scheduler_remove_store(f.scheduler, "file", NULL, core_reply(&f));
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	core_close(&f);

	/* Its jobs come back with it. */
	core_open(&f, NULL);
	cr_expect_null(scheduler_job_state(f.scheduler, "a"));
	cr_assert_eq(schedd_scheduler_add_store(f.scheduler, "file", "sqlite", database, &err), 0);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "a"), "waiting");
	core_expect_runs(&f, "a", "1 success");
	core_remove(&f, "a");
	remove_store(&f, "file");
	cr_expect_eq(f.rc, 0, "%s", f.err.message);
	cr_expect_eq(core_add(&f, "{'id':'a','store':'file'," TEN "}"), SCHEDD_ENOTFOUND);
	core_close(&f);
}

static void add_live(struct core_fixture *f, const char *name, const char *path)
{
	const struct scheduler_actor actor = {.uid = -1, .pid = -1, .method = "store.add"};
	const struct scheduler_new_store store = {.name = name, .type = "sqlite", .path = path};

	f->answered = false;
	scheduler_add_store_live(f->scheduler, &store, &actor, core_reply(f));
}

/* The loop is not held up: until it is open nobody sees it, and its name and file are taken. */
Test(parts, open_a_store_while_the_loop_goes_on)
{
	struct core_fixture f = {0};
	struct arena arena;
	char other[128];

	arena_init(&arena);
	core_open(&f, NULL);
	add_live(&f, "file", database);
	cr_expect_not(f.answered);
	cr_expect_eq(scheduler_stores(f.scheduler, &arena).array.count, 1u);
	while (!f.answered)
		core_settle(&f);
	cr_expect_eq(scheduler_stores(f.scheduler, &arena).array.count, 2u);
	arena_clear(&arena);
	cr_assert_eq(core_add(&f, "{'id':'a','store':'file'," TEN "}"), 0, "%s", f.err.message);
	core_advance(&f, 10 * S);
	core_close(&f);

	core_open(&f, NULL);
	add_live(&f, "file", database);
	add_live(&f, "file", NULL);
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	add_live(&f, "twin", database);
	cr_expect_eq(f.rc, SCHEDD_EINVAL);
	while (!scheduler_job_state(f.scheduler, "a"))
		core_settle(&f);
	core_expect_runs(&f, "a", "1 success");
	/* What cannot be opened leaves nothing behind. */
	snprintf(other, sizeof(other), "%s/none/jobs.db", directory);
	add_live(&f, "other", other);
	while (!f.answered)
		core_settle(&f);
	cr_expect_lt(f.rc, 0);
	cr_expect_not_null(strstr(f.err.message, "cannot be written"), "%s", f.err.message);
	snprintf(other, sizeof(other), "%s/other.db", directory);
	add_live(&f, "other", other);
	while (!f.answered)
		core_settle(&f);
	cr_expect_eq(f.rc, 0, "%s", f.err.message);
	cr_expect_not_null(strstr(f.json, "\"state\":\"ok\""), "%s", f.json);
	remove_store(&f, "other");
	cr_expect_eq(f.rc, 0, "%s", f.err.message);
	/* One that is still being opened ends with the scheduler. */
	add_live(&f, "other", other);
	core_close(&f);
	cr_expect(f.answered);
	cr_expect_eq(f.rc, SCHEDD_EFAILED);
}

Test(parts, keep_an_executor_while_it_is_used)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	scheduler_remove_executor(f.scheduler, "function", NULL, core_reply(&f));
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	core_remove(&f, "a");
	scheduler_remove_executor(f.scheduler, "function", NULL, core_reply(&f));
	cr_expect_eq(f.rc, 0);
	cr_expect_eq(core_add(&f, "{'id':'a'," TEN "}"), SCHEDD_EINVAL);
	core_close(&f);
}

static void spoil(const char *sql)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(database, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

Test(parts, report_a_row_that_cannot_be_read_and_go_on)
{
	struct core_fixture f = {0};

	core_open_file(&f, database);
	core_add(&f, "{'id':'bad'," TEN "}");
	core_add(&f, "{'id':'good'," TEN "}");
	core_close(&f);
	spoil("UPDATE jobs SET \"trigger\" = 'nonsense' WHERE id = 'bad'");
	core_open_file(&f, database);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "bad"), "invalid");
	cr_expect_eq(core_pause(&f, "bad", NULL), SCHEDD_ECONFLICT);
	/* What is stored is shown, whatever of it cannot be read. */
	cr_expect_str_eq(core_field(&f, "bad", "trigger"), "\"nonsense\"");
	cr_expect_str_eq(core_field(&f, "bad", "id"), "\"bad\"");
	cr_expect_eq(core_modify(&f, "bad", "{'name':'x'}"), SCHEDD_ECONFLICT);
	cr_expect_eq(core_run(&f, "bad"), SCHEDD_ECONFLICT);
	cr_expect_not_null(strstr(core_field(&f, "bad", "invalid"), "\""));
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "good", "1 success");
	cr_expect_eq(core_add_flags(&f, "{'id':'bad'," TEN "}", SCHEDULER_ADD_REPLACE), 0, "%s",
	    f.err.message);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "bad"), "waiting");
	core_close(&f);
}

Test(parts, put_right_what_could_not_be_read)
{
	struct core_fixture f = {0};

	core_open_file(&f, database);
	core_add(&f, "{'id':'bad','name':'n','max_runs':3,'tags':{'k':'v'}," TEN "}");
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "bad", "1 success");
	core_close(&f);
	spoil("UPDATE jobs SET \"trigger\" = '{\"cron\":\"0 0 * * *\",\"timezone\":\"Mars/X\"}' "
	      "WHERE id = 'bad'");
	core_open_file(&f, database);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "bad"), "invalid");
	cr_expect_str_eq(core_field(&f, "bad", "name"), "\"n\"");
	cr_expect_str_eq(core_field(&f, "bad", "tags"), "{\"k\":\"v\"}");
	cr_expect_not_null(strstr(core_field(&f, "bad", "trigger"), "Mars/X"));
	/* Nothing has changed. */
	scheduler_refresh_zones(f.scheduler);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "bad"), "invalid");
	cr_expect_eq(core_modify(&f, "bad", "{'trigger':{'cron':'61 * * * *'}}"), SCHEDD_EINVAL);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "bad"), "invalid");
	cr_expect_eq(core_modify(&f, "bad", "{'trigger':{'every':10}}"), 0, "%s", f.err.message);
	cr_expect_str_eq(scheduler_job_state(f.scheduler, "bad"), "waiting");
	cr_expect_str_eq(core_field(&f, "bad", "name"), "\"n\"");
	cr_expect_str_eq(core_field(&f, "bad", "run_count"), "1");
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "bad", "1 success; 2 success");
	core_reopen(&f);
	cr_expect_str_eq(core_field(&f, "bad", "tags"), "{\"k\":\"v\"}");
	core_close(&f);
}

Test(parts, remember_how_jobs_ended_last)
{
	struct core_fixture f = {0};

	core_open(&f, database);
	f.result = 3;
	core_add(&f, "{'id':'a'," TEN "}");
	core_advance(&f, 10 * S);
	core_reopen(&f);
	cr_expect_str_eq(core_field(&f, "a", "last_state"), "\"failed\"");
	core_close(&f);
}

static int open_files(void)
{
	DIR *files = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(files))
		count++;
	closedir(files);
	return count;
}

Test(parts, gives_back_what_a_removed_executor_holds)
{
	struct core_fixture f = {0};
	int before = 0;

	core_open(&f, NULL);
	for (int i = 0; i < 20; i++) {
		struct schedd_error err;

		cr_assert_eq(schedd_scheduler_add_executor(
				 f.scheduler, "more", i % 2 ? "threadpool" : "subprocess", 2, &err),
		    0, "%s", err.message);
		scheduler_remove_executor(f.scheduler, "more", NULL, core_reply(&f));
		cr_expect_eq(f.rc, 0, "%s", f.err.message);
		if (i == 1)
			before = open_files();
	}
	cr_expect_eq(open_files(), before);
	core_advance(&f, 10 * S);
	core_close(&f);
}

/* It is no more in the queue of those that are free to begin: core_settle() looks at that. */
Test(parts, know_what_waits_at_an_executor)
{
	const char *const command[] = {"/nonexistent/worker", NULL};
	struct worker_config worker;
	struct core_fixture f = {0};
	struct schedd_error err;

	core_open(&f, NULL);
	worker_config_init(&worker);
	worker.command = command;
	cr_assert_eq(
	    scheduler_add_executor(f.scheduler, "work", "worker", 1, &worker, NULL, &err), 0, "%s", err.message);
	cr_assert_eq(core_add(&f, "{'id':'a','executor':'work','call':{'function':'m:f'},'trigger':{'type':"
				  "'interval','seconds':10}}"),
	    0, "%s", f.err.message);
	core_advance(&f, 10 * S);
	cr_expect_str_eq(core_field(&f, "a", "state"), "\"queued\"");
	core_close(&f);
}

static int slow(const struct schedd_call *call, void *context)
{
	const struct timespec time = {.tv_nsec = 200000000};

	(void)call;
	nanosleep(&time, NULL);
	atomic_store((atomic_bool *)context, true);
	return 0;
}

/* The host's loop does not turn any more: the function is waited for all the same. */
Test(parts, are_freed_behind_a_function_that_runs)
{
	atomic_bool returned = false;
	struct schedd_error err;
	struct schedd_loop *loop = schedd_loop_new_fd(&err);
	struct schedd_scheduler_options options = {.loop = loop};
	struct schedd_scheduler *scheduler;
	struct schedd_job *job = schedd_job_new();

	cr_assert_not_null(loop);
	cr_assert_eq(schedd_scheduler_new(&options, &scheduler, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_add_executor(scheduler, "pool", "threadpool", 1, &err), 0);
	cr_assert_eq(schedd_scheduler_register(scheduler, "slow", slow, &returned, &err), 0);
	cr_assert_eq(schedd_scheduler_start(scheduler, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set_call(job, "slow", NULL, &err), 0, "%s", err.message);
	cr_assert_eq(schedd_job_set(job, "executor", "pool", &err), 0, "%s", err.message);
	cr_assert_eq(schedd_scheduler_add(scheduler, job, &err), 0, "%s", err.message);
	schedd_job_unref(job);
	schedd_scheduler_process(scheduler);
	schedd_scheduler_free(scheduler);
	cr_expect(atomic_load(&returned));
	schedd_loop_free(loop);
}

/* A batch of claims for one change is not kept in the place of a tick's. */
Test(parts, need_no_more_memory_from_fire_to_fire)
{
	struct core_fixture f = {0};
	size_t before = 0, after;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'b','after':['a'],'call':{'function':'count'}}");
	core_add(&f, "{'id':'c','after':['a'],'call':{'function':'count'}}");
	for (int i = 0; i < 60; i++) {
		core_advance(&f, 10 * S);
		core_forget_events(&f);
		if (i == 20)
			before = mallinfo2().uordblks;
	}
	after = mallinfo2().uordblks;
	cr_expect_lt(after, before + 1000000, "%zu bytes, then %zu", before, after);
	cr_expect_eq(f.calls, 180);
	core_close(&f);
}
