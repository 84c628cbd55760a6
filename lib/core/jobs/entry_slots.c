/* SPDX-License-Identifier: MIT */
/*
 * What is done to the jobs of some slots is done to few of very many: beside the
 * order of ids stands the slot of each, so that those of other slots are passed
 * over without a look at them. It is filled in as entries are walked, and only
 * where somebody walks so.
 */
#include "core/jobs/entry_slots.h"

#include <stdlib.h>
#include <string.h>

/* What stands for an entry: 0 is not known, else one more than its slot; all of places are one. */
#define SLOTS_UNKNOWN 0

static uint16_t slots_of(const struct entry *entry)
{
	uint32_t slot = entry_slot(entry);

	return (uint16_t)(1 + (slot < ENTRY_SLOT_PLACED ? slot : ENTRY_SLOT_PLACED));
}

void entry_slots_forget(struct schedd_scheduler *scheduler, uint32_t position)
{
	if (scheduler->jobs.sorted_slots)
		scheduler->jobs.sorted_slots[position] = SLOTS_UNKNOWN;
}

void entry_slots_free(struct schedd_scheduler *scheduler)
{
	free(scheduler->jobs.sorted_slots);
	scheduler->jobs.sorted_slots = NULL;
}

void entry_slots_resize(struct schedd_scheduler *scheduler, uint32_t capacity)
{
	uint16_t *slots = scheduler->jobs.sorted_slots;

	if (!slots)
		return;
	slots = realloc(slots, capacity * sizeof(slots[0]));
	if (slots)
		scheduler->jobs.sorted_slots = slots;
	else
		entry_slots_free(scheduler);
}

void entry_slots_reorder(struct schedd_scheduler *scheduler, uint32_t count)
{
	const uint16_t *slots = scheduler->jobs.sorted_slots;
	uint16_t *moved =
	    slots ? calloc(scheduler->jobs.sorted_capacity, sizeof(moved[0])) : NULL;

	for (uint32_t i = 0; moved && i < count; i++)
		moved[i] = slots[scheduler->jobs.sorted[i]->position];
	entry_slots_free(scheduler);
	scheduler->jobs.sorted_slots = moved;
}

struct entry *entry_walk_slots(struct schedd_scheduler *scheduler,
    const bool wanted[ENTRY_SLOT_PLACED + 1], uint32_t *position)
{
	struct jobs_room *jobs = &scheduler->jobs;
	uint32_t used = jobs->sorted_count + jobs->sorted_tail;

	/* Without memory all are looked at. */
	if (!jobs->sorted_slots && used)
		jobs->sorted_slots = calloc(jobs->sorted_capacity, sizeof(jobs->sorted_slots[0]));
	while (*position < used) {
		uint32_t at = (*position)++;
		uint16_t known = jobs->sorted_slots ? jobs->sorted_slots[at] : SLOTS_UNKNOWN;
		struct entry *entry;

		if (known != SLOTS_UNKNOWN && !wanted[known - 1])
			continue;
		entry = jobs->sorted[at];
		if (!entry)
			continue;
		if (known == SLOTS_UNKNOWN) {
			known = slots_of(entry);
			if (jobs->sorted_slots)
				jobs->sorted_slots[at] = known;
		}
		if (wanted[known - 1])
			return entry;
	}
	return NULL;
}

bool entry_slots_check(const struct schedd_scheduler *scheduler)
{
	const struct jobs_room *jobs = &scheduler->jobs;
	uint32_t used = jobs->sorted_slots ? jobs->sorted_count + jobs->sorted_tail : 0;

	for (uint32_t i = 0; i < used; i++)
		if (jobs->sorted[i] && jobs->sorted_slots[i] != SLOTS_UNKNOWN &&
		    jobs->sorted_slots[i] != slots_of(jobs->sorted[i]))
			return false;
	return true;
}
