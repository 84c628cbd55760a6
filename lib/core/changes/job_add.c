/* SPDX-License-Identifier: MIT */
/* Jobs that are new, or take the place of one with the same id. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/changes/job_add.h"
#include "core/changes/job_move.h"
#include "core/changes/pause_note.h"
#include "core/changes/place_check.h"
#include "core/frame/store_slot.h"
#include "core/jobs/job_account.h"
#include "core/jobs/job_needs.h"
#include "core/jobs/job_plan.h"
#include "core/runs/admission.h"
#include "model/job_fields.h"

/* What the config says for jobs that say nothing. False: no memory. */
static bool job_add_defaults(struct schedd_scheduler *scheduler, struct schedd_job *job)
{
	uint32_t max_instances = scheduler->settings.max_instances;
	struct job_details *details;

	if (max_instances == job_details(job)->max_instances)
		return true;
	details = job_details_edit(job);
	if (details)
		details->max_instances = max_instances;
	return details != NULL;
}

/* Reads the fields into a new definition; what was there before keeps its anchors and draws. */
static int job_add_read(struct change *change, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct trigger_context trigger = *scheduler_trigger_context(scheduler);
	struct job_record previous = {.job = change->entry ? change->entry->job : NULL};
	struct job_fields_context context = {&trigger, change->entry ? &previous : NULL};
	int rc;

	change->now = trigger.now;
	if (change->given) {
		change->job = change->given;
		change->given = NULL;
		return job_plan_complete(scheduler, change->job, err);
	}
	change->job = job_new();
	if (!change->job)
		return schedd_error_nomem(err);
	change->job->id = strdup(change->id);
	if (!change->job->id)
		return schedd_error_nomem(err);
	if (change->entry)
		previous.state = change->entry->state;
	trigger.job_id = change->id;
	trigger.previous = change->entry ? change->entry->job->trigger : NULL;
	if (!job_add_defaults(scheduler, change->job))
		return schedd_error_nomem(err);
	rc = job_fields_read(change->job, &change->state, change->fields,
	    JOB_FIELD_STATE | JOB_FIELD_ADD_ONLY, &context, err);
	/* An id of nil is one left out, so that the server made one. */
	if (!rc && !change->job->id) {
		change->job->id = strdup(change->id);
		rc = change->job->id ? 0 : schedd_error_nomem(err);
	}
	return rc ? rc : job_plan_complete(scheduler, change->job, err);
}

/* Fills what the scheduler writes itself. */
static void job_add_stamp(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct job_state *state = &change->state;
	schedd_time now = scheduler_now(scheduler);

	state->updated_at = now;
	if (change->entry) {
		const struct job_state *old = &change->entry->state;

		state->created_at = old->created_at;
		state->created_by = old->created_by;
		state->run_count = old->run_count;
		state->last_run = old->last_run;
		state->revision = old->revision + 1;
		return;
	}
	state->created_at = now;
	state->created_by = change->actor.uid >= 0 ? (uid_t)change->actor.uid : getuid();
	state->run_count = 0;
	state->revision = 1;
}

static int job_add_plan(struct change *change, struct schedd_error *err)
{
	const struct value *next =
	    change->fields ? value_get(change->fields, "next_run_time") : NULL;
	bool given = next && next->type != VALUE_NIL;
	const struct entry *entry = change->entry;

	if (entry && !given && !entry->state.finished && !entry->state.invalid &&
	    trigger_equal(entry->job->trigger, change->job->trigger)) {
		change->state.next_fire = entry->state.next_fire;
		change->state.next_run_time =
		    change->state.paused ? SCHEDD_TIME_NONE
					 : (entry->state.paused ? entry->state.next_fire
								: entry->state.next_run_time);
		return 0;
	}
	if (entry && !given && !(change->flags & SCHEDULER_ADD_ALLOW_PAST) &&
	    job_plan_ended(entry, change->job, change->now, &change->state))
		return 0;
	return job_plan_first(
	    change->scheduler, change->job, change->now, &change->state, given, change->flags, err);
}

static struct store_slot *job_add_store(struct change *change, struct schedd_error *err)
{
	struct store_slot *store = store_slot_find(change->scheduler, job_store(change->job));

	if (!store)
		schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "store '%s': no such store", job_store(change->job));
	else if (change->entry && change->entry->store != store)
		schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s is in store %s: move it to store %s first", change->id,
		    change->entry->store->name, store->name);
	else if (job_move_leaves(change->scheduler, change->id) == store)
		schedd_error_set(err, SCHEDD_ECONFLICT,
		    "a job %s was moved away from store %s, which is not rid of it yet: wait for that",
		    change->id, store->name);
	else if ((store_remote(store->store) || store->waited) && !store->taken_up)
		/* What it holds under that id is not known yet. */
		schedd_error_set(err, SCHEDD_EFAILED, "store %s has not been read yet (%s)%s%s", store->name,
		    store_state(store->store) == STORE_OK ? "that goes on" : store_state_word(store_state(store->store)),
		    store_state_why(store->store)[0] ? ": " : "", store_state_why(store->store));
	else
		return store;
	return NULL;
}

/* An existing job: refused, left alone, or to be changed. */
static int job_add_existing(struct change *change, struct schedd_error *err)
{
	if (change->flags & SCHEDULER_ADD_IF_ABSENT) {
		change_answer_job(change);
		return CHANGE_DONE;
	}
	if (change->flags & SCHEDULER_ADD_REPLACE)
		return 0;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "job %s exists already: replace it, or modify it", change->id);
}

static int job_add_dry(struct change *change)
{
	change->result = job_fields_write(change->job, &change->state, &change->arena);
	return CHANGE_DONE;
}

int job_add_prepare(struct change *change, struct schedd_error *err)
{
	int rc;

	change->entry = entry_get(change->scheduler, change->id);
	rc = change->entry ? job_add_existing(change, err) : 0;
	if (!rc && change->entry && change->entry->moving)
		rc = change_find(change, err);
	if (!rc)
		rc = job_add_read(change, err);
	if (!rc)
		rc = job_plan_check(
		    change->scheduler, change->job, change->entry ? change->entry->job : NULL, err);
	if (!rc)
		rc = job_account_guard(change->scheduler, &change->actor, change->job,
		    change->entry ? change->entry->job : NULL, err);
	if (!rc && !(change->flags & SCHEDULER_ADD_UNSEEN))
		rc = job_needs_check(
		    change->scheduler, change->job, change->entry ? change->entry->job : NULL, err);
	if (rc)
		return rc;
	change->store = job_add_store(change, err);
	if (!change->store)
		return err->code;
	rc = place_check(
	    change->store, change->job, change->entry ? change->entry->job : NULL, err);
	if (rc)
		return rc;
	change->job = entry_seal(change->scheduler, change->job);
	job_add_stamp(change);
	return job_add_plan(change, err);
}

void job_add_keep_state(struct change *change, const struct value *fields)
{
	const struct job_state *old = &change->entry->state;
	struct job_state *state = &change->state;

	if (!old->paused || state->paused || value_get(fields, "paused") ||
	    value_get(fields, "paused_until") || value_get(fields, "next_run_time"))
		return;
	state->paused = true;
	state->paused_until = old->paused_until;
	/* A file may say another reason and leave the pause to what it is. */
	if (!state->paused_reason && !value_get(fields, "paused_reason") && old->paused_reason)
		state->paused_reason = strdup(old->paused_reason);
	state->next_run_time = SCHEDD_TIME_NONE;
}

int job_add_write(struct change *change, struct schedd_error *err)
{
	bool known = change->entry != NULL;

	if (!known) {
		change->entry = entry_new(change->scheduler, change->job, change->store);
		if (!change->entry)
			return schedd_error_nomem(err);
	}
	if (!change->shared_batch)
		change->batch = store_batch_new(change->store->store);
	if (known) {
		change_guard(change);
		place_guard(change);
	}
	/* An id of the scheduler's own making was never used before. */
	if (known || change->made_id)
		store_batch_put_job(change->batch, change->job, &change->state);
	else
		store_batch_add_job(
		    change->batch, change->job, &change->state, &change->last_run);
	pause_note_change(change);
	change_record(change, known ? SCHEDD_EVENT_JOB_MODIFIED : SCHEDD_EVENT_JOB_ADDED, NULL);
	return CHANGE_COMMIT;
}

static int job_add_begin(struct change *change, struct schedd_error *err)
{
	int rc = job_add_prepare(change, err);

	if (!rc && change->flags & SCHEDULER_ADD_DRY_RUN)
		rc = job_add_dry(change);
	/* Nothing was begun: the entry is not ours to plan anew. */
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	return job_add_write(change, err);
}

static void job_add_finish(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct entry *entry = change->entry;
	bool added = entry->hidden;

	if (change->last_run > change->state.last_run)
		change->state.last_run = change->last_run;
	change_apply(change);
	if (added)
		entry_show(scheduler, entry);
	else
		admission_review(entry);
	change_event(change, added ? SCHEDD_EVENT_JOB_ADDED : SCHEDD_EVENT_JOB_MODIFIED, NULL);
	/* A file answers for all its jobs. */
	if (!change->shared_batch)
		change_answer_job(change);
}

const struct change_ops job_add_ops = {"add", job_add_begin, job_add_finish, NULL};
