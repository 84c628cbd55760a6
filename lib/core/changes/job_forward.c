/* SPDX-License-Identifier: MIT */
/*
 * A standby took the server's place and lacks what that had answered last. Each
 * job is written again as it was known here, if that was later, before anything
 * of it is claimed. What a node that died with the server knew nobody can tell:
 * its jobs are held.
 */
#include "core/changes/job_forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/pause_note.h"
#include "core/frame/event_ring.h"
#include "core/jobs/entry.h"
#include "store/store_share.h"

static void job_forward_say(const struct change *change, const char *text)
{
	struct schedd_scheduler *scheduler = change->scheduler;

	log_warn(scheduler->log, "store %s: %s", change->store->name, text);
	event_ring_say(scheduler, SCHEDD_EVENT_STORE_ERROR, change->store->name, text, NULL);
}

static void job_forward_tell(const struct change *change, const struct job_state *given)
{
	const struct entry *entry = change->entry;
	char text[400];

	if (given->created_at < entry->state.created_at)
		snprintf(text, sizeof(text),
		    "job %s: that it was removed and added anew was stored and is gone with the server: it is made again",
		    change->id);
	else if (given->last_run < entry->state.last_run)
		snprintf(text, sizeof(text),
		    "job %s: its runs from %u to %u were stored and are gone with the server: its numbers go on behind "
		    "them, their fire times are not run again",
		    change->id, given->last_run + 1, entry->state.last_run);
	else
		snprintf(text, sizeof(text),
		    "job %s: a change of it was stored and is gone with the server: it is made again", change->id);
	job_forward_say(change, text);
}

/* The counters as they were last known here, and the newer of both definitions. */
static int job_forward_begin(struct change *change, struct schedd_error *err)
{
	struct entry *entry = entry_find(change->scheduler, change->id);
	const struct job_state *given = &change->given_state;
	int rc;

	/* Another was faster: what he wrote is read, and compared anew. */
	if (!entry || change->tries)
		return CHANGE_DONE;
	change->entry = entry;
	rc = change_copy_state(change, err);
	if (rc)
		return rc;
	job_forward_tell(change, given);
	change->batch = store_batch_new(change->store->store);
	store_batch_expect_same(change->batch, change->id, given);
	if (given->created_at < change->state.created_at) {
		if (change->state.revision < given->revision)
			change->state.revision = given->revision;
		if (change->state.last_run < given->last_run)
			change->state.last_run = given->last_run;
	} else if (given->revision > change->state.revision) {
		change->job = entry_seal(change->scheduler, change->given);
		change->given = NULL;
		change->state.revision = given->revision;
	}
	change->state.revision++;
	store_batch_put_job(change->batch, change->job ? change->job : entry->job, &change->state);
	return CHANGE_COMMIT;
}

static void job_forward_finish(struct change *change)
{
	change_apply(change);
}

static const struct change_ops job_forward_ops = {
    "write again", job_forward_begin, job_forward_finish, NULL};

bool job_forward(struct change *change, const struct entry *entry)
{
	const struct job_state *given = &change->given_state, *state = &entry->state;
	struct change *forward;

	if (!store_behind(change->store->store) || given->invalid || state->invalid ||
	    given->created_at > state->created_at ||
	    (given->created_at == state->created_at && given->last_run >= state->last_run && given->revision >= state->revision))
		return false;
	forward = change_new(change->scheduler, &job_forward_ops, change->id, NULL,
	    (struct scheduler_reply){NULL, NULL});
	if (!forward)
		return false;
	forward->store = change->store;
	change_owe(forward);
	forward->fresh = true;
	forward->given = change->given;
	forward->given_state = change->given_state;
	change->given = NULL;
	job_state_init(&change->given_state);
	change_submit(forward);
	return true;
}

void job_forward_gone(const struct change *change, const struct entry *entry)
{
	char text[400];

	/* What is read anew lacks it; whoever removes one later is told of by the feed. */
	if (!entry->stale || !store_behind(change->store->store))
		return;
	snprintf(text, sizeof(text), "job %s was stored and is gone with the server: add it again", change->id);
	job_forward_say(change, text);
}

/* ---- What cannot be known ---- */

static int job_hold_begin(struct change *change, struct schedd_error *err)
{
	struct entry *entry = entry_find(change->scheduler, change->id);
	int rc;

	if (!entry || entry->hidden || entry->state.invalid)
		return CHANGE_DONE;
	change->entry = entry;
	rc = change_copy_state(change, err);
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	change->batch = store_batch_new(change->store->store);
	change_guard(change);
	change->state.last_run += JOB_FORWARD_GAP;
	if (change->state.next_fire != SCHEDD_TIME_NONE && !change->state.paused) {
		free(change->state.paused_reason);
		change->state.paused_reason = strdup(change->text);
		change->state.paused = true;
		change->state.paused_until = change->state.next_run_time = SCHEDD_TIME_NONE;
		change->pause_text = pause_note_make(change, change->text);
		pause_note_put(change, change->pause_text);
	}
	change->state.updated_at = scheduler_now(change->scheduler);
	store_batch_put_job(change->batch, entry->job, &change->state);
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED, change->text);
	return CHANGE_COMMIT;
}

static void job_hold_finish(struct change *change)
{
	char text[400];

	snprintf(text, sizeof(text), "job %s: %s", change->id, change->text);
	job_forward_say(change, text);
	change_apply(change);
	change_event(change, SCHEDD_EVENT_JOB_MODIFIED, change->text);
}

static const struct change_ops job_hold_ops = {"hold", job_hold_begin, job_hold_finish, NULL};

void job_hold(struct entry *entry, const char *node)
{
	struct change *change = change_new(entry->store->scheduler, &job_hold_ops, entry->job->id, NULL,
	    (struct scheduler_reply){NULL, NULL});

	if (!change)
		return;
	change->store = entry->store;
	change_owe(change);
	change->fresh = true;
	change->text = arena_printf(&change->arena,
	    "held, as node %s died with a server that had answered more than the one in its place knows: which of its runs "
	    "were done last is not known (resume it once that is)",
	    node);
	change_submit(change);
}
