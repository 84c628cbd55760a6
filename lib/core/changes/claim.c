/* SPDX-License-Identifier: MIT */
/*
 * Builds, commits and settles claims. Nothing of a claim is in effect before
 * it is durable; a failed one leaves no trace but the back-off of its store.
 */
#include "core/changes/claim.h"

#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"
#include "core/keep/notify.h"
#include "core/keep/retention.h"
#include "core/runs/admission.h"
#include "core/runs/mark.h"
#include "core/runs/run_note.h"
#include "core/runs/run_stop.h"

/* Batches of fewer claims are made for one change and not kept. */
#define CLAIM_SPARE_MIN 64

struct claim_batch *claim_batch_new(struct store_slot *store, uint32_t capacity)
{
	struct schedd_scheduler *scheduler = store->scheduler;
	struct claim_batch *batch =
	    capacity < CLAIM_SPARE_MIN ? NULL : scheduler->changes.spare_batch;

	if (batch && batch->capacity >= capacity) {
		scheduler->changes.spare_batch = batch->next;
	} else {
		batch = calloc(1, sizeof(*batch));
		if (!batch)
			return NULL;
		batch->claims = calloc(capacity, sizeof(batch->claims[0]));
		batch->capacity = capacity;
	}
	batch->scheduler = scheduler;
	batch->store = store;
	batch->change = NULL;
	batch->count = 0;
	batch->round = 0;
	batch->batch = store_batch_new(store->store);
	if (!batch->claims || !batch->batch) {
		store_batch_free(batch->batch);
		free(batch->claims);
		free(batch);
		return NULL;
	}
	return batch;
}

/* Those of a tick are kept, for they are large and there is one a second or more. */
static void claim_batch_free(struct claim_batch *batch)
{
	if (batch->capacity < CLAIM_SPARE_MIN) {
		free(batch->claims);
		free(batch);
		return;
	}
	batch->next = batch->scheduler->changes.spare_batch;
	batch->scheduler->changes.spare_batch = batch;
}

void claim_free_spares(struct schedd_scheduler *scheduler)
{
	while (scheduler->changes.spare_batch) {
		struct claim_batch *batch = scheduler->changes.spare_batch;

		scheduler->changes.spare_batch = batch->next;
		free(batch->claims);
		free(batch);
	}
}

struct claim *claim_add(struct claim_batch *batch, struct entry *entry)
{
	struct claim *claim = &batch->claims[batch->count++];

	claim->entry = entry;
	claim->next_fire = entry->state.next_fire;
	claim->next_run_time = entry->state.next_run_time;
	claim->run_count = entry->state.run_count;
	claim->last_run = claim->expected = entry->state.last_run;
	claim->verdict = STORE_CLAIM_DONE;
	claim->runs = NULL;
	claim->rows = NULL;
	entry->busy = true;
	entry_unplan(batch->scheduler, entry);
	return claim;
}

struct run_live *claim_run(
    struct claim *claim, enum run_trigger trigger, schedd_time scheduled_at, schedd_time due_at)
{
	struct run_live *live = run_live_new(claim->entry, claim->last_run + 1, trigger);
	struct run_live *last = claim->runs;

	if (!live)
		return NULL;
	claim->last_run++;
	run_live_plan(live, scheduled_at, due_at);
	while (last && run_live_claimed_next(last))
		last = run_live_claimed_next(last);
	if (last)
		run_live_claimed_link(last, live);
	else
		claim->runs = live;
	return live;
}

static bool claim_row_joins(const struct run *tail, enum run_state state, const char *reason)
{
	return tail && tail->state == state && tail->reason && strcmp(tail->reason, reason) == 0;
}

static int claim_row_fill(struct claim *claim, struct run *run, enum run_state state,
    const struct misfire_span *span, const char *reason)
{
	const struct run *tail = claim->rows ? NULL : entry_aside(claim->entry)->tail;

	run_init(run);
	if (claim_row_joins(tail, state, reason) && !claim->runs) {
		if (run_copy(run, tail))
			return SCHEDD_ENOMEM;
		run->count += span->count;
		run->until = span->last;
		return 0;
	}
	run->reason = strdup(reason);
	if (!run->reason)
		return SCHEDD_ENOMEM;
	run->state = state;
	run->number = ++claim->last_run;
	run->scheduled_at = span->first;
	run->until = span->count > 1 ? span->last : SCHEDD_TIME_NONE;
	run->count = span->count;
	return 0;
}

int claim_row(struct claim *claim, enum run_state state, const struct misfire_span *span,
    const char *reason, enum schedd_event_code event)
{
	struct claim_row *row = calloc(1, sizeof(*row)), **end = &claim->rows;
	struct run *run = calloc(1, sizeof(*run));

	if (!row || !run || claim_row_fill(claim, run, state, span, reason)) {
		free(run);
		free(row);
		return SCHEDD_ENOMEM;
	}
	row->run = run;
	row->event = event;
	row->added = span->count;
	while (*end)
		end = &(*end)->next;
	*end = row;
	return 0;
}

static void claim_rows_free(struct claim *claim)
{
	while (claim->rows) {
		struct claim_row *row = claim->rows;

		claim->rows = row->next;
		if (row->run) {
			run_clear(row->run);
			free(row->run);
		}
		free(row);
	}
}

/* Fire times were missed or skipped. */
static void claim_missed(
    struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run)
{
	notify_missed(scheduler, entry, run);
	retention_note(scheduler, entry, 0);
}

/* Tells of a row that is now durable and makes it the one that others may join. */
static void claim_row_settle(
    struct schedd_scheduler *scheduler, struct entry *entry, struct claim_row *row)
{
	struct run *run = row->run;

	row->run = NULL;
	if (run->state == RUN_SKIPPED)
		scheduler->counts.skipped_times += row->added;
	else
		scheduler->counts.missed_times += row->added;
	claim_missed(scheduler, entry, run);
	event_ring_say_run(entry->store, row->event, scheduler_now(scheduler), entry->job->id, run,
	    run->reason);
	entry_set_tail(entry, run);
}

/* The run is durable since now: announces it and sends it to the first gate. */
static void claim_enter(struct run_live *live, schedd_time now)
{
	struct entry *entry = run_live_entry(live);

	run_live_event(live, SCHEDD_EVENT_JOB_SUBMITTED, now, NULL);
	if (entry && !run_live_is_forced(live) && job_details(entry->job)->overlap == JOB_OVERLAP_REPLACE &&
	    entry->live > job_details(entry->job)->max_instances)
		run_stop_replace(entry, run_live_id(live));
	admission_enter(live);
}

/* The claim is durable: counters move, rows and runs become visible. */
static void claim_settle(struct schedd_scheduler *scheduler, struct claim *claim, schedd_time now)
{
	struct entry *entry = claim->entry;
	struct run_live *live = claim->runs, *next;

	entry->state.next_fire = claim->next_fire;
	entry->state.next_run_time = claim->next_run_time;
	entry->state.run_count = claim->run_count;
	entry->state.last_run = claim->last_run;
	for (struct claim_row *row = claim->rows; row; row = row->next)
		claim_row_settle(scheduler, entry, row);
	if (live)
		entry_set_tail(entry, NULL);
	for (; live; live = next) {
		next = run_live_claimed_next(live);
		run_live_claimed_link(live, NULL);
		admission_settle(live);
		scheduler->counts.fires++;
		scheduler->counts.coalesced += run_live_run(live)->coalesced;
		claim_enter(live, now);
	}
	claim->runs = NULL;
	claim_rows_free(claim);
}

static void claim_undo(struct claim *claim)
{
	struct run_live *next;

	for (struct run_live *live = claim->runs; live; live = next) {
		next = run_live_claimed_next(live);
		admission_settle(live);
		run_live_discard(live);
	}
	claim->runs = NULL;
	claim_rows_free(claim);
}

/* Durable or not, and if so by its own verdict. False: another has the job, how it is now follows. */
static bool claim_end(struct schedd_scheduler *scheduler, struct claim *claim, int rc, schedd_time now)
{
	if (!rc && claim->verdict == STORE_CLAIM_DONE) {
		claim_settle(scheduler, claim, now);
		return true;
	}
	claim_undo(claim);
	if (rc || claim->verdict != STORE_CLAIM_LOST)
		return true;
	log_warn(scheduler->log, "job %s was changed in store %s behind the scheduler's back",
	    claim->entry->job->id, claim->entry->store->name);
	claim->entry->adrift = true;
	return false;
}

static void claim_done(int rc, const struct schedd_error *err, void *context)
{
	struct claim_batch *batch = context;
	struct schedd_scheduler *scheduler = batch->scheduler;
	schedd_time now = scheduler_now(scheduler);

	scheduler_enter(scheduler);
	if (batch->round && batch->round == scheduler->changes.round)
		scheduler->changes.round_claims--;
	/* That another was faster than what was asked for is no failure of the store. */
	if (rc && !(batch->change && rc == SCHEDD_ECONFLICT))
		store_slot_failed(batch->store, err);
	else
		store_slot_worked(batch->store);
	/* A claim that was lost leaves its job busy until the store has told how it is. */
	for (uint32_t i = 0; i < batch->count; i++)
		if (!claim_end(scheduler, &batch->claims[i], rc, now))
			batch->claims[i].entry = NULL;
	if (batch->change) {
		change_finish(batch->change, rc, err);
	} else {
		for (uint32_t i = 0; i < batch->count; i++)
			if (batch->claims[i].entry)
				change_idle(scheduler, batch->claims[i].entry);
	}
	claim_batch_free(batch);
	scheduler_leave(scheduler);
}

/* How the job is from now on. */
static void claim_write_state(struct claim_batch *batch, struct claim *claim)
{
	const struct entry *entry = claim->entry;
	struct job_state state = entry->state;

	state.next_fire = claim->next_fire;
	state.next_run_time = claim->next_run_time;
	state.run_count = claim->run_count;
	state.last_run = claim->last_run;
	/* A change stands or falls as a whole. */
	store_batch_claim(batch->batch, entry->job->id, claim->expected, &state,
	    batch->change ? NULL : &claim->verdict);
}

static void claim_write(struct claim_batch *batch, struct claim *claim)
{
	const struct entry *entry = claim->entry;
	uint32_t ahead = 0;

	/* A store in memory knows no jobs. */
	if (batch->store->durable)
		claim_write_state(batch, claim);
	for (struct claim_row *row = claim->rows; row; row = row->next) {
		row->run->job = entry->job->id; /* lent for the write */
		store_batch_put_run(batch->batch, row->run);
		row->run->job = NULL;
	}
	if (!batch->store->durable)
		return;
	for (struct run_live *live = claim->runs; live; live = run_live_claimed_next(live)) {
		run_note_put(batch->batch, live);
		if (admission_expect(live, ahead++))
			mark_write(batch->batch, live);
		else
			store_batch_put_run(batch->batch, run_live_run(live));
	}
}

void claim_commit(struct claim_batch *batch)
{
	struct store_slot *store = batch->store;
	struct store_batch *writes = batch->batch;

	for (uint32_t i = 0; i < batch->count; i++)
		claim_write(batch, &batch->claims[i]);
	if (store->durable)
		store_batch_put_number(writes, STORE_SLOT_ALIVE_KEY, scheduler_now(batch->scheduler));
	batch->batch = NULL;
	if (batch->round)
		batch->scheduler->changes.round_claims++;
	store_commit(store->store, writes, claim_done, batch);
}

void claim_discard(struct claim_batch *batch)
{
	store_batch_free(batch->batch);
	batch->batch = NULL;
	for (uint32_t i = 0; i < batch->count; i++) {
		claim_undo(&batch->claims[i]);
		if (!batch->change)
			change_idle(batch->scheduler, batch->claims[i].entry);
	}
	claim_batch_free(batch);
}
