/* SPDX-License-Identifier: MIT */
/* Whose slots are, what keeps them there, and which nodes they may go to. */
#include <stdio.h>
#include <string.h>
#include "core/share/share_state.h"

const struct store_node *share_node(const struct share *share, uint32_t number)
{
	for (uint32_t i = 0; i < share->node_count; i++)
		if (share->nodes[i].number == number)
			return &share->nodes[i];
	return NULL;
}

const struct store_node *share_named(const struct share *share, const char *name)
{
	for (uint32_t i = 0; i < share->node_count; i++)
		if (strcmp(share->nodes[i].name, name) == 0)
			return &share->nodes[i];
	return NULL;
}

bool share_node_lives(const struct share *share, const struct store_node *node)
{
	schedd_span gone = scheduler_mono(share->slot->scheduler).us - share->nodes_at.us;

	return node->dead_since == SCHEDD_TIME_NONE && node->left > gone;
}

uint32_t share_owner(const struct share *share, const struct entry *entry)
{
	const struct place_slot *slot;
	uint32_t number = entry_slot(entry);

	if (number < NODE_SLOTS)
		return share->slots[number].owner;
	slot = entry_place_slot(entry);
	return slot ? slot->owner : 0;
}

int64_t share_jobs(const struct share *share, uint32_t number)
{
	const struct place_slots *places = &share->slot->places;
	int64_t jobs = 0;

	for (uint32_t i = 0; i < NODE_SLOTS && number; i++)
		jobs += share->slots[i].owner == number ? places->any[i] : 0;
	for (uint32_t i = 0; i < places->count && number; i++)
		jobs += places->items[i].owner == number ? places->items[i].jobs : 0;
	return jobs;
}

bool share_fits(const struct place_slot *slot, const struct store_node *node)
{
	if (slot->slot < NODE_SLOTS)
		return true;
	return slot->place && node_place_matches(slot->place, node->name, node->labels);
}

bool share_fits_here(const struct share *share, const struct place_slot *slot)
{
	if (slot->slot < NODE_SLOTS)
		return true;
	return slot->place && share->labels &&
	       node_place_matches(slot->place, store_node_name(share->slot->store), share->labels);
}

/* One that comes and goes gets nothing before it has stayed for a lease, unless somebody leaves. */
bool share_may_have(const struct share *share, const struct store_node *node, bool urgent)
{
	if (!share_node_lives(share, node) || node->draining)
		return false;
	if (node->number == share->own)
		return !share->leaving;
	return urgent || node->seen_at - node->started_at >= store_lease(share->slot->store);
}

void share_hold(struct share *share)
{
	bool ours[ENTRY_SLOT_PLACED + 1] = {false};
	uint32_t position = 0;
	const struct entry *entry;

	for (uint32_t at = 0; at < share_slots(share); at++) {
		struct place_slot *slot = share_slot(share, at);

		slot->hold = SHARE_IDLE;
		/* Who leaves gives all away that may be his by now. */
		ours[at < NODE_SLOTS ? at : ENTRY_SLOT_PLACED] |= slot->owner == share->own || share->leaving;
	}
	while ((entry = entry_walk_slots(share->slot->scheduler, ours, &position))) {
		struct place_slot *slot;
		uint32_t number;

		if (entry->store != share->slot || (!entry->live && !entry->busy))
			continue;
		number = entry_slot(entry);
		slot = number < NODE_SLOTS ? &share->slots[number]
					   : place_slots_find(&share->slot->places, number);
		if (slot && entry->live)
			slot->hold = SHARE_RUNS;
		else if (slot && slot->hold < SHARE_BUSY)
			slot->hold = SHARE_BUSY;
	}
}

/* "web1, gpu=yes" for "web1|gpu=yes", as people wrote it: one of them must hold. */
static void share_place_words(const char *place, struct strbuf *out)
{
	strbuf_add_char(out, '\'');
	for (; *place; place++)
		if (*place == '|')
			strbuf_add(out, "' or '");
		else if (*place != '@')
			strbuf_add_char(out, *place);
	strbuf_add_char(out, '\'');
}

/* "web2 drains, web3 is dead"; nothing: none has ever fitted. */
static void share_place_away(
    const struct share *share, const struct place_slot *slot, struct strbuf *out)
{
	for (uint32_t i = 0; i < share->node_count; i++) {
		const struct store_node *node = &share->nodes[i];

		if (share_fits(slot, node))
			strbuf_printf(out, "%s%s %s", out->length ? ", " : "", node->name,
			    !share_node_lives(share, node) ? "is dead"
			    : node->draining		   ? "drains"
							   : "has just come");
	}
}

const char *share_node_of(const struct entry *entry)
{
	const struct share *share = entry->store->share;
	const struct store_node *node =
	    share && !entry_on_all(entry) ? share_node(share, share_owner(share, entry)) : NULL;

	return node ? node->name : NULL;
}

bool share_why(const struct entry *entry, char *text, size_t size)
{
	const struct place_slot *slot = entry_place_slot(entry);
	struct strbuf words = STRBUF_EMPTY, away = STRBUF_EMPTY;

	if (entry_on_all(entry)) {
		snprintf(text, size, "it runs on all nodes, on each for itself: why %.140s@NODE tells of one",
		    entry->job->id);
		return true;
	}
	if (!slot || !slot->homeless || !entry->store->share)
		return false;
	share_place_words(slot->place, &words);
	share_place_away(entry->store->share, slot, &away);
	snprintf(text, size, "no live node fits its nodes %s%s%s%s: its runs wait for one",
	    strbuf_peek(&words), away.length ? " (" : "", strbuf_peek(&away), away.length ? ")" : "");
	strbuf_clear(&words);
	strbuf_clear(&away);
	return true;
}

bool scheduler_job_homeless(
    const struct schedd_scheduler *scheduler, const char *id, char *text, size_t size)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry && !entry_on_all(entry) && share_why(entry, text, size);
}
