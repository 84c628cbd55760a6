/* SPDX-License-Identifier: MIT */
/* A store whose rows another has written meanwhile: claims are lost, and how it is now is adopted. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S SCHEDD_SECOND
#define TEN "'trigger':{'type':'interval','seconds':10},'command':['x']"

static char database[64];

static void database_make(void)
{
	snprintf(database, sizeof(database), "/tmp/schedd-adopt-XXXXXX");
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

TestSuite(adopt, .init = database_make, .fini = database_remove);

static void by_hand(const char *text)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(database, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

Test(adopt, runs_nothing_that_another_has_claimed)
{
	struct core_fixture f = {0};

	core_open_file(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'b'," TEN "}");
	/* Somebody else was there for the first two. */
	by_hand("UPDATE jobs SET last_run = 2, next_fire = next_fire + 20000000, "
		"next_run_time = next_run_time + 20000000 WHERE id = 'a'");
	core_advance(&f, 10 * S);
	core_settle(&f);
	cr_assert_eq(core_tasks(), 1);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 30 * S);
	cr_expect_eq(core_next(&f, "b"), CORE_EPOCH + 20 * S);
	/* What comes after is ours again, and counts on. */
	core_advance(&f, 20 * S);
	core_expect_runs(&f, "a", "3 running");
	core_close(&f);
}

Test(adopt, forgets_a_job_that_another_has_removed)
{
	struct core_fixture f = {0};

	core_open_file(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	by_hand("DELETE FROM jobs WHERE id = 'a'");
	core_forget_events(&f);
	core_advance(&f, 10 * S);
	core_settle(&f);
	cr_assert_eq(core_tasks(), 0);
	cr_expect_str_eq(core_field(&f, "a", "state"), "");
	/* And it can come back. */
	cr_assert_eq(core_add(&f, "{'id':'a'," TEN "}"), 0);
	core_advance(&f, 10 * S);
	cr_assert_eq(core_tasks(), 1);
	core_close(&f);
}

Test(adopt, keeps_a_request_in_line_behind_it)
{
	struct core_fixture f = {0};

	core_open_file(&f, database);
	core_add(&f, "{'id':'a'," TEN "}");
	by_hand("UPDATE jobs SET last_run = 5 WHERE id = 'a'");
	core_jump(&f, 10 * S);
	cr_assert_eq(core_pause(&f, "a", "later"), 0);
	cr_expect_str_eq(core_field(&f, "a", "paused"), "true");
	cr_assert_eq(core_remove(&f, "a"), 0);
	core_close(&f);
}
