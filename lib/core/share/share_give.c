/* SPDX-License-Identifier: MIT */
/*
 * Which node should have a slot, and how one is given away: first nothing of
 * it is due any more, then, when none of its jobs is busy or runs, the store
 * is told. So a job's runs are counted by one node at a time.
 */
#include <stdlib.h>
#include <string.h>
#include "core/share/share_state.h"

/* A commit of a job is over by then, mostly. */
#define SHARE_AGAIN (SCHEDD_SECOND / 20)

/* ---- Entries follow their slots ---- */

static void share_place(struct share *share, struct entry *entry)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;

	if (entry->store != share->slot || entry->hidden || !entry_locate(entry))
		return;
	if (entry->foreign) {
		entry_unplan(scheduler, entry);
		return;
	}
	entry_set_tail(entry, NULL);
	entry_plan(scheduler, entry);
	entry_note_exhausted(scheduler, entry);
}

/* Nothing of it is due here: it is another's, or to be, or its jobs do not suit this node. */
static bool share_elsewhere(const struct share *share, const struct place_slot *slot)
{
	return share->own == 0 || slot->owner != share->own || slot->closing || share->doubtful ||
	       !share_fits_here(share, slot);
}

void share_apply(struct share *share)
{
	bool moved[ENTRY_SLOT_PLACED + 1] = {false}, changed = false;
	uint32_t position = 0;
	struct entry *entry;

	for (uint32_t at = 0; at < share_slots(share); at++) {
		struct place_slot *slot = share_slot(share, at);
		bool elsewhere = share_elsewhere(share, slot);

		if (slot->elsewhere != elsewhere)
			changed = moved[at < NODE_SLOTS ? at : ENTRY_SLOT_PLACED] = true;
		slot->elsewhere = elsewhere;
		if (at < NODE_SLOTS)
			share->elsewhere[at] = elsewhere;
	}
	while (changed && (entry = entry_walk_slots(share->slot->scheduler, moved, &position)))
		share_place(share, entry);
}

/* ---- Who should have what ---- */

/*
 * Number of the node that should have one that is nobody's; 0: none. The same
 * wherever it is computed, so that one takes it. Where a node lives that does
 * not know better, it decides on all slots.
 */
static uint32_t share_wanted(const struct share *share, const struct place_slot *slot, bool leaving)
{
	uint64_t most = 0;
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < share->node_count; i++) {
		const struct store_node *node = &share->nodes[i];
		uint64_t wants;

		if (!share_fits(slot, node) || !share_may_have(share, node, leaving))
			continue;
		wants = node_wants(node->name, node->labels, slot->slot);
		if (!wanted || wants > most) {
			wanted = node->number;
			most = wants;
		}
	}
	return wanted;
}

struct share_given {
	uint32_t slot;
	uint32_t node; /* 0: nobody */
};

struct share_gift {
	struct store_slot *slot;
	uint32_t count;
	struct share_given given[];
};

static void share_given(int rc, const struct schedd_error *err, void *context)
{
	struct share_gift *gift = context;
	struct store_slot *store = gift->slot;
	struct share *share = store->share;

	scheduler_enter(store->scheduler);
	if (rc)
		store_slot_failed(store, err);
	for (uint32_t i = 0; share && i < gift->count; i++) {
		uint32_t number = gift->given[i].slot;
		struct place_slot *slot = number < NODE_SLOTS
					      ? &share->slots[number]
					      : place_slots_find(&store->places, number);

		if (!slot)
			continue;
		slot->giving = false;
		if (rc)
			slot->closing = false;
	}
	if (share && rc)
		share_apply(share);
	free(gift);
	scheduler_leave(store->scheduler);
}

/*
 * To be closed, or given now? A slot of a place is nobody's rather than of a
 * node that does not suit it.
 */
static bool share_decide(struct share *share, struct place_slot *slot, bool leaving)
{
	bool place = slot->slot >= NODE_SLOTS;
	bool must = leaving || !share_fits_here(share, slot);

	if (slot->giving)
		return false;
	if (slot->owner == 0)
		return share->own && slot->wanted == share->own && (!place || slot->jobs);
	if (slot->owner != share->own || !share->own)
		return false;
	slot->closing = slot->wanted != share->own &&
			(must || (slot->wanted && slot->hold != SHARE_RUNS));
	return slot->closing && (slot->wanted || place) && slot->hold == SHARE_IDLE;
}

static void share_give(struct share *share, struct share_gift *gift)
{
	struct store_batch *batch = store_batch_new(share->slot->store);

	gift->slot = share->slot;
	/* Rows of runs that ended in them come before. */
	store_slot_flush(share->slot);
	store_batch_ends(batch);
	for (uint32_t i = 0; i < gift->count; i++)
		store_batch_give(batch, gift->given[i].slot, gift->given[i].node);
	store_commit(share->slot->store, batch, share_given, gift);
}

/* Who should have what; true: that is not as it is. */
static bool share_want(struct share *share, bool leaving)
{
	bool spread = share_spread_all(share), differs = false;

	for (uint32_t at = 0; at < share_slots(share); at++) {
		struct place_slot *slot = share_slot(share, at);
		bool place = at >= NODE_SLOTS;
		bool urgent = leaving || (place && (slot->owner == 0 || !share_fits_here(share, slot)));
		uint32_t wanted = !place || slot->jobs ? share_wanted(share, slot, urgent) : 0;

		slot->homeless = place && slot->jobs && !wanted && !share_wanted(share, slot, true);
		if (spread && slot->owner == share->own)
			continue;
		/* One that no job is in stays where it is. */
		slot->wanted = place && !slot->jobs && !urgent && slot->owner == share->own ? share->own : wanted;
	}
	if (spread)
		share_spread(share, leaving);
	for (uint32_t at = 0; at < share_slots(share); at++) {
		const struct place_slot *slot = share_slot(share, at);

		differs |= (slot->owner == share->own) != (slot->wanted == share->own) || slot->closing;
	}
	return differs;
}

static void share_review_at(struct share *share, int64_t mono)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;

	if (timers_set(&scheduler->timers, &share->review, (struct schedd_mono){mono}))
		log_error(scheduler->log, "store %s: no memory to hand its jobs over",
		    share->slot->name);
}

void share_review(struct share *share)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	const struct store_node *own = share_node(share, share->own);
	bool leaving = share->leaving || (own && own->draining), again = false;
	struct share_gift *gift;

	/* Whose place is whose is known when all jobs are; and of who is not settled whatever it gives is held. */
	if (!own || !share_behind_gives(share) || !store_slot_ready(share->slot, scheduler_mono(scheduler)) ||
	    (share->slot->places.count && !share->slot->taken_up))
		return;
	share->slot->places.changed = false;
	if (share_settles(share))
		share_review_at(share, share->settled_at.us);
	if (!share_want(share, leaving))
		return;
	gift = malloc(sizeof(*gift) + share_slots(share) * sizeof(gift->given[0]));
	if (!gift)
		return;
	gift->count = 0;
	/* share_spread() has looked already, over all jobs. */
	if (!share_spread_all(share))
		share_hold(share);
	for (uint32_t at = 0; at < share_slots(share); at++) {
		struct place_slot *slot = share_slot(share, at);

		if (share_decide(share, slot, leaving)) {
			slot->giving = true;
			gift->given[gift->count++] = (struct share_given){slot->slot, slot->wanted};
		} else {
			again |= slot->closing && !slot->giving;
		}
	}
	share_apply(share);
	if (gift->count)
		share_give(share, gift);
	else
		free(gift);
	if (again)
		share_review_at(share, scheduler_mono(scheduler).us + SHARE_AGAIN);
}

void share_rest(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];

		if (!slot->share)
			continue;
		share_parts_review(slot->share);
		share_behind_rest(slot->share);
		if (!slot->places.changed)
			continue;
		slot->places.changed = false;
		share_apply(slot->share);
		share_review(slot->share);
	}
}
