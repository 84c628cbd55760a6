/* SPDX-License-Identifier: MIT */
/*
 * First the slot is taken from among the others, then its store is left to end
 * by itself, then it is closed and whoever waits is told.
 */
#include "core/top/stores_leave.h"

#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"
#include "core/runs/run_process.h"
#include "core/share/share.h"
#include "core/top/moved.h"
#include "core/top/stores_check.h"

void stores_shut(struct store_slot *slot)
{
	share_close(slot);
	store_slot_close(slot);
	share_end(slot);
	slot->store = NULL;
	timers_unset(&slot->scheduler->timers, &slot->retry);
	timers_unset(&slot->scheduler->timers, &slot->again);
	store_slot_clear(slot);
}

void stores_retire(struct store_slot *slot)
{
	slot->next = slot->scheduler->retired;
	slot->scheduler->retired = slot;
}

void stores_free_slot(struct store_slot *slot)
{
	free(slot->name);
	free(slot);
}

/* False: it was not among them. */
static bool stores_take_out(struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	uint32_t at = 0;

	while (at < scheduler->store_count && scheduler->stores[at] != slot)
		at++;
	if (at == scheduler->store_count)
		return false;
	scheduler->store_count--;
	memmove(&scheduler->stores[at], &scheduler->stores[at + 1],
	    (scheduler->store_count - at) * sizeof(scheduler->stores[0]));
	return true;
}

static void stores_left(void *context)
{
	struct stores_leaving *leaving = context;
	struct store_slot *slot = leaving->slot;
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct stores_leaving **link = &scheduler->top.leaving;
	bool joined = leaving->joined;

	scheduler_enter(scheduler);
	while (*link != leaving)
		link = &(*link)->next;
	*link = leaving->next;
	stores_shut(slot);
	leaving->left(leaving);
	if (joined)
		stores_retire(slot);
	else
		stores_free_slot(slot);
	scheduler_leave(scheduler);
}

void stores_leave(struct stores_leaving *leaving, struct store_slot *slot,
    void (*left)(struct stores_leaving *leaving))
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	run_process_write_all(scheduler);
	store_slot_flush_all(scheduler);
	share_close(slot);
	timers_unset(&scheduler->timers, &slot->retry);
	timers_unset(&scheduler->timers, &slot->again);
	moved_forget(slot);
	slot->leaving = true;
	leaving->slot = slot;
	leaving->left = left;
	leaving->joined = stores_take_out(scheduler, slot);
	stores_check_refuse(scheduler, slot->store, "the store is removed");
	leaving->next = scheduler->top.leaving;
	scheduler->top.leaving = leaving;
	store_leave(slot->store, stores_left, leaving);
}

bool stores_leaves(const struct schedd_scheduler *scheduler, const char *name)
{
	const struct stores_leaving *leaving = scheduler->top.leaving;

	while (leaving && strcmp(leaving->slot->name, name) != 0)
		leaving = leaving->next;
	return leaving != NULL;
}

void stores_leave_stop(struct schedd_scheduler *scheduler)
{
	while (scheduler->top.leaving)
		stores_left(scheduler->top.leaving);
}
