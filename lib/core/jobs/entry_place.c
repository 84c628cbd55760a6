/* SPDX-License-Identifier: MIT */
/* On which nodes of a store that is shared a job may run, and whether this is one that has it. */
#include "core/jobs/entry_place.h"

#include <stdio.h>
#include <string.h>
#include "model/node.h"

bool entry_on_all(const struct entry *entry)
{
	const char *nodes = job_details(entry->job)->nodes;

	return nodes && strcmp(nodes, NODE_ALL) == 0 && entry->store->shared;
}

/* Does it say that it may run on some nodes alone? */
static const char *entry_place(const struct entry *entry)
{
	const char *nodes = job_details(entry->job)->nodes;

	return nodes && strcmp(nodes, NODE_ALL) != 0 ? nodes : NULL;
}

void entry_note_part(const struct entry *entry)
{
	if (entry->store->shared && (job_id_node(entry->job->id) || entry_on_all(entry)))
		entry->store->places.parts = true;
}

struct entry *entry_part(const struct schedd_scheduler *scheduler, const struct entry *entry, const char *node)
{
	char id[JOB_ID_MAX + 1];

	if (!entry_on_all(entry) ||
	    (size_t)snprintf(id, sizeof(id), "%s@%s", entry->job->id, node) >= sizeof(id))
		return NULL;
	return strmap_get(&scheduler->jobs.entries, id);
}

void entry_count_place(const struct entry *entry, int by)
{
	const char *place = entry_place(entry);

	if (!entry->store->shared)
		return;
	if (place)
		place_slots_count(&entry->store->places, entry_slot(entry), place, by);
	else if (!entry_on_all(entry))
		entry->store->places.any[entry_slot(entry)] += (uint32_t)by;
}

uint32_t entry_slot(const struct entry *entry)
{
	return node_job_slot(entry->job);
}

const struct place_slot *entry_place_slot(const struct entry *entry)
{
	const char *place = entry->store->shared ? entry_place(entry) : NULL;
	const struct place_slot *item =
	    place ? place_slots_find(&entry->store->places, entry_slot(entry)) : NULL;

	return item && item->place && strcmp(item->place, place) == 0 ? item : NULL;
}

static bool entry_elsewhere(const struct entry *entry)
{
	const struct place_slot *item;

	/* Where no store is shared a job on all nodes is one as any other, and needs no parts. */
	if (!entry->store->elsewhere)
		return job_id_node(entry->job->id) != NULL;
	if (entry_on_all(entry))
		return true;
	if (!entry_place(entry))
		return entry->store->elsewhere[entry_slot(entry)];
	item = entry_place_slot(entry);
	return !item || item->elsewhere;
}

bool entry_locate(struct entry *entry)
{
	bool was = entry->foreign;

	entry->foreign = entry_elsewhere(entry);
	return entry->foreign != was;
}
