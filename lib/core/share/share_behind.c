/* SPDX-License-Identifier: MIT */
/*
 * Another server has taken the place of the one before. Who lives writes what he
 * knows of his jobs to it, under a new epoch; of a node that has not come since
 * nobody knows what it had done last.
 */
#include <stdlib.h>
#include "core/changes/job_forward.h"
#include "core/share/share_state.h"

struct share_unheard {
	uint32_t node;
	uint64_t epoch; /* of before */
};

void share_behind_begin(struct share *share)
{
	struct share_unheard *list;

	free(share->unheard);
	share->unheard = NULL;
	share->unheard_count = 0;
	if (!store_behind(share->slot->store))
		return;
	list = calloc(share->node_count + 1, sizeof(list[0]));
	share->unheard = list;
	for (uint32_t i = 0; list && i < share->node_count; i++)
		if (share->nodes[i].number != share->own && share->nodes[i].dead_since == SCHEDD_TIME_NONE)
			list[share->unheard_count++] =
			    (struct share_unheard){share->nodes[i].number, share->nodes[i].epoch};
}

/* Who lives under another epoch has come. */
void share_behind_heard(struct share *share)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < share->unheard_count; i++) {
		const struct store_node *node = share_node(share, share->unheard[i].node);

		if (!node || node->dead_since != SCHEDD_TIME_NONE || node->epoch == share->unheard[i].epoch)
			share->unheard[kept++] = share->unheard[i];
	}
	share->unheard_count = kept;
}

static bool share_is_unheard(const struct share *share, uint32_t number)
{
	for (uint32_t i = 0; i < share->unheard_count; i++)
		if (share->unheard[i].node == number)
			return true;
	return false;
}

void share_behind_hold(struct share *share, uint32_t slot, uint32_t from)
{
	const struct store_node *node = share_node(share, from);
	uint32_t position = 0;
	struct entry *entry;

	if (!from || from == share->own || !share_is_unheard(share, from))
		return;
	while ((entry = entry_walk(share->slot->scheduler, &position)))
		if (entry->store == share->slot && !entry->hidden && entry_slot(entry) == slot)
			job_hold(entry, node ? node->name : "?");
}
