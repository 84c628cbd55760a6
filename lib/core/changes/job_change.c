/* SPDX-License-Identifier: MIT */
/* Changes of jobs that are there: modify, rename, remove, expire. */
#include "core/changes/job_change.h"
#include "core/changes/job_move.h"
#include "core/jobs/job_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_gone.h"
#include "core/changes/pause_note.h"
#include "core/changes/place_check.h"
#include "core/changes/part_note.h"
#include "core/changes/purge.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_slot.h"
#include "core/jobs/after.h"
#include "core/jobs/entry_raw.h"
#include "core/jobs/job_needs.h"
#include "core/jobs/job_plan.h"
#include "core/runs/admission.h"
#include "core/runs/output_place.h"
#include "core/runs/run_stop.h"
#include "model/job_fields.h"

/* ---- Modify ---- */

static int job_change_check_revision(const struct change *change, struct schedd_error *err)
{
	uint32_t now = change->entry->state.revision;

	if (!change->revision || change->revision == now)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "job %s was changed meanwhile: it has revision %u, not %u", change->id, now,
	    change->revision);
}

/* The base of what puts a definition right: what is stored of it, but for what is given anew. */
static int job_change_repair(struct change *change, struct schedd_error *err)
{
	const struct entry *entry = change->entry;
	int rc = entry_raw_read(
	    change->scheduler, entry, change->fields, &change->job, &change->state, err);

	if (rc < 0 && rc != SCHEDD_ENOMEM) {
		schedd_error_prefix(err, "job %s still could not be read", entry->job->id);
		rc = err->code = SCHEDD_ECONFLICT;
	}
	if (!rc && !change->job->trigger && !value_get(change->fields, "trigger"))
		rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s has no trigger stored: give one", entry->job->id);
	return rc;
}

static int job_change_read(struct change *change, struct schedd_error *err)
{
	struct entry *entry = change->entry;
	struct trigger_context trigger = *scheduler_trigger_context(change->scheduler);
	struct job_record previous = {.job = entry->job, .state = entry->state};
	struct job_fields_context context = {&trigger, &previous};
	int rc;

	change->now = trigger.now;
	trigger.job_id = entry->job->id;
	trigger.previous = entry->job->trigger;
	if (entry->state.invalid)
		rc = job_change_repair(change, err);
	else if (!(change->job = job_clone(entry->job)))
		rc = schedd_error_nomem(err);
	else
		rc = change_copy_state(change, err);
	if (rc)
		return rc;
	rc = job_fields_read(
	    change->job, &change->state, change->fields, JOB_FIELD_STATE, &context, err);
	return rc ? rc : job_plan_complete(change->scheduler, change->job, err);
}

/* A trigger that stays keeps its next time; otherwise it begins anew. */
static int job_change_plan(struct change *change, struct schedd_error *err)
{
	const struct value *next = value_get(change->fields, "next_run_time");
	const struct entry *entry = change->entry;
	struct job_state *state = &change->state;
	bool given = next && next->type != VALUE_NIL;

	/* One that becomes readable keeps the time that was stored, unless its trigger is new. */
	if (entry->state.invalid && !given && !value_get(change->fields, "trigger") &&
	    state->next_fire != SCHEDD_TIME_NONE)
		return 0;
	if (entry->state.invalid) {
		state->finished = false;
		return job_plan_first(
		    change->scheduler, change->job, change->now, state, given, 0, err);
	}
	if (!given && job_plan_ended(entry, change->job, change->now, state))
		return 0;
	if (given || state->finished || !trigger_equal(entry->job->trigger, change->job->trigger)) {
		state->finished = false;
		return job_plan_first(
		    change->scheduler, change->job, change->now, state, given, 0, err);
	}
	if (state->paused)
		state->next_run_time = SCHEDD_TIME_NONE;
	else if (entry->state.paused)
		state->next_run_time = job_plan_run_time(change->scheduler, change->job,
		    state->next_fire, scheduler_now(change->scheduler));
	return 0;
}

static int job_change_modify_begin(struct change *change, struct schedd_error *err)
{
	int rc = change_find(change, err);

	if (!rc)
		rc = job_change_check_revision(change, err);
	if (!rc)
		rc = job_change_read(change, err);
	if (!rc)
		rc = job_plan_check(change->scheduler, change->job, change->entry->job, err);
	if (!rc)
		rc = job_account_guard(
		    change->scheduler, &change->actor, change->job, change->entry->job, err);
	if (!rc)
		rc = job_needs_check(change->scheduler, change->job, change->entry->job, err);
	if (!rc)
		rc = place_check(change->store, change->job, change->entry->job, err);
	if (!rc)
		rc = job_change_plan(change, err);
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	change->job = entry_seal(change->scheduler, change->job);
	change->state.revision++;
	change->state.updated_at = scheduler_now(change->scheduler);
	change->batch = store_batch_new(change->store->store);
	change_guard(change);
	place_guard(change);
	store_batch_put_job(change->batch, change->job, &change->state);
	pause_note_change(change);
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED, NULL);
	return CHANGE_COMMIT;
}

static void job_change_modify_finish(struct change *change)
{
	change_apply(change);
	change_event(change, SCHEDD_EVENT_JOB_MODIFIED, NULL);
	admission_review(change->entry);
	change_answer_job(change);
}

const struct change_ops job_change_modify_ops = {
    "modify", job_change_modify_begin, job_change_modify_finish, NULL};

/* ---- Rename ---- */

/* A clone under the new id; times that depend on the id are made anew. */
static int job_change_clone_as(struct change *change, const char *id, struct schedd_error *err)
{
	struct trigger_context context = *scheduler_trigger_context(change->scheduler);
	struct entry *entry = change->entry;
	struct value text;
	int rc = 0;

	change->job = job_clone(entry->job);
	if (!change->job)
		return schedd_error_nomem(err);
	free(change->job->id);
	change->job->id = strdup(id);
	if (!change->job->id)
		return schedd_error_nomem(err);
	rc = change_copy_state(change, err);
	if (rc || !trigger_has_hash(entry->job->trigger))
		return rc;
	text = trigger_to_value(entry->job->trigger, &change->arena);
	trigger_unref(change->job->trigger);
	change->job->trigger = NULL;
	context.job_id = id;
	rc = trigger_from_value(&text, &context, &change->job->trigger, err);
	if (rc)
		return rc;
	return job_plan_first(
	    change->scheduler, change->job, context.now, &change->state, false, 0, err);
}

static int job_change_rename_check(struct change *change, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	const char *follower = after_waits(scheduler, change->id);

	if (!job_id_valid(change->text))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%s' is no job id: use letters, digits, '_', '.' and '-', at most %d",
		    change->text, JOB_ALIAS_MAX);
	if (job_account_rename(change->id, change->text, err))
		return SCHEDD_EINVAL;
	if (entry_find(scheduler, change->text))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "job %s exists already", change->text);
	if (change->entry->live)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s has a run going on: wait for it or kill it, then rename", change->id);
	if (job_move_leaves(scheduler, change->id) || job_move_leaves(scheduler, change->text))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s is being moved to another store: wait for that", change->id);
	if (follower)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s runs after %s: change its after first", follower, change->id);
	return 0;
}

static int job_change_rename_begin(struct change *change, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	int rc = change_find_valid(change, err);

	if (!rc)
		rc = job_change_rename_check(change, err);
	if (!rc)
		rc = job_change_clone_as(change, change->text, err);
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	change->job = entry_seal(scheduler, change->job);
	/* Keeps the new id for us until it is durable. */
	change->other = entry_new(scheduler, change->job, change->store);
	if (!change->other) {
		change->entry = NULL;
		return schedd_error_nomem(err);
	}
	change->state.revision++;
	change->state.updated_at = scheduler_now(scheduler);
	change->batch = store_batch_new(change->store->store);
	change_guard(change);
	place_guard(change);
	store_batch_rename(change->batch, change->id, change->text);
	store_batch_put_job(change->batch, change->job, &change->state);
	if (entry_aside(change->entry)->pause_text) {
		store_batch_put_text(
		    change->batch, arena_printf(&change->arena, "paused.%s", change->id), NULL);
		store_batch_put_text(change->batch,
		    arena_printf(&change->arena, "paused.%s", change->text),
		    entry_aside(change->entry)->pause_text);
	}
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED, change->text);
	return CHANGE_COMMIT;
}

/* Frees the placeholder; what waited for the new id goes behind the job itself. */
static void job_change_rename_settle(struct change *change, bool done)
{
	struct entry *other = change->other;

	change->other = NULL;
	if (!done) {
		change_idle(change->scheduler, other);
		return;
	}
	entry_inherit_waiters(change->entry, other);
	entry_free(change->scheduler, other);
}

static void job_change_rename_finish(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct schedd_job *job = change->job;

	job_change_rename_settle(change, true);
	change->job = NULL;
	job_gone_keep(change->entry);
	change_apply(change);
	if (entry_rename(scheduler, change->entry, job)) {
		log_error(
		    scheduler->log, "job %s: no memory to rename it before a restart", change->id);
		job_unref(job);
	}
	output_place_rename(scheduler, change->id, change->text);
	change_event(change, SCHEDD_EVENT_JOB_MODIFIED, NULL);
	change_answer_job(change);
}

static void job_change_rename_fail(struct change *change)
{
	if (change->other)
		job_change_rename_settle(change, false);
}

const struct change_ops job_change_rename_ops = {
    "rename", job_change_rename_begin, job_change_rename_finish, job_change_rename_fail};

/* ---- Remove, expire ---- */

static int job_change_remove_begin(struct change *change, struct schedd_error *err)
{
	int rc = change_find(change, err);

	if (rc)
		return rc;
	if (!change->shared_batch)
		change->batch = store_batch_new(change->store->store);
	change_guard(change);
	if (change->entry->state.paused)
		store_batch_put_text(
		    change->batch, arena_printf(&change->arena, "paused.%s", change->id), NULL);
	/* Before the job goes: so it is told to who has a part, too. */
	part_note_write(change);
	store_batch_delete_job(change->batch, change->id, change->entry->state.last_run);
	if (change->purge)
		store_batch_purge_some(change->batch, change->id, 0, PURGE_PIECE, NULL);
	change_record(change, SCHEDD_EVENT_JOB_REMOVED, change->text);
	return CHANGE_COMMIT;
}

static void job_change_kill_runs(struct entry *entry, const struct scheduler_actor *actor)
{
	struct run_live *live, *next;
	char who[64], reason[128];

	scheduler_actor_text(actor, who, sizeof(who));
	snprintf(reason, sizeof(reason), "killed by %s: its job was removed", who);
	for (live = entry->runs; live; live = next) {
		next = run_live_next_of_job(live);
		if (run_live_stage(live) == RUN_LIVE_CLAIMING)
			continue;
		run_stop_or_say(live, RUN_LIVE_KILLED, reason);
	}
}

/* A removal that is answered when its history is gone, too. */
struct remove_answer {
	struct scheduler_reply reply;
	uint32_t waiting; /* stores that are not done, and the change itself */
	uint32_t left;    /* runs that go on */
	int rc;
	struct schedd_error err;
};

static void job_change_purged(int rc, const struct schedd_error *err, void *context)
{
	struct remove_answer *answer = context;
	struct value result = value_map();
	struct arena arena;

	if (rc) {
		answer->rc = rc;
		answer->err = *err;
		schedd_error_prefix(&answer->err, "the job was removed, but not all of its history");
	}
	if (--answer->waiting)
		return;
	arena_init(&arena);
	value_put(&arena, &result, "running", value_int(answer->left));
	scheduler_answer_done(answer->reply, answer->rc, &answer->err, &result, &arena);
	arena_clear(&arena);
	free(answer);
}

/*
 * The rest of its history, in pieces, and the rows of runs that ended with it,
 * which came behind the commit; also what it had before it was moved.
 */
static void job_change_purge_rest(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct remove_answer *answer = calloc(1, sizeof(*answer));
	uint32_t last = change->entry->state.last_run;

	output_place_remove(scheduler, change->id, 0);
	store_slot_flush(change->store);
	if (!answer) {
		log_error(scheduler->log, "job %s: no memory to delete its history", change->id);
		return;
	}
	answer->reply = change->reply;
	answer->left = change->left;
	answer->waiting = 1;
	change->reply = (struct scheduler_reply){NULL, NULL};
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];

		if (slot != change->store && !store_origin_is(change->store, slot))
			continue;
		answer->waiting++;
		purge_runs(slot, change->id, last, job_change_purged, answer);
	}
	job_change_purged(0, NULL, answer);
}

void job_change_drop(struct change *change)
{
	struct entry *entry = change->entry;

	part_note_apply(change);
	change->left = run_stop_waiting(entry, "its job was removed");
	if (change->kill)
		job_change_kill_runs(entry, &change->actor);
	if (change->purge)
		job_change_purge_rest(change);
	change_event(change, SCHEDD_EVENT_JOB_REMOVED, change->text);
	job_gone_keep(entry);
	change_drop_entry(change);
}

/* By request, not because it had run for the last time: the store may be empty now. */
static void job_change_removed(struct change *change)
{
	const struct store_slot *store = change->store;

	job_change_drop(change);
	change->result = value_map();
	value_put(&change->arena, &change->result, "running", value_int(change->left));
	if (store->entries == 0)
		event_ring_say(change->scheduler, SCHEDD_EVENT_ALL_JOBS_REMOVED, store->name, NULL,
		    &change->actor);
}

const struct change_ops job_change_remove_ops = {
    "remove", job_change_remove_begin, job_change_removed, NULL};

static int job_change_expire_begin(struct change *change, struct schedd_error *err)
{
	struct entry *entry;
	int rc = change_find(change, err);

	if (rc)
		return rc;
	entry = change->entry;
	if (!entry_exhausted(entry)) {
		change->entry = NULL;
		return CHANGE_DONE;
	}
	change->text = "it has run for the last time";
	if (!job_details(entry->job)->keep) {
		rc = job_change_remove_begin(change, err);
		if (rc == CHANGE_COMMIT) {
			store_batch_ends(change->batch);
			store_batch_late(change->batch);
		}
		return rc;
	}
	rc = change_copy_state(change, err);
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	change->state.finished = true;
	change->state.next_fire = change->state.next_run_time = SCHEDD_TIME_NONE;
	change->batch = store_batch_new(change->store->store);
	store_batch_ends(change->batch);
	store_batch_late(change->batch);
	change_guard(change);
	store_batch_put_job(change->batch, entry->job, &change->state);
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED, "finished");
	return CHANGE_COMMIT;
}

static void job_change_expire_finish(struct change *change)
{
	if (job_details(change->entry->job)->keep) {
		change_apply(change);
		change_event(change, SCHEDD_EVENT_JOB_MODIFIED, "finished");
	} else {
		job_change_drop(change);
	}
}

static const struct change_ops job_change_expire_ops = {
    "expire", job_change_expire_begin, job_change_expire_finish, NULL};

void job_change_expire(struct schedd_scheduler *scheduler)
{
	struct entry *entry;

	while ((entry = entry_take_exhausted(scheduler))) {
		char id[JOB_ID_MAX + 1];
		struct change *change = change_new(scheduler, &job_change_expire_ops,
		    entry->job->id, NULL, (struct scheduler_reply){NULL, NULL});

		memcpy(id, entry->job->id, strlen(entry->job->id) + 1);
		if (change)
			change_submit(change);
		entry = entry_find(scheduler, id);
		if (entry && !entry->busy && !entry->noted && entry_exhausted(entry))
			entry_exhausted_later(scheduler);
	}
}
