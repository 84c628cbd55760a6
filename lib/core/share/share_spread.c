/* SPDX-License-Identifier: MIT */
/*
 * Where our slots go as node_spread.h says: what a dead node had to who has
 * least and is least busy, and to one that has come its share. A node that
 * lives keeps what it has.
 */
#include <stdlib.h>
#include "core/share/share_state.h"
#include "model/node_spread.h"

static struct share_seat *share_seat(const struct share *share, uint32_t node)
{
	for (uint32_t i = 0; i < share->seat_count; i++)
		if (share->seats[i].node == node)
			return &share->seats[i];
	return NULL;
}

/* NULL: no memory; then it is not due, and made at the next look. */
static struct share_seat *share_seat_get(struct share *share, uint32_t node)
{
	struct share_seat *seat = share_seat(share, node);

	if (seat)
		return seat;
	seat = realloc(share->seats, (share->seat_count + 1) * sizeof(seat[0]));
	if (!seat)
		return NULL;
	share->seats = seat;
	seat = &share->seats[share->seat_count++];
	*seat = (struct share_seat){.node = node};
	return seat;
}

bool share_settles(const struct share *share)
{
	return scheduler_mono(share->slot->scheduler).us < share->settled_at.us;
}

bool share_spread_all(const struct share *share)
{
	for (uint32_t i = 0; i < share->node_count; i++)
		if (share->nodes[i].protocol < NODE_PROTOCOL_SPREAD && share_node_lives(share, &share->nodes[i]))
			return false;
	return true;
}

/* ---- For node_spread() ---- */

static enum spread_how share_how(const struct share *share, const struct place_slot *slot, bool leaving)
{
	bool closing = slot->closing || slot->giving;

	if (slot->owner != share->own || !share->own)
		return SPREAD_OTHERS;
	if (closing && slot->wanted && slot->wanted != share->own) {
		const struct store_node *node = share_node(share, slot->wanted);

		if (slot->giving || (node && share_may_have(share, node, true) && share_fits(slot, node)))
			return SPREAD_GOES;
	}
	if (leaving || !share_fits_here(share, slot))
		return SPREAD_MUST;
	if (slot->anew)
		return share_settles(share) ? SPREAD_HELD : SPREAD_ANEW;
	return slot->hold == SHARE_RUNS ? SPREAD_HELD : SPREAD_FREE;
}

static bool share_spread_make(struct share *share, struct spread *spread)
{
	*spread = (struct spread){.node_count = share->node_count, .own = share->own};
	spread->nodes = calloc(share->node_count + 1, sizeof(spread->nodes[0]));
	spread->slots = calloc(share_slots(share), sizeof(spread->slots[0]));
	if (!spread->nodes || !spread->slots)
		return false;
	for (uint32_t i = 0; i < share->node_count; i++) {
		const struct store_node *node = &share->nodes[i];
		const struct share_seat *seat = share_seat(share, node->number);

		spread->nodes[i] = (struct spread_node){.number = node->number,
		    .name = node->name,
		    .labels = node->labels,
		    .may = share_may_have(share, node, false),
		    .urgent = share_may_have(share, node, true),
		    .due = seat && seat->due,
		    .load = node->load};
	}
	spread->slot_count = share_slots(share);
	for (uint32_t at = 0; at < spread->slot_count; at++) {
		const struct place_slot *slot = share_slot(share, at);

		spread->slots[at] = (struct spread_slot){.slot = slot->slot,
		    .owner = slot->owner,
		    .jobs = at < NODE_SLOTS ? share->slot->places.any[at] : slot->jobs,
		    .place = slot->place};
	}
	return true;
}

static void share_spread_free(struct spread *spread)
{
	free(spread->nodes);
	free(spread->slots);
}

/* ---- Who is to get its share ---- */

/* What is known of a node by its seat; true: it weighs another than before. */
static bool share_seat_note(struct share *share, const struct spread *spread, const struct store_node *node)
{
	struct share_seat *seat = share_seat_get(share, node->number);
	unsigned before = seat ? seat->weight : 0;

	if (!seat)
		return false;
	seat->weight = node_weight(node->labels);
	/* All see one that has come before it may have anything: so none gives less than its part. */
	seat->due |= node->seen_at - node->started_at < store_lease(share->slot->store) ||
		     node_spread_lacks(spread, node->number);
	return before && before != seat->weight;
}

void share_spread_note(struct share *share)
{
	struct spread spread;
	bool anew = false;

	if (share_spread_make(share, &spread))
		for (uint32_t i = 0; i < share->node_count; i++)
			anew |= share_seat_note(share, &spread, &share->nodes[i]);
	for (uint32_t i = 0; anew && i < share->seat_count; i++)
		share->seats[i].due = true;
	share_spread_free(&spread);
}

/* It has its share: nothing more moves to it for that. */
static void share_spread_done(struct share *share, const struct spread *spread)
{
	for (uint32_t i = 0; i < spread->node_count; i++) {
		const struct spread_node *node = &spread->nodes[i];
		struct share_seat *seat = share_seat(share, node->number);
		bool goes = node->waits;

		for (uint32_t k = 0; k < spread->slot_count && !goes; k++)
			goes = spread->slots[k].owner == share->own && spread->slots[k].wanted == node->number &&
			       node->number != share->own;
		if (seat && !goes)
			seat->due = false;
	}
}

/* ---- Deciding ---- */

/* Is there anything to decide? Else all stay where they are. */
static bool share_spread_idle(const struct share *share, bool leaving)
{
	if (leaving)
		return false;
	for (uint32_t at = 0; at < share_slots(share); at++) {
		const struct place_slot *slot = at < NODE_SLOTS ? &share->slots[at]
								: &share->slot->places.items[at - NODE_SLOTS];

		if (slot->owner == share->own &&
		    ((slot->anew && !share_settles(share)) || slot->closing || slot->giving || !share_fits_here(share, slot)))
			return false;
	}
	for (uint32_t i = 0; i < share->node_count; i++) {
		const struct share_seat *seat = share_seat(share, share->nodes[i].number);

		if (seat && seat->due && share_may_have(share, &share->nodes[i], false))
			return false;
	}
	return true;
}

static void share_spread_adopt(struct share *share, const struct spread *spread)
{
	for (uint32_t i = 0; i < spread->slot_count; i++) {
		const struct spread_slot *planned = &spread->slots[i];
		struct place_slot *slot = planned->slot < NODE_SLOTS
					      ? &share->slots[planned->slot]
					      : place_slots_find(&share->slot->places, planned->slot);

		if (planned->how == SPREAD_OTHERS || !slot)
			continue;
		slot->wanted = planned->wanted;
		if (slot->wanted == share->own && !share_settles(share))
			slot->anew = false;
	}
}

void share_spread(struct share *share, bool leaving)
{
	struct spread spread;

	if (share_spread_idle(share, leaving)) {
		for (uint32_t at = 0; at < share_slots(share); at++)
			if (share_slot(share, at)->owner == share->own)
				share_slot(share, at)->wanted = share->own;
		return;
	}
	share_hold(share);
	if (share_spread_make(share, &spread)) {
		for (uint32_t at = 0; at < spread.slot_count; at++) {
			const struct place_slot *slot = share_slot(share, at);
			struct spread_slot *planned = &spread.slots[at];

			planned->how = share_how(share, slot, leaving);
			planned->wanted = planned->how == SPREAD_GOES ? slot->wanted
					: planned->how == SPREAD_MUST || planned->how == SPREAD_ANEW ? 0 : share->own;
		}
		node_spread(&spread);
		share_spread_adopt(share, &spread);
		share_spread_done(share, &spread);
	}
	share_spread_free(&spread);
}
