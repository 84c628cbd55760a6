/* SPDX-License-Identifier: MIT */
/* The end of a run, and all that it brings about at once, is one transaction: no crash finds a part of it. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>
#include "core/scheduler.h"
#include "support/sql_case.h"

#define NOW "'trigger':{'at':'now'},'command':['x']"

/* Each test has its own process. */
static char directory[] = "/tmp/schedd-end-XXXXXX", database[64];
static struct core_fixture f;

static void end_open(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(database, sizeof(database), "%s/jobs.db", directory);
	core_open_file(&f, database);
}

static void end_close(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-reserve"};
	char path[80];

	core_close(&f);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", database, suffixes[i]);
		unlink(path);
	}
	rmdir(directory);
}

static int64_t end_transactions(void)
{
	struct arena arena;
	struct value status;
	int64_t count;

	arena_init(&arena);
	status = store_status(scheduler_store(f.scheduler, "default"), &arena);
	count = value_get_int(&status, "transactions", -1);
	arena_clear(&arena);
	return count;
}

/* What stands in the file: runs, jobs, notes of who is to follow. */
static const char *end_rows(void)
{
	return sql_case_text(database,
	    "SELECT coalesce((SELECT group_concat(ids.id || '/' || number || ' ' || state, ', ') FROM runs "
	    "JOIN ids ON ids.key = runs.job), '') || '; ' || "
	    "coalesce((SELECT group_concat(id, ' ') FROM jobs), '') || "
	    "coalesce((SELECT '; ' || group_concat(key, ' ') FROM meta WHERE key LIKE 'after.%'), '')");
}

Test(end, is_one_transaction_with_removal_and_follower)
{
	int64_t before;

	end_open();
	core_add(&f, "{'id':'a'," NOW "}");
	core_add(&f, "{'id':'b','after':['a'],'command':['x']}");
	core_settle(&f);
	cr_assert_str_eq(end_rows(), "a/1 running; a b");
	before = end_transactions();
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect_eq(end_transactions() - before, 1, "%lld", (long long)(end_transactions() - before));
	cr_expect_str_eq(end_rows(), "a/1 success, b/1 running; b");
	end_close();
}

Test(end, is_one_transaction_with_several_that_follow)
{
	int64_t before;

	end_open();
	core_add(&f, "{'id':'a','trigger':{'manual':true},'command':['x']}");
	core_add(&f, "{'id':'b','after':['a'],'command':['x']}");
	core_add(&f, "{'id':'c','after':['a:fail'],'command':['x']}");
	core_add(&f, "{'id':'d','after':['a:any'],'command':['x']}");
	core_run(&f, "a");
	core_settle(&f);
	before = end_transactions();
	core_task_end(0, 0);
	core_settle(&f);
	cr_expect_eq(end_transactions() - before, 1);
	cr_expect_str_eq(end_rows(), "a/1 success, b/1 running, d/1 running; a b c d");
	end_close();
}

/* The retry of a failed attempt is no end: nothing follows yet. */
Test(end, comes_behind_the_last_attempt)
{
	end_open();
	core_add(&f, "{'id':'a','retry':{'limit':1,'delay':5}," NOW "}");
	core_add(&f, "{'id':'b','after':['a:any'],'command':['x']}");
	core_task_end(0, 1);
	core_settle(&f);
	cr_expect_str_eq(end_rows(), "a/1 retrying; a b");
	core_advance(&f, 6 * SCHEDD_SECOND);
	core_task_end(0, 1);
	core_settle(&f);
	cr_expect_str_eq(end_rows(), "a/1 failed, b/1 running; b");
	end_close();
}
