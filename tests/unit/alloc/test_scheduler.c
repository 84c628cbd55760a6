/* SPDX-License-Identifier: MIT */
/*
 * A scheduler with each allocation of its ticks, of the ends of runs, of retries and of what follows
 * failing once: every fire time has its run, none stands still, and what is done with goes away.
 */
#include "support/alloc_fault.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/jobs/entry.h"
#include "support/core_fixture.h"

#define S SCHEDD_SECOND
#define TEN "'trigger':{'every':'10s'},'call':{'function':'count'}"
/* More than any of it makes. */
#define MOST 5000

/* Two of the times are in it, and the first one's retries. */
#define ARMED 11
/* Seconds from one failure to the next: so many times of each job. */
#define ROUND 40
#define ROUND_TIMES 4

static const char *const jobs[] = {"t", "f", "q", "r"};

static void add_jobs(struct core_fixture *f)
{
	cr_assert_eq(core_add(f, "{'id':'t'," TEN "}"), 0);
	cr_assert_eq(core_add(f, "{'id':'f','after':['t:any'],'call':{'function':'count'}}"), 0);
	cr_assert_eq(core_add(f, "{'id':'q','group':'g','overlap':'queue','priority':3," TEN "}"), 0);
	cr_assert_eq(core_add(f, "{'id':'r','retry':{'limit':1,'delay':1}," TEN "}"), 0);
	core_advance(f, 5 * S);
}

static void expect_all(struct core_fixture *f, int round)
{
	char once[16];

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		cr_expect_str_eq(core_field(f, jobs[i], "state"), "\"waiting\"", "%s: allocation %d",
		    jobs[i], round);
		cr_expect_eq(entry_get(f->scheduler, jobs[i])->state.last_run,
		    (uint32_t)(round * ROUND_TIMES), "%s: allocation %d", jobs[i], round);
	}
	snprintf(once, sizeof(once), "o%d", round);
	cr_expect_str_eq(core_field(f, once, "state"), round % 2 ? "" : "\"finished\"",
	    "%s: it has run for the last time", once);
}

static void through_ticks(const char *store)
{
	struct core_fixture f = {.result = 1};
	bool fired = true;
	char text[160];
	int nth;

	core_open(&f, store);
	add_jobs(&f);
	for (nth = 1; fired && nth < MOST; nth++) {
		snprintf(text, sizeof(text),
		    "{'id':'o%d','keep':%s,'trigger':{'at':'in 10s'},'call':{'function':'count'}}",
		    nth, nth % 2 ? "false" : "true");
		cr_assert_eq(core_add(&f, text), 0, "%s", f.err.message);
		alloc_fault_arm(nth);
		core_advance(&f, ARMED * S);
		fired = alloc_fault_disarm();
		core_advance(&f, (ROUND - ARMED) * S);
		expect_all(&f, nth);
	}
	cr_expect(nth > 20 && nth < MOST, "%d allocations", nth);
	core_close(&f);
}

Test(alloc_scheduler, in_memory_each_time_has_its_run)
{
	through_ticks(NULL);
}

Test(alloc_scheduler, in_a_database_each_time_has_its_run)
{
	char directory[] = "/tmp/schedd-alloc-XXXXXX", database[64], command[64];

	cr_assert_not_null(mkdtemp(directory));
	snprintf(database, sizeof(database), "%s/jobs.db", directory);
	through_ticks(database);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}
