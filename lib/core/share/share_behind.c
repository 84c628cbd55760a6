/* SPDX-License-Identifier: MIT */
/*
 * Another server has taken the place of the one before. Who lives writes what he
 * knows of his jobs to it, under a new epoch; of a node that has not come since
 * nobody knows what it had done last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_forward.h"
#include "core/frame/store_parcel.h"
#include "core/runs/run_live.h"
#include "core/share/share_state.h"

struct share_unheard {
	uint32_t node;
	uint64_t epoch; /* of before */
};

/* ---- Runs ---- */

static const char *share_run_key(const void *item)
{
	return item;
}

static void share_forget_runs(struct share *share)
{
	uint32_t position = 0;
	char *id;

	while ((id = strmap_next(&share->known_runs, &position)))
		free(id);
	strmap_clear(&share->known_runs);
	strmap_init(&share->known_runs, share_run_key);
}

/* Each of them tells its end itself, whatever becomes of its row meanwhile. */
static void share_remember_runs(struct share *share)
{
	share_forget_runs(share);
	for (const struct run_live *live = run_live_first(share->slot->scheduler); live; live = run_live_next(live)) {
		char *id = run_live_store(live) == share->slot ? strdup(run_live_id(live)) : NULL;

		if (id && strmap_put(&share->known_runs, id))
			free(id);
	}
}

static bool share_ends(const struct store_parcel *parcel, const struct run *run)
{
	uint32_t position = 0;
	const struct run *each = NULL;

	while (parcel && (each = store_parcel_walk(parcel, &position)))
		if (each->number == run->number && strcmp(each->job, run->job) == 0)
			return true;
	return false;
}

bool share_run_is_known(const struct store_slot *slot, const struct run *run)
{
	const struct entry *entry = entry_get(slot->scheduler, run->job);
	char id[RUN_LIVE_ID_MAX];

	snprintf(id, sizeof(id), "%s/%u", run->job, run->number);
	if (strmap_get(&slot->share->known_runs, id) || share_ends(slot->unwritten, run) || share_ends(slot->parcel, run))
		return true;
	for (const struct run_live *live = entry ? entry->runs : NULL; live; live = run_live_next_of_job(live))
		if (run_live_run(live)->number == run->number)
			return true;
	return false;
}

/* ---- Nodes ---- */

void share_behind_end(struct share *share)
{
	share_forget_runs(share);
	free(share->unheard);
}

void share_behind_begin(struct share *share)
{
	struct share_unheard *list;

	share_remember_runs(share);
	free(share->unheard);
	share->unheard = NULL;
	share->unheard_count = 0;
	share->doubtful = store_behind(share->slot->store) && store_late(share->slot->store);
	if (!store_behind(share->slot->store))
		return;
	if (share->doubtful)
		log_warn(share->slot->scheduler->log,
		    "store %s: this node's lease was over before another server took the place of the one before: it waits for "
		    "what the other nodes did with its jobs",
		    share->slot->name);
	list = calloc(share->node_count + 1, sizeof(list[0]));
	share->unheard = list;
	for (uint32_t i = 0; list && i < share->node_count; i++)
		if (share->nodes[i].number != share->own && share->nodes[i].dead_since == SCHEDD_TIME_NONE)
			list[share->unheard_count++] =
			    (struct share_unheard){share->nodes[i].number, share->nodes[i].epoch};
}

static bool share_is_unheard(const struct share *share, uint32_t number);

/* One that is dead by then has told nothing, and is not waited for. */
static bool share_behind_waits(const struct share *share)
{
	for (uint32_t i = 0; i < share->node_count; i++) {
		const struct store_node *node = &share->nodes[i];

		if (node->number != share->own && node->dead_since == SCHEDD_TIME_NONE && share_is_unheard(share, node->number))
			return true;
	}
	return false;
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
	share->doubtful = share->doubtful && share_behind_waits(share);
}

static bool share_is_unheard(const struct share *share, uint32_t number)
{
	const struct store_node *node = share_node(share, number);

	for (uint32_t i = 0; i < share->unheard_count; i++)
		if (share->unheard[i].node == number)
			return true;
	return node && node->unheard;
}

void share_loaded(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	uint32_t position = 0;
	struct entry *entry;

	slot->unsure = slot->share && store_unsure(slot->store);
	if (slot->share)
		slot->share->moved = slot->share->unsettled = store_behind(slot->store) || slot->unsure;
	while (slot->unsure && (entry = entry_walk(scheduler, &position)))
		if (entry->store == slot && !entry->foreign && !entry->hidden)
			job_hold(entry, store_node_name(slot->store));
}

/* ---- Settled ---- */

static void share_settled(int rc, const struct schedd_error *err, void *context)
{
	struct store_slot *slot = context;
	struct share *share = slot->share;

	scheduler_enter(slot->scheduler);
	if (rc)
		store_slot_failed(slot, err);
	if (share) {
		share->settling = false;
		share->unsettled |= rc != 0;
	}
	if (share && rc == 0) {
		if (share->moved)
			share->gives_at.us = scheduler_mono(slot->scheduler).us + store_lease(slot->store) / 2;
		share->moved = false;
		/* Who should have what is looked at anew as the scheduler comes to rest. */
		slot->places.changed = true;
	}
	scheduler_leave(slot->scheduler);
}

/* Each beat, a third of a lease after the one before, tells it; and is followed by another look at what is to be given. */
bool share_behind_gives(const struct share *share)
{
	return !share->unsettled && !share->settling &&
	       scheduler_mono(share->slot->scheduler).us >= share->gives_at.us;
}

/* If we die before that, who takes what we have holds all of it. */
void share_behind_rest(struct share *share)
{
	struct store_slot *slot = share->slot;
	struct store_batch *batch;

	if (!share->unsettled || share->settling || slot->owed ||
	    !store_slot_ready(slot, scheduler_mono(slot->scheduler)) || slot->epoch != store_epoch(slot->store))
		return;
	share->unsettled = false;
	share->settling = true;
	batch = store_batch_new(slot->store);
	store_batch_ends(batch);
	store_batch_node(batch, store_node_name(slot->store), STORE_NODE_SETTLE);
	store_commit(slot->store, batch, share_settled, slot);
}

bool share_behind_unsure(const struct share *share, const char *name)
{
	const struct store_node *node = share_named(share, name);

	return node && share_is_unheard(share, node->number);
}

void share_behind_hold(struct share *share, uint32_t slot, uint32_t from)
{
	const struct store_node *node = share_node(share, from);
	bool wanted[ENTRY_SLOT_PLACED + 1] = {false};
	uint32_t position = 0;
	struct entry *entry;

	if (!from || from == share->own || !share_is_unheard(share, from))
		return;
	share->moved = true;
	wanted[slot < ENTRY_SLOT_PLACED ? slot : ENTRY_SLOT_PLACED] = true;
	while ((entry = entry_walk_slots(share->slot->scheduler, wanted, &position)))
		if (entry->store == share->slot && !entry->hidden && entry_slot(entry) == slot)
			job_hold(entry, node ? node->name : "?");
}
