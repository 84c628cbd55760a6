/* SPDX-License-Identifier: MIT */
/*
 * One tick: due entries in pieces of a bounded size, each piece committed
 * before its runs start. now is read once, so an entry is due at most once a
 * tick; a long tick lets the loop turn in between.
 */
#include "core/changes/tick.h"

#include <stdio.h>
#include <string.h>
#include "base/duration.h"
#include "core/changes/job_change.h"
#include "core/frame/history.h"
#include "core/runs/admission.h"
#include "core/runs/dispatch.h"

/* Jobs in one commit: large enough to share its cost, small enough to stay in the cache. */
#define TICK_PIECE 1024
/* Pieces before the loop has its turn. */
#define TICK_PIECES 32

schedd_time tick_run_time(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    schedd_time fire, schedd_time now)
{
	if (fire == SCHEDD_TIME_NONE)
		return fire;
	return trigger_jittered(job->trigger, fire, now, scheduler_random(scheduler));
}

/* Why fire times up to last could not be run: the daemon was down, the scheduler paused, or busy.
 */
static const char *tick_late_reason(struct schedd_scheduler *scheduler, const struct entry *entry,
    const struct misfire_span *span, char *text, size_t size)
{
	struct strbuf reason = STRBUF_EMPTY;

	if (span->first < scheduler->started_at && scheduler->down_since != SCHEDD_TIME_NONE) {
		history_down_reason(
		    scheduler, scheduler->down_since, scheduler->started_at, text, size);
		return text;
	}
	if (scheduler->paused_why && span->last >= scheduler->paused_at) {
		snprintf(text, size, "%s", scheduler->paused_why);
		return text;
	}
	strbuf_add(&reason, "later than its misfire_grace_time ");
	duration_format(&reason, dispatch_grace(scheduler, entry->job));
	snprintf(text, size, "%s", strbuf_peek(&reason));
	strbuf_clear(&reason);
	return text;
}

static int tick_rows(struct claim *claim, const struct misfire_plan *plan, const char *why)
{
	struct entry *entry = claim->entry;
	struct schedd_scheduler *scheduler = entry->store->scheduler;
	char text[256];
	int rc = 0;

	if (plan->late.count)
		rc = claim_row(claim, RUN_MISSED, &plan->late,
		    why ? why : tick_late_reason(scheduler, entry, &plan->late, text, sizeof(text)),
		    SCHEDD_EVENT_JOB_MISSED);
	if (!rc && plan->dropped.count) {
		snprintf(text, sizeof(text), "more than %u runs to catch up",
		    scheduler->settings.catchup_max);
		rc = claim_row(claim, RUN_MISSED, &plan->dropped, text, SCHEDD_EVENT_JOB_MISSED);
	}
	return rc;
}

static int tick_runs(
    struct claim *claim, const struct misfire_plan *plan, schedd_span slack, const char *why)
{
	struct entry *entry = claim->entry;
	const struct schedd_scheduler *scheduler = entry->store->scheduler;
	schedd_time fire = plan->fire;

	for (uint32_t i = 0; i < plan->runs; i++) {
		bool catchup = why || fire < scheduler->started_at || i + 1 < plan->runs;
		struct run_live *live = claim_run(
		    claim, catchup ? RUN_BY_CATCHUP : RUN_BY_SCHEDULE, fire, fire + slack);

		if (!live)
			return SCHEDD_ENOMEM;
		if (i == 0)
			live->run.coalesced = plan->coalesced;
		claim->run_count++;
		if (i + 1 < plan->runs)
			fire = trigger_next(entry->job->trigger, fire + 1);
	}
	return 0;
}

int tick_plan(struct claim_batch *batch, struct entry *entry, schedd_time now, const char *why)
{
	struct schedd_scheduler *scheduler = batch->scheduler;
	const struct schedd_job *job = entry->job;
	const struct job_details *details = job_details(job);
	const struct job_state *state = &entry->state;
	schedd_time fire =
	    state->next_fire != SCHEDD_TIME_NONE ? state->next_fire : state->next_run_time;
	/* Jitter moves a run either way; lateness counts from where it was moved to. */
	schedd_span slack = state->next_run_time - fire;
	struct misfire_rules rules = {.grace = dispatch_grace(scheduler, job),
	    .coalesce = (enum job_coalesce)details->coalesce,
	    .catchup_max = scheduler->settings.catchup_max,
	    .runs_left = details->max_runs ? details->max_runs - state->run_count : UINT64_MAX};
	struct claim *claim = claim_add(batch, entry);
	struct misfire_plan plan;
	int rc;

	if (rules.grace != SCHEDD_SPAN_NONE && slack > 0)
		rules.grace += slack;
	misfire_plan(job->trigger, fire, now > fire ? now : fire, &rules, &plan);
	rc = tick_rows(claim, &plan, why);
	if (!rc && plan.runs) {
		char reason[256];

		if (admission_judge(entry) == ADMISSION_SKIP) {
			admission_reason(entry, reason, sizeof(reason));
			rc = claim_row(
			    claim, RUN_SKIPPED, &plan.due, reason, SCHEDD_EVENT_JOB_MAX_INSTANCES);
		} else {
			rc = tick_runs(claim, &plan, slack, why);
		}
	}
	if (details->max_runs && claim->run_count >= details->max_runs)
		plan.next = SCHEDD_TIME_NONE;
	claim->next_fire = plan.next;
	claim->next_run_time = tick_run_time(scheduler, job, plan.next, now);
	return rc;
}

/* The batch of the entry's store in this piece. */
static struct claim_batch *tick_batch(
    struct claim_batch **batches, uint32_t count, struct store_slot *store)
{
	struct schedd_scheduler *scheduler = store->scheduler;

	for (uint32_t i = 0; i < count; i++) {
		if (scheduler->stores[i] != store)
			continue;
		if (!batches[i])
			batches[i] = claim_batch_new(store, TICK_PIECE);
		return batches[i];
	}
	return NULL;
}

/* One entry that is due: resumed, put off, or claimed. False: no memory. */
static bool tick_entry(struct schedd_scheduler *scheduler, struct entry *entry,
    struct claim_batch **batches, uint32_t stores, schedd_time now)
{
	struct claim_batch *batch;

	if (entry->state.paused) {
		heap_remove(&scheduler->due, &entry->due);
		job_change_unpause(scheduler, entry);
		return true;
	}
	if (entry->store->retry_at != SCHEDD_TIME_NONE && entry->store->retry_at > now) {
		entry_plan_after(scheduler, entry, entry->store->retry_at);
		return true;
	}
	batch = tick_batch(batches, stores, entry->store);
	return batch && tick_plan(batch, entry, now, NULL) == 0;
}

/* Returns false when nothing more is due. */
static bool tick_piece(struct schedd_scheduler *scheduler, schedd_time now)
{
	struct claim_batch *batches[SCHEDULER_STORES_MAX] = {NULL};
	uint32_t stores = scheduler->store_count, taken = 0;
	struct heap_node *node;
	int64_t due;
	bool ok = true;

	while (
	    ok && taken < TICK_PIECE && (node = heap_peek(&scheduler->due, &due)) && due <= now) {
		struct entry *entry =
		    (struct entry *)(void *)((char *)node - offsetof(struct entry, due));

		ok = tick_entry(scheduler, entry, batches, stores, now);
		taken++;
	}
	if (!ok)
		log_error(scheduler->log, "no memory to claim what is due");
	for (uint32_t i = 0; i < stores; i++) {
		if (batches[i] && !ok)
			claim_discard(batches[i]);
		else if (batches[i])
			claim_commit(batches[i]);
	}
	return ok && taken == TICK_PIECE;
}

void tick_claim_due(struct schedd_scheduler *scheduler, schedd_time now)
{
	scheduler->tick_again = false;
	for (int i = 0; i < TICK_PIECES; i++) {
		bool more = tick_piece(scheduler, now);

		/* Runs of this piece start before the next one is claimed. */
		admission_start_ready(scheduler);
		if (!more)
			return;
		if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused)
			return;
		if (scheduler->start_again)
			break;
	}
	scheduler->tick_again = true;
}
