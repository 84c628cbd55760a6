/* SPDX-License-Identifier: MIT */
/*
 * One tick: due entries in pieces of a bounded size, each piece committed
 * before its runs start. now is read once, so an entry is due at most once a
 * tick; a long tick lets the loop turn in between.
 */
#include "core/changes/tick.h"

#include <stdio.h>
#include <string.h>
#include "core/changes/claim.h"
#include "core/changes/due.h"
#include "core/changes/job_switch.h"
#include "core/frame/store_slot.h"
#include "core/jobs/due_queue.h"
#include "core/runs/dispatch.h"

/* Jobs in one commit: large enough to share its cost, small enough to stay in the cache. */
#define TICK_PIECE 1024
/* The same where no commit has a cost: what the runs of a piece take stays in the CPU's cache. */
#define TICK_PIECE_MEMORY 256
/*
 * Where accounts have something due none waits for long work of another's: the loop has its turn
 * after each piece, the first one is a round of them all, so that its commit is short, and the next
 * one waits for its answer, or so long; for what is claimed meanwhile would be before it in the store.
 */
#define TICK_SHARED 64
#define TICK_ROUND (10 * (schedd_span)1000)
/* Pieces before the loop has its turn. */
#define TICK_PIECES 32

/* A store in one piece. */
struct tick_store {
	struct claim_batch *batch; /* NULL: nothing of it is claimed */
	bool asked;                /* whether it may be written now */
	bool ready;                /* it may */
};

/* The entry's. It is asked once: what is written meanwhile is answered behind the piece. */
static struct tick_store *tick_store(
    struct tick_store *stores, uint32_t count, const struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	for (uint32_t i = 0; i < count; i++) {
		if (scheduler->stores[i] != slot)
			continue;
		if (!stores[i].asked)
			stores[i].ready = store_slot_ready(slot, scheduler_mono(scheduler));
		stores[i].asked = true;
		return &stores[i];
	}
	return NULL;
}

/* One entry that is due: resumed, put off, or claimed. False: no memory. */
static bool tick_entry(struct schedd_scheduler *scheduler, struct entry *entry,
    struct tick_store *stores, uint32_t count, schedd_time now)
{
	struct tick_store *store = tick_store(stores, count, entry->store);

	if (!store)
		return false;
	if (!store->ready) {
		/* Later than now, so that the tick comes to its end. */
		schedd_time later = store_slot_retry_time(entry->store);

		entry_plan_after(scheduler, entry, later > now ? later : now + 1);
		return true;
	}
	if (entry->state.paused) {
		entry_unplan(scheduler, entry);
		job_switch_unpause(scheduler, entry);
		return true;
	}
	if (!store->batch)
		store->batch = claim_batch_new(entry->store, TICK_PIECE);
	return store->batch && due_plan(store->batch, entry, now, NULL) == 0;
}

/* Returns false when nothing more is due. */
static bool tick_piece(
    struct schedd_scheduler *scheduler, schedd_time now, uint32_t most, uint64_t round)
{
	struct tick_store stores[SCHEDULER_STORES_MAX];
	uint32_t count = scheduler->store_count, taken = 0;
	struct entry *entry;
	bool ok = true;

	memset(stores, 0, count * sizeof(stores[0]));
	while (ok && taken < most && (entry = entry_due(scheduler, now))) {
		ok = tick_entry(scheduler, entry, stores, count, now);
		taken++;
	}
	if (!ok)
		log_error(scheduler->log, "no memory to claim what is due");
	for (uint32_t i = 0; i < count; i++) {
		struct claim_batch *batch = stores[i].batch;

		if (batch)
			batch->round = ok ? round : 0;
		if (batch && !ok)
			claim_discard(batch);
		else if (batch)
			claim_commit(batch);
	}
	return ok && taken == most;
}

bool tick_waits(const struct schedd_scheduler *scheduler, struct schedd_mono *until)
{
	*until = scheduler->changes.round_until;
	return scheduler->changes.round_claims && scheduler_mono(scheduler).us < until->us;
}

static uint64_t tick_round(struct schedd_scheduler *scheduler)
{
	scheduler->changes.round_claims = 0;
	scheduler->changes.round_until.us = scheduler_mono(scheduler).us + TICK_ROUND;
	return ++scheduler->changes.round;
}

void tick_claim_due(struct schedd_scheduler *scheduler, schedd_time now)
{
	struct schedd_mono until;
	uint32_t piece = TICK_PIECE_MEMORY;

	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (scheduler->stores[i]->durable)
			piece = TICK_PIECE;
	scheduler->tick_again = false;
	if (tick_waits(scheduler, &until))
		return;
	for (int i = 0; i < TICK_PIECES; i++) {
		uint32_t shared = due_queue_share(scheduler, now, TICK_SHARED);
		bool more = tick_piece(scheduler, now, shared ? shared : piece,
		    shared ? tick_round(scheduler) : 0);

		/* Runs of this piece start before the next one is claimed. */
		(void)mailbox_settle(scheduler->mailbox);
		dispatch_start_ready(scheduler);
		if (!more)
			return;
		if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused)
			return;
		if (scheduler->start_again || shared)
			break;
	}
	scheduler->tick_again = !tick_waits(scheduler, &until);
}

void tick_free(struct schedd_scheduler *scheduler)
{
	claim_free_spares(scheduler);
}
