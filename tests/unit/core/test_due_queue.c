/* SPDX-License-Identifier: MIT */
/* What is due is dealt from one account's queue after the other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/scheduler_state.h"
#include "core/jobs/due_queue.h"
#include "support/core_fixture.h"

static void added(struct core_fixture *fixture, const char *id, const char *every)
{
	char json[256];

	snprintf(json, sizeof(json),
	    "{'id':'%s','command':['/bin/x'],'trigger':{'type':'interval','seconds':%s}}", id, every);
	cr_assert_eq(core_add(fixture, json), 0, "%s: %s", id, fixture->err.message);
}

static void open_with(struct core_fixture *fixture)
{
	core_open(fixture, NULL);
}

/* The accounts of what is taken, as letters; each is put off by a day. */
static void dealt(struct core_fixture *fixture, schedd_time now, char *out, size_t size)
{
	struct schedd_scheduler *scheduler = fixture->scheduler;
	struct entry *entry;
	size_t at = 0;

	while (at + 1 < size && (entry = due_queue_take(scheduler, now))) {
		out[at++] = strchr(entry->job->id, ':') ? entry->job->id[0] : 'r';
		cr_assert_eq(due_queue_set(scheduler, entry, now + SCHEDD_DAY), 0);
		cr_assert(due_queue_check(scheduler));
	}
	out[at] = '\0';
}

Test(due_queue, deals_turns_to_accounts)
{
	struct core_fixture fixture = {0};
	char turns[64], id[32];

	open_with(&fixture);
	for (int i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "bin:%d", i);
		added(&fixture, id, "60");
	}
	for (int i = 0; i < 2; i++) {
		snprintf(id, sizeof(id), "daemon:%d", i);
		added(&fixture, id, "60");
		snprintf(id, sizeof(id), "root%d", i);
		added(&fixture, id, "60");
	}
	cr_expect_eq(due_queue_next(fixture.scheduler), CORE_EPOCH + 60 * SCHEDD_SECOND);
	cr_expect_null(due_queue_take(fixture.scheduler, CORE_EPOCH));
	cr_expect_eq(due_queue_share(fixture.scheduler, CORE_EPOCH, 64), 0);
	cr_expect_eq(due_queue_share(fixture.scheduler, CORE_EPOCH + 61 * SCHEDD_SECOND, 64), 4, "a round");
	cr_expect_eq(due_queue_share(fixture.scheduler, CORE_EPOCH + 61 * SCHEDD_SECOND, 64), 64);
	cr_expect_eq(due_queue_next(fixture.scheduler), CORE_EPOCH + 60 * SCHEDD_SECOND, "also of the ring");
	dealt(&fixture, CORE_EPOCH + 61 * SCHEDD_SECOND, turns, sizeof(turns));
	cr_expect_eq(strlen(turns), 16, "%s", turns);
	/* Whoever begins: each of the few has had its two within six turns. */
	for (const char *few = "dr"; *few; few++) {
		int seen = 0;

		for (int i = 0; i < 6; i++)
			seen += turns[i] == *few;
		cr_expect(seen >= 1, "%c in %s", *few, turns);
	}
	cr_expect_eq(strspn(turns + 9, "b"), 7, "%s", turns);
	cr_expect_null(due_queue_take(fixture.scheduler, CORE_EPOCH + 62 * SCHEDD_SECOND));
	cr_expect_eq(due_queue_share(fixture.scheduler, CORE_EPOCH + 62 * SCHEDD_SECOND, 64), 0);
	core_close(&fixture);
}

Test(due_queue, keeps_its_order_whatever_comes_and_goes)
{
	static const char *const accounts[] = {"bin:", "daemon:", "sys:", ""};
	struct core_fixture fixture = {0};
	unsigned random = 777;
	char id[32];

	open_with(&fixture);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "%sj%d", accounts[i % 4], i);
		added(&fixture, id, "3600");
	}
	for (int turn = 0; turn < 4000; turn++) {
		struct schedd_scheduler *scheduler = fixture.scheduler;
		schedd_time now = CORE_EPOCH + turn * SCHEDD_SECOND;
		struct entry *entry;
		int i;

		random = random * 1103515245U + 12345U;
		i = (int)(random >> 16) % 40;
		snprintf(id, sizeof(id), "%sj%d", accounts[i % 4], i);
		entry = entry_get(scheduler, id);
		cr_assert_not_null(entry);
		if (random & 0x100)
			due_queue_remove(scheduler, entry);
		else
			cr_assert_eq(due_queue_set(scheduler, entry, now + (schedd_time)(random % 7) * SCHEDD_SECOND), 0);
		entry = random & 0x200 ? due_queue_take(scheduler, now) : NULL;
		if (entry)
			due_queue_remove(scheduler, entry);
		cr_assert(due_queue_check(scheduler), "turn %d", turn);
	}
	core_close(&fixture);
}

/* Entries that were claimed, or are being claimed. */
static int taken(struct core_fixture *fixture)
{
	struct entry *entry;
	uint32_t position = 0;
	int count = 0;

	while ((entry = entry_walk(fixture->scheduler, &position)))
		count += entry->busy || entry->state.last_run > 0;
	return count;
}

/* What is before it in the store delays nobody's first: that is committed before more is claimed. */
Test(due_queue, claims_a_round_of_all_accounts_first)
{
	struct core_fixture fixture = {0};
	char id[32];

	/* One that answers later. */
	setenv("SCHEDD_TEST_STORE", "sqlite", 1);
	core_open(&fixture, NULL);
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof(id), "bin:%d", i);
		added(&fixture, id, "60");
	}
	added(&fixture, "daemon:one", "60");
	added(&fixture, "own", "60");
	fixture.wall += 61 * SCHEDD_SECOND;
	fixture.mono += 61 * SCHEDD_SECOND;
	scheduler_tick(fixture.scheduler);
	cr_expect_eq(taken(&fixture), 4);
	cr_expect_str_neq(core_field(&fixture, "daemon:one", "id"), "");
	cr_expect(entry_get(fixture.scheduler, "daemon:one")->busy ||
		  entry_get(fixture.scheduler, "daemon:one")->state.last_run == 1);
	cr_expect(entry_get(fixture.scheduler, "own")->busy ||
		  entry_get(fixture.scheduler, "own")->state.last_run == 1);
	core_advance(&fixture, 10 * SCHEDD_SECOND);
	cr_expect_eq(taken(&fixture), 202, "and then all of it");
	core_close(&fixture);
}
