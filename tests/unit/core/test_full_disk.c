/* SPDX-License-Identifier: MIT */
/* A store that cannot be written: nothing starts that is not recorded, and it goes on afterwards.
 */
#include "support/core_fixture.h"
#include "support/faulty_vfs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
