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

void share_apply(struct share *share)
{
	uint32_t position = 0;
	struct entry *entry;
	bool changed = false;

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		uint8_t elsewhere = share->owners[slot] != share->own || share->own == 0 ||
				    share->closing[slot];

		changed |= share->elsewhere[slot] != elsewhere;
		share->elsewhere[slot] = elsewhere;
	}
	while (changed && (entry = entry_walk(share->slot->scheduler, &position)))
		share_place(share, entry);
}

/* ---- Who should have what ---- */

/* One that comes and goes gets nothing before it has stayed for a lease, unless somebody leaves. */
static bool share_may_have(const struct share *share, const struct store_node *node, bool leaving)
{
	if (!share_node_lives(share, node) || node->draining)
		return false;
	if (node->number == share->own)
		return !share->leaving;
	return leaving || node->seen_at - node->started_at >= store_lease(share->slot->store);
}

/* Number of the node that should have it; 0: none. */
static uint32_t share_wanted(const struct share *share, uint32_t slot, bool leaving)
{
	uint64_t most = 0;
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < share->node_count; i++) {
		const struct store_node *node = &share->nodes[i];
		uint64_t wants = node_wants(node->name, slot);

		if (share_may_have(share, node, leaving) && (!wanted || wants > most)) {
			wanted = node->number;
			most = wants;
		}
	}
	return wanted;
}

/* What keeps a slot here. */
enum share_hold {
	SHARE_IDLE,
	SHARE_BUSY, /* a commit of one of its jobs is under way */
	SHARE_RUNS, /* one of them runs, or waits to */
};

struct share_plan {
	bool leaving;                /* we are to have nothing */
	uint32_t wanted[NODE_SLOTS]; /* by whom; 0: nobody can have it */
	uint8_t holds[NODE_SLOTS];   /* enum share_hold */
};

static void share_hold(const struct share *share, struct share_plan *plan)
{
	uint32_t position = 0;
	const struct entry *entry;

	while ((entry = entry_walk(share->slot->scheduler, &position))) {
		uint8_t *hold;

		if (entry->store != share->slot || (!entry->live && !entry->busy))
			continue;
		hold = &plan->holds[entry_slot(entry)];
		if (entry->live)
			*hold = SHARE_RUNS;
		else if (*hold < SHARE_BUSY)
			*hold = SHARE_BUSY;
	}
}

struct share_gift {
	struct store_slot *slot;
	bool given[NODE_SLOTS];
};

static void share_given(int rc, const struct schedd_error *err, void *context)
{
	struct share_gift *gift = context;
	struct store_slot *slot = gift->slot;
	struct share *share = slot->share;

	scheduler_enter(slot->scheduler);
	if (rc)
		store_slot_failed(slot, err);
	for (uint32_t i = 0; share && i < NODE_SLOTS; i++) {
		if (!gift->given[i])
			continue;
		share->giving[i] = false;
		if (rc)
			share->closing[i] = false;
	}
	if (share && rc)
		share_apply(share);
	free(gift);
	scheduler_leave(slot->scheduler);
}

/* Which slots are to be closed, which are given now; true: some have to wait a moment. */
static bool share_decide(struct share *share, const struct share_plan *plan, bool give[NODE_SLOTS],
    uint32_t *gifts)
{
	bool again = false;

	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		uint32_t wanted = plan->wanted[slot];

		give[slot] = false;
		if (share->giving[slot])
			continue;
		if (share->owners[slot] == 0 && share->own && wanted == share->own) {
			give[slot] = true;
		} else if (share->owners[slot] != share->own || !share->own) {
			continue;
		} else if (wanted == share->own ||
			   (!plan->leaving && (!wanted || plan->holds[slot] == SHARE_RUNS))) {
			share->closing[slot] = false;
		} else {
			share->closing[slot] = true;
			give[slot] = wanted && plan->holds[slot] == SHARE_IDLE;
			again |= plan->holds[slot] != SHARE_IDLE;
		}
		*gifts += give[slot];
	}
	return again;
}

static void share_give(struct share *share, const struct share_plan *plan, const bool give[NODE_SLOTS])
{
	struct share_gift *gift = calloc(1, sizeof(*gift));
	struct store_batch *batch = gift ? store_batch_new(share->slot->store) : NULL;

	if (!batch) {
		free(gift);
		return;
	}
	gift->slot = share->slot;
	/* Rows of runs that ended in them come before. */
	store_slot_flush(share->slot);
	store_batch_ends(batch);
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		if (!give[slot])
			continue;
		gift->given[slot] = share->giving[slot] = true;
		store_batch_give(batch, slot, plan->wanted[slot]);
	}
	store_commit(share->slot->store, batch, share_given, gift);
}

void share_review(struct share *share)
{
	struct schedd_scheduler *scheduler = share->slot->scheduler;
	const struct store_node *own = share_node(share, share->own);
	bool give[NODE_SLOTS], differs = false, again;
	struct share_plan plan = {.leaving = share->leaving || (own && own->draining)};
	uint32_t gifts = 0;

	if (!own || !store_slot_ready(share->slot, scheduler_mono(scheduler)))
		return;
	for (uint32_t slot = 0; slot < NODE_SLOTS; slot++) {
		plan.wanted[slot] = share_wanted(share, slot, plan.leaving);
		differs |= (share->owners[slot] == share->own) != (plan.wanted[slot] == share->own) ||
			   share->closing[slot];
	}
	if (!differs)
		return;
	share_hold(share, &plan);
	again = share_decide(share, &plan, give, &gifts);
	share_apply(share);
	if (gifts)
		share_give(share, &plan, give);
	if (again && timers_set(&scheduler->timers, &share->review,
			 (struct schedd_mono){scheduler_mono(scheduler).us + SHARE_AGAIN}))
		log_error(scheduler->log, "store %s: no memory to hand its jobs over",
		    share->slot->name);
}
