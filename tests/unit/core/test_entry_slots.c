/* SPDX-License-Identifier: MIT */
/* Entries are found by their slot, however they come, change and go. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "core/jobs/entry.h"
#include "support/core_fixture.h"

#define JOBS 40

static void put(struct core_fixture *fixture, int number, const char *group)
{
	char json[256], member[64] = "";

	if (group)
		snprintf(member, sizeof(member), ",'group':'%s'", group);
	snprintf(json, sizeof(json),
	    "{'id':'job-%02d','command':['/bin/x'],'trigger':{'type':'interval','seconds':60}%s}", number, member);
	cr_assert_eq(core_add(fixture, json), 0, "%s: %s", json, fixture->err.message);
}

static void drop(struct core_fixture *fixture, int number)
{
	char id[32];

	snprintf(id, sizeof(id), "job-%02d", number);
	cr_assert_eq(core_remove(fixture, id), 0);
}

/* Each is found in its own slot, once, and in no other. */
static void each_is_found(struct core_fixture *fixture, uint32_t count)
{
	struct schedd_scheduler *scheduler = fixture->scheduler;
	uint32_t found = 0;

	for (uint32_t slot = 0; slot <= ENTRY_SLOT_PLACED; slot++) {
		bool wanted[ENTRY_SLOT_PLACED + 1] = {false};
		uint32_t position = 0;
		const struct entry *entry;

		wanted[slot] = true;
		while ((entry = entry_walk_slots(scheduler, wanted, &position))) {
			cr_expect_eq(entry_slot(entry), slot, "%s", entry->job->id);
			found++;
		}
	}
	cr_expect_eq(found, count);
	cr_expect(entry_check(scheduler));
}

Test(entry_slots, follow_what_becomes_of_jobs)
{
	struct core_fixture fixture = {0};

	core_open(&fixture, NULL);
	each_is_found(&fixture, 0);
	for (int i = JOBS; i > 0; i--)
		put(&fixture, i, NULL);
	each_is_found(&fixture, JOBS);
	/* The order is made anew: what is known of them goes with them. */
	cr_expect_str_eq(entry_first(fixture.scheduler, NULL)->job->id, "job-01");
	each_is_found(&fixture, JOBS);
	for (int i = 1; i <= JOBS; i += 3)
		drop(&fixture, i);
	each_is_found(&fixture, JOBS - (JOBS + 2) / 3);
	for (int i = 1; i <= JOBS; i += 3)
		put(&fixture, i, "together");
	each_is_found(&fixture, JOBS);
	(void)entry_first(fixture.scheduler, NULL);
	each_is_found(&fixture, JOBS);
	/* Another group is another slot. */
	cr_assert_eq(core_modify(&fixture, "job-02", "{'group':'apart'}"), 0);
	each_is_found(&fixture, JOBS);
	core_close(&fixture);
}
