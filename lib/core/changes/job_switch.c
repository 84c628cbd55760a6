/* SPDX-License-Identifier: MIT */
/* Pause, resume and run now: changes of a job's state, not of its definition. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/claim.h"
#include "core/changes/due.h"
#include "core/changes/job_switch.h"
#include "core/changes/pause_note.h"
#include "core/frame/store_slot.h"
#include "core/jobs/job_plan.h"
#include "core/runs/admission.h"
#include "model/job_check.h"
#include "store/store_share.h"

/* ---- Pause ---- */

static int job_switch_pause_begin(struct change *change, struct schedd_error *err)
{
	int rc = change_find_valid(change, err);

	if (rc)
		return rc;
	if (change->entry->state.finished)
		rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s is finished: there is nothing to pause", change->id);
	if (!rc)
		rc = change_copy_state(change, err);
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	free(change->state.paused_reason);
	change->state.paused_reason = change->text && change->text[0] ? strdup(change->text) : NULL;
	change->arena.failed |= change->text && change->text[0] && !change->state.paused_reason;
	change->state.paused = true;
	change->state.paused_until = change->when;
	change->state.next_run_time = SCHEDD_TIME_NONE;
	change->state.updated_at = scheduler_now(change->scheduler);
	change->batch = store_batch_new(change->store->store);
	change_guard(change);
	store_batch_put_job(change->batch, change->entry->job, &change->state);
	change->pause_text = pause_note_make(change, change->text);
	pause_note_put(change, change->pause_text);
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED, change->pause_text);
	return CHANGE_COMMIT;
}

static void job_switch_pause_finish(struct change *change)
{
	change_apply(change);
	change_event(change, SCHEDD_EVENT_JOB_MODIFIED, entry_aside(change->entry)->pause_text);
	change_answer_job(change);
}

const struct change_ops job_switch_pause_ops = {
    "pause", job_switch_pause_begin, job_switch_pause_finish, NULL};

/* ---- Resume ---- */

/* What fell due in the pause is one row, and none of it is run. */
static int job_switch_skip_missed(struct claim_batch *batch, struct entry *entry, schedd_time now)
{
	struct claim *claim = claim_add(batch, entry);
	struct misfire_rules rules = {
	    .grace = SCHEDD_SPAN_NONE, .coalesce = JOB_COALESCE_LATEST, .runs_left = UINT64_MAX};
	struct misfire_plan plan;
	char reason[512];

	if (claim->next_fire != SCHEDD_TIME_NONE && claim->next_fire <= now) {
		misfire_plan(entry->job->trigger, claim->next_fire, now, &rules, &plan);
		pause_note_text(entry, reason, sizeof(reason));
		if (claim_row(claim, RUN_MISSED, &plan.due, reason, SCHEDD_EVENT_JOB_MISSED))
			return SCHEDD_ENOMEM;
		claim->next_fire = plan.next;
	}
	claim->next_run_time =
	    job_plan_run_time(entry->store->scheduler, entry->job, claim->next_fire, now);
	return 0;
}

static int job_switch_claim_missed(struct change *change, struct claim_batch *batch)
{
	struct entry *entry = change->entry;
	schedd_time now = scheduler_now(change->scheduler);
	char reason[512];

	if (!change->run_missed || entry->state.next_fire == SCHEDD_TIME_NONE ||
	    entry->state.next_fire > now)
		return job_switch_skip_missed(batch, entry, now);
	pause_note_text(entry, reason, sizeof(reason));
	return due_plan(batch, entry, now, reason);
}

/* Nothing was claimed after all. */
static void job_switch_undo(struct change *change, struct claim_batch *batch)
{
	claim_discard(batch);
	change->entry->busy = false;
	entry_plan(change->scheduler, change->entry);
	change->entry = NULL;
}

static int job_switch_resume_begin(struct change *change, struct schedd_error *err)
{
	struct claim_batch *batch;
	struct claim *claim;
	int rc = change_find_valid(change, err);

	if (rc)
		return rc;
	if (!change->entry->state.paused) {
		change_answer_job(change);
		change->entry = NULL;
		return CHANGE_DONE;
	}
	if (change->automatic &&
	    (change->entry->state.paused_until == SCHEDD_TIME_NONE ||
		change->entry->state.paused_until > scheduler_now(change->scheduler))) {
		entry_plan(change->scheduler, change->entry);
		change->entry = NULL;
		return CHANGE_DONE;
	}
	rc = change_copy_state(change, err);
	batch = rc ? NULL : claim_batch_new(change->store, 1);
	if (!batch) {
		change->entry = NULL;
		return schedd_error_nomem(err);
	}
	batch->change = change;
	if (job_switch_claim_missed(change, batch)) {
		job_switch_undo(change, batch);
		return schedd_error_nomem(err);
	}
	claim = &batch->claims[0];
	free(change->state.paused_reason);
	change->state.paused_reason = NULL;
	change->state.paused = false;
	change->state.paused_until = SCHEDD_TIME_NONE;
	change->state.updated_at = scheduler_now(change->scheduler);
	change->batch = batch->batch;
	change_guard(change);
	/* What the claim changes it writes itself, over what it expects. */
	store_batch_put_job(batch->batch, change->entry->job, &change->state);
	change->state.next_fire = claim->next_fire;
	change->state.next_run_time = claim->next_run_time;
	change->state.run_count = claim->run_count;
	change->state.last_run = claim->last_run;
	pause_note_put(change, NULL);
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED, "resumed");
	change->batch = NULL;
	if (arena_failed(&change->arena)) {
		job_switch_undo(change, batch);
		return schedd_error_nomem(err);
	}
	claim_commit(batch);
	return CHANGE_CLAIMED;
}

static void job_switch_resume_finish(struct change *change)
{
	change_apply(change);
	change_event(change, SCHEDD_EVENT_JOB_MODIFIED, "resumed");
	change_answer_job(change);
}

const struct change_ops job_switch_resume_ops = {
    "resume", job_switch_resume_begin, job_switch_resume_finish, NULL};

void job_switch_unpause(struct schedd_scheduler *scheduler, struct entry *entry)
{
	struct change *change = change_new(scheduler, &job_switch_resume_ops, entry->job->id, NULL,
	    (struct scheduler_reply){NULL, NULL});

	if (!change)
		return;
	change->automatic = true;
	change_submit(change);
}

/* ---- Run now ---- */

/* One more run is too many. For a request that is an error, otherwise a row. */
static int job_switch_refuse(struct change *change, struct claim *claim, const char *reason,
    enum schedd_event_code event, struct schedd_error *err)
{
	struct misfire_span now = {1, change->scheduled_at, change->scheduled_at};

	if (change->trigger == RUN_BY_HAND || change->trigger == RUN_BY_RETRY)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s: %s (max_instances %u): wait for it, or force one more", change->id,
		    reason, job_details(change->entry->job)->max_instances);
	if (claim_row(claim, RUN_SKIPPED, &now, reason, event))
		return schedd_error_nomem(err);
	return 0;
}

static int job_switch_make(struct change *change, struct claim *claim, struct schedd_error *err)
{
	struct run_live *live =
	    claim_run(claim, change->trigger, change->scheduled_at, SCHEDD_TIME_NONE);
	char *actor = NULL;

	if (!live)
		return schedd_error_nomem(err);
	if (change->actor.uid >= 0) {
		struct strbuf who = STRBUF_EMPTY;

		strbuf_printf(&who, "uid %lld pid %lld %s", (long long)change->actor.uid,
		    (long long)change->actor.pid, change->actor.method ? change->actor.method : "");
		actor = strbuf_take(&who);
	} else if (change->text) {
		actor = strdup(change->text);
	}
	if (!actor && (change->actor.uid >= 0 || change->text))
		return schedd_error_nomem(err);
	run_live_ask(live, change->force, change->env, actor);
	change->env = (struct job_pairs){NULL, 0};
	if (change->trigger == RUN_BY_SCHEDULE)
		claim->run_count++;
	value_put(&change->arena, &change->result, "run",
	    run_id_value(run_live_job(live)->id, run_live_run(live)->number, &change->arena));
	/* What cannot be told to who asked does not begin. */
	return arena_failed(&change->arena) ? schedd_error_nomem(err) : 0;
}

static int job_switch_decide(struct change *change, struct claim *claim, struct schedd_error *err)
{
	struct entry *entry = change->entry;
	bool by_itself = change->trigger != RUN_BY_HAND && change->trigger != RUN_BY_RETRY;
	char reason[512];

	if (by_itself && entry->state.paused)
		return job_switch_refuse(change, claim,
		    pause_note_text(entry, reason, sizeof(reason)), SCHEDD_EVENT_JOB_MISSED,
		    err);
	if (!change->force && admission_judge(entry) == ADMISSION_SKIP) {
		admission_reason(entry, reason, sizeof(reason));
		return job_switch_refuse(
		    change, claim, reason, SCHEDD_EVENT_JOB_MAX_INSTANCES, err);
	}
	return job_switch_make(change, claim, err);
}

/* The note of a change's run goes with its claim; batch NULL: the claim was written. */
static void job_switch_settle_note(struct change *change, struct store_batch *batch)
{
	if (!change->note)
		return;
	if (change->note_store == change->store && batch)
		store_batch_take_text(batch, change->note);
	else if (!batch && (change->note_store != change->store ||
			       change->note_store->failures != change->failures))
		/* Once more where a failed commit may write the note behind the claim. */
		store_slot_put_text(change->note_store, change->note, NULL);
}

static int job_switch_run_begin(struct change *change, struct schedd_error *err)
{
	struct claim_batch *batch;
	int rc = change_find_valid(change, err);

	if (rc)
		return rc;
	if (change->scheduler->phase != SCHEDULER_RUNNING) {
		rc = schedd_error_set(
		    err, SCHEDD_ECONFLICT, "job %s: the scheduler does not run", change->id);
		change->entry = NULL;
		return rc;
	}
	if (entry_on_all(change->entry)) {
		rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s runs on all nodes, each its part: name one, as %s@NODE", change->id, change->id);
		change->entry = NULL;
		return rc;
	}
	/* It has become another's since it was asked for; who asked by himself asks there. */
	if (change->entry->foreign) {
		rc = schedd_error_set(err, SCHEDD_EFAILED,
		    "job %s has just moved to another node: try again", change->id);
		change->entry = NULL;
		return rc;
	}
	rc = change->env.count ? job_check_run_env(change->entry->job, &change->env, err) : 0;
	batch = rc ? NULL : claim_batch_new(change->store, 1);
	if (!batch) {
		change->entry = NULL;
		return rc ? rc : schedd_error_nomem(err);
	}
	batch->change = change;
	change->result = value_map();
	change->scheduled_at = scheduler_now(change->scheduler);
	rc = job_switch_decide(change, claim_add(batch, change->entry), err);
	if (rc) {
		job_switch_undo(change, batch);
		return rc;
	}
	job_switch_settle_note(change, batch->batch);
	/* It belongs to the end that it follows. */
	if (change->trigger == RUN_BY_AFTER)
		store_batch_ends(batch->batch);
	claim_commit(batch);
	return CHANGE_CLAIMED;
}

static void job_switch_run_finish(struct change *change)
{
	job_switch_settle_note(change, NULL);
}

/* ---- Runs that no request asked for ---- */

/* One that its store did not take: it is asked for again when the store works. */
struct job_start {
	struct job_start *next;
	char *id;
	enum run_trigger trigger;
	char *because;                 /* NULL: nothing */
	char *note;                    /* NULL: it is noted nowhere */
	struct store_slot *note_store; /* where */
};

static void job_start_free(struct job_start *start)
{
	free(start->id);
	free(start->because);
	free(start->note);
	free(start);
}

static void job_switch_later(struct schedd_scheduler *scheduler, const char *id,
    enum run_trigger trigger, const char *because, const char *note, struct store_slot *note_store)
{
	struct job_start *start = calloc(1, sizeof(*start)), **end = &scheduler->changes.starts;

	if (start) {
		start->id = strdup(id);
		start->because = because ? strdup(because) : NULL;
		start->note = note ? strdup(note) : NULL;
		start->note_store = note_store;
		start->trigger = trigger;
	}
	if (!start || !start->id || (because && !start->because) || (note && !start->note)) {
		log_error(scheduler->log, "job %s: no memory to start it later", id);
		if (start)
			job_start_free(start);
		return;
	}
	while (*end)
		end = &(*end)->next;
	*end = start;
}

/*
 * What follows no more is not to follow after a restart; what its store could
 * not take is tried again.
 */
static void job_switch_run_fail(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	bool asked = change->trigger == RUN_BY_HAND || change->trigger == RUN_BY_RETRY;

	if (!entry_get(scheduler, change->id)) {
		if (change->note)
			store_slot_put_text(change->note_store, change->note, NULL);
	} else if (!asked && change->failed != SCHEDD_ECONFLICT) {
		job_switch_later(scheduler, change->id, change->trigger, change->text,
		    change->note, change->note_store);
	}
}

const struct change_ops job_switch_run_ops = {
    "run", job_switch_run_begin, job_switch_run_finish, job_switch_run_fail};

static void job_switch_ask(struct schedd_scheduler *scheduler, const char *id,
    enum run_trigger trigger, const char *because, const char *note, struct store_slot *note_store)
{
	struct entry *entry = entry_get(scheduler, id);
	struct change *change;

	if (entry && entry->foreign) {
		if (!scheduler->run_elsewhere(entry, trigger, because, note))
			job_switch_later(scheduler, id, trigger, because, note, note_store);
		return;
	}
	change = change_new(scheduler, &job_switch_run_ops, id, NULL,
	    (struct scheduler_reply){NULL, NULL});
	if (!change) {
		job_switch_later(scheduler, id, trigger, because, note, note_store);
		return;
	}
	change->trigger = trigger;
	change->text = because ? arena_strdup(&change->arena, because) : NULL;
	change->note = note ? arena_strdup(&change->arena, note) : NULL;
	change->note_store = note_store;
	change->failures = note_store ? note_store->failures : 0;
	change_submit(change);
}

/* Not before the end that it follows is written, or its note would outlive the claim. */
static bool job_switch_may_ask(const struct entry *entry, const struct store_slot *note_store)
{
	return store_slot_takes_ends(entry->store) &&
	       (!note_store || store_slot_settled(note_store));
}

void job_switch_start(struct schedd_scheduler *scheduler, struct entry *entry,
    enum run_trigger trigger, const char *because)
{
	if (job_switch_may_ask(entry, NULL))
		job_switch_ask(scheduler, entry->job->id, trigger, because, NULL, NULL);
	else
		job_switch_later(scheduler, entry->job->id, trigger, because, NULL, NULL);
}

/* What follows a run of its own makes up for it. */
static enum run_trigger job_switch_follows(const struct entry *entry, const char *because)
{
	size_t length = strlen(entry->job->id);

	return because && strncmp(because, entry->job->id, length) == 0 && because[length] == '/'
		   ? RUN_BY_CATCHUP
		   : RUN_BY_AFTER;
}

void job_switch_follow(struct schedd_scheduler *scheduler, struct entry *entry, const char *because,
    const char *note, struct store_slot *note_store)
{
	enum run_trigger trigger = job_switch_follows(entry, because);
	const char *noted = note_store ? note : NULL;

	if (job_switch_may_ask(entry, note_store))
		job_switch_ask(scheduler, entry->job->id, trigger, because, noted, note_store);
	else
		job_switch_later(scheduler, entry->job->id, trigger, because, noted, note_store);
}

void job_switch_again(struct schedd_scheduler *scheduler)
{
	struct job_start *starts = scheduler->changes.starts, *next;

	if (!starts || scheduler->phase != SCHEDULER_RUNNING)
		return;
	scheduler->changes.starts = NULL;
	for (struct job_start *start = starts; start; start = next) {
		struct entry *entry = entry_get(scheduler, start->id);

		next = start->next;
		if (!entry && start->note)
			store_slot_put_text(start->note_store, start->note, NULL);
		else if (entry && job_switch_may_ask(entry, start->note_store))
			job_switch_ask(scheduler, start->id, start->trigger, start->because,
			    start->note, start->note_store);
		else if (entry)
			job_switch_later(scheduler, start->id, start->trigger, start->because,
			    start->note, start->note_store);
		job_start_free(start);
	}
}

void job_switch_free(struct schedd_scheduler *scheduler)
{
	while (scheduler->changes.starts) {
		struct job_start *start = scheduler->changes.starts;

		scheduler->changes.starts = start->next;
		job_start_free(start);
	}
}
