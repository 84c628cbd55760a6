/* SPDX-License-Identifier: MIT */
/*
 * What another wrote goes through the same line as a change of ours, so that it
 * never comes between a commit and its effect. A job whose claim was lost is
 * busy until it has come through here.
 */
#include "core/changes/job_adopt.h"

#include <stdlib.h>
#include "core/changes/job_change.h"
#include "core/changes/job_forward.h"
#include "core/changes/job_gone.h"
#include "core/jobs/entry_raw.h"

static int job_adopt_gone(struct change *change, struct entry *entry)
{
	job_forward_gone(change, entry);
	change->text = "it was removed in the store";
	change->entry = entry;
	job_change_drop(change);
	return CHANGE_DONE;
}

/* Of a store that is shared: nothing of the definition has changed, only claims were made. */
static bool job_adopt_known(const struct change *change, struct entry *entry)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	const struct job_state *given = &change->given_state;
	struct job_state *state = &entry->state;

	if (!change->store->shared || given->revision != state->revision ||
	    given->created_at != state->created_at || given->invalid || state->invalid)
		return false;
	if (entry->foreign || given->last_run > state->last_run) {
		state->next_fire = given->next_fire;
		state->next_run_time = given->next_run_time;
		state->run_count = given->run_count;
		state->last_run = given->last_run;
	}
	change_idle(scheduler, entry);
	return true;
}

static int job_adopt_begin(struct change *change, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct entry *entry = entry_find(scheduler, change->id);
	bool added = !entry;

	if (entry && entry->store != change->store) {
		log_warn(scheduler->log,
		    "job %s is in store %s and in store %s: the latter is not used", change->id,
		    entry->store->name, change->store->name);
		return CHANGE_DONE;
	}
	/* What was read before a commit of ours says nothing of what is now. */
	if (change->store->shared && change->parked && entry) {
		store_reread(change->store->store, change->id);
		return CHANGE_DONE;
	}
	if (!change->given)
		return entry ? job_adopt_gone(change, entry) : CHANGE_DONE;
	if (entry ? job_forward(change, entry) : job_gone_again(change->store, change->id, &change->given_state))
		return CHANGE_DONE;
	if (entry && job_adopt_known(change, entry))
		return CHANGE_DONE;
	change->job = entry_seal(scheduler, change->given);
	change->given = NULL;
	if (added)
		entry = entry_new(scheduler, change->job, change->store);
	if (!entry)
		return schedd_error_nomem(err);
	change->entry = entry;
	change->state = change->given_state;
	job_state_init(&change->given_state);
	change_apply(change);
	if (entry->state.invalid) {
		entry_set_raw(entry, change->given_raw);
		change->given_raw = NULL;
	}
	if (added)
		entry_show(scheduler, entry);
	change_event(change, added ? SCHEDD_EVENT_JOB_ADDED : SCHEDD_EVENT_JOB_MODIFIED,
	    "changed in the store");
	change_idle(scheduler, entry);
	change->entry = NULL;
	return CHANGE_DONE;
}

static const struct change_ops job_adopt_ops = {"adopt", job_adopt_begin, NULL, NULL};

void job_adopt(const struct store_change *made, void *context)
{
	struct store_slot *slot = context;
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct entry *entry;
	struct change *change;

	if (made->kind == STORE_CHANGE_TEXT)
		return;
	scheduler_enter(scheduler);
	change = change_new(scheduler, &job_adopt_ops, made->id, NULL,
	    (struct scheduler_reply){NULL, NULL});
	if (change) {
		change->store = slot;
		/* It may turn out to lack something. */
		if (store_behind(slot->store))
			change_owe(change);
		change->fresh = true;
		if (made->record) {
			change->given = made->record->job;
			change->given_state = made->record->state;
			change->given_raw = made->record->raw;
		}
		entry = entry_find(scheduler, made->id);
		if (entry && entry->adrift)
			entry->adrift = entry->busy = false;
		change_submit(change);
	} else if (made->record) {
		job_unref(made->record->job);
		free(made->record->raw);
		job_state_clear(&made->record->state);
	}
	scheduler_leave(scheduler);
}
