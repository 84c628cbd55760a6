/* SPDX-License-Identifier: MIT */
/* Without memory for a count nothing is known any more, and everybody walks. */
#include "core/jobs/owners.h"

#include <stdlib.h>
#include <string.h>

struct owner_slot {
	uint32_t count;
	char name[];
};

static const char *owners_key(const void *item)
{
	return ((const struct owner_slot *)item)->name;
}

void owners_init(struct schedd_scheduler *scheduler)
{
	strmap_init(&scheduler->jobs.owners, owners_key);
	scheduler->jobs.owners_unknown = false;
}

void owners_free(struct schedd_scheduler *scheduler)
{
	struct owner_slot *slot;

	for (uint32_t position = 0; (slot = strmap_next(&scheduler->jobs.owners, &position));)
		free(slot);
	strmap_clear(&scheduler->jobs.owners);
	owners_init(scheduler);
}

void owners_add(struct schedd_scheduler *scheduler, const struct schedd_job *job)
{
	const char *owner = job_details(job)->owner;
	struct owner_slot *slot = owner ? strmap_get(&scheduler->jobs.owners, owner) : NULL;
	size_t size = owner ? strlen(owner) + 1 : 0;

	if (!owner)
		return;
	if (!slot) {
		slot = malloc(sizeof(*slot) + size);
		if (slot) {
			slot->count = 0;
			memcpy(slot->name, owner, size);
		}
		if (!slot || strmap_put(&scheduler->jobs.owners, slot)) {
			free(slot);
			scheduler->jobs.owners_unknown = true;
			return;
		}
	}
	slot->count++;
}

void owners_drop(struct schedd_scheduler *scheduler, const struct schedd_job *job)
{
	const char *owner = job_details(job)->owner;
	struct owner_slot *slot = owner ? strmap_get(&scheduler->jobs.owners, owner) : NULL;

	if (!slot || --slot->count > 0)
		return;
	strmap_remove(&scheduler->jobs.owners, owner);
	free(slot);
}

uint32_t owners_count(const struct schedd_scheduler *scheduler, const char *owner)
{
	const struct owner_slot *slot = strmap_get(&scheduler->jobs.owners, owner);

	if (scheduler->jobs.owners_unknown)
		return UINT32_MAX;
	return slot ? slot->count : 0;
}
