/* SPDX-License-Identifier: MIT */
/* One change at a time per job; the line behind it keeps the order of the requests. */
#include "core/changes/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"
#include "core/jobs/entry_raw.h"
#include "core/jobs/change_log.h"
#include "core/runs/admission.h"
#include "core/runs/run_live.h"
#include "store/store_share.h"

/* Of a change that others are faster than. */
#define CHANGE_TRIES 10

void change_owe(struct change *change)
{
	change->owed = true;
	change->store->owed++;
}

void change_free(struct change *change)
{
	if (change->owed)
		change->store->owed--;
	job_unref(change->given);
	job_unref(change->job);
	job_state_clear(&change->given_state);
	free(change->given_raw);
	job_state_clear(&change->state);
	job_pairs_clear(&change->env);
	free(change->pause_text);
	arena_clear(&change->arena);
	if (!change->lent)
		free(change);
}

static void change_init(
    struct change *change, struct schedd_scheduler *scheduler, const struct change_ops *ops)
{
	change->ops = ops;
	change->scheduler = scheduler;
	change->when = change->scheduled_at = SCHEDD_TIME_NONE;
	arena_init(&change->arena);
	job_state_init(&change->state);
	job_state_init(&change->given_state);
	change->result = value_nil();
}

struct change *change_new(struct schedd_scheduler *scheduler, const struct change_ops *ops,
    const char *id, const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct change *change = calloc(1, sizeof(*change));
	struct schedd_error err;

	if (change) {
		change_init(change, scheduler, ops);
		change->id = arena_strdup(&change->arena, id ? id : "");
		change->actor = actor ? *actor : (struct scheduler_actor){-1, -1, NULL, NULL};
		if (change->actor.method)
			change->actor.method = arena_strdup(&change->arena, change->actor.method);
		if (change->actor.account)
			change->actor.account = arena_strdup(&change->arena, change->actor.account);
	}
	if (!change || arena_failed(&change->arena)) {
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		if (change)
			change_free(change);
		return NULL;
	}
	change->reply = reply;
	return change;
}

struct change *change_new_in(struct arena *arena, struct schedd_scheduler *scheduler,
    const struct change_ops *ops, const char *id, const struct scheduler_actor *actor)
{
	struct change *change = arena_alloc(arena, sizeof(*change));
	char *copy = arena_strdup(arena, id);

	if (!change || !copy)
		return NULL;
	change_init(change, scheduler, ops);
	change->lent = true;
	change->id = copy;
	change->actor = *actor;
	return change;
}

/* Puts it in line; what the caller lent must be copied now. */
static int change_park(struct change *change, struct entry *entry)
{
	if (!change->parked && change->fields) {
		struct value *copy = arena_alloc(&change->arena, sizeof(*copy));

		if (copy)
			*copy = value_copy(&change->arena, change->fields);
		if (arena_failed(&change->arena))
			return SCHEDD_ENOMEM;
		change->fields = copy;
	}
	if (entry_wait(entry, &change->waiter))
		return SCHEDD_ENOMEM;
	change->parked = true;
	return 0;
}

static void change_reply(struct change *change, int rc, const struct schedd_error *err)
{
	scheduler_answer_done(change->reply, rc, err, &change->result, &change->arena);
	change_free(change);
}

void change_abandon(struct change *change, int rc, const struct schedd_error *err)
{
	change_reply(change, rc, err);
}

void change_guard(struct change *change)
{
	const struct entry *entry = change->entry;

	if (!change->store->shared)
		return;
	store_batch_expect_same(change->batch, entry->job->id, &entry->state);
	if (change->state.revision == entry->state.revision)
		change->state.revision++;
}

static void change_failed(struct change *change, int rc, const struct schedd_error *err)
{
	change->failed = rc;
	if (change->ops->fail)
		change->ops->fail(change);
	log_debug(change->scheduler->log, "%s %s: %s", change->ops->name, change->id,
	    err ? err->message : "failed");
	change_reply(change, rc, err);
}

static void change_committed(int rc, const struct schedd_error *err, void *context)
{
	struct change *change = context;
	struct schedd_scheduler *scheduler = change->scheduler;
	struct store_slot *store = change->store;

	scheduler_enter(scheduler);
	/* What the store refuses is no failure of the store. */
	if (rc && rc != SCHEDD_ECONFLICT && rc != SCHEDD_EPERM)
		store_slot_failed(store, err);
	else
		store_slot_worked(store);
	change_finish(change, rc, err);
	scheduler_leave(scheduler);
}

/* Who asked is told so; the change itself goes on when the store has found out. */
static void change_unknown(const struct schedd_error *err, void *context)
{
	struct change *change = context;
	struct scheduler_reply reply = change->reply;

	change->reply = (struct scheduler_reply){NULL, NULL};
	scheduler_answer(reply, SCHEDD_EFAILED, err, NULL);
}

/* What was made of it is undone; it is in line before the job is read anew. False: no memory. */
static bool change_refresh(struct change *change, struct entry *entry)
{
	if (change_park(change, entry))
		return false;
	change->fresh = true;
	entry->busy = entry->adrift = true;
	entry_unplan(change->scheduler, entry);
	store_reread(entry->store->store, entry->job->id);
	return true;
}

/* Another node was faster: once more, with the job as it is now. Not for who named a revision. */
static bool change_again(struct change *change, int rc)
{
	struct entry *entry = change->entry;

	if (rc != SCHEDD_ECONFLICT || !entry || entry->hidden || !change->store ||
	    !change->store->shared || change->revision || (change->tries++ == CHANGE_TRIES && !change->owed))
		return false;
	change->failed = rc;
	if (change->ops->fail)
		change->ops->fail(change);
	job_unref(change->job);
	change->job = NULL;
	job_state_clear(&change->state);
	free(change->pause_text);
	change->pause_text = NULL;
	change->batch = NULL;
	change->entry = NULL;
	change->fields = change->kept;
	return change_refresh(change, entry);
}

static void change_begin(struct change *change)
{
	struct schedd_error err = {0};
	int rc = change->ops->begin(change, &err);

	if (rc == CHANGE_CLAIMED)
		return;
	if (rc == CHANGE_DONE) {
		/* Nothing had to be done, so it is said that the answer is lacking. */
		bool told = !arena_failed(&change->arena);

		change_reply(change, told ? 0 : schedd_error_nomem(&err), &err);
		return;
	}
	if (rc < 0) {
		store_batch_free(change->batch);
		change_failed(change, rc, &err);
		return;
	}
	if (change->entry) {
		change->entry->busy = true;
		entry_unplan(change->scheduler, change->entry);
	}
	/* What the caller lent is not needed any more. */
	change->fields = NULL;
	/* Its record is not whole. */
	if (arena_failed(&change->arena)) {
		store_batch_free(change->batch);
		rc = schedd_error_nomem(&err);
		change_finish(change, rc, &err);
		return;
	}
	store_batch_on_unknown(change->batch, change_unknown);
	if (change->owed)
		store_batch_owed(change->batch);
	store_commit(change->store->store, change->batch, change_committed, change);
}

/* Somebody would wait for it behind a commit that nobody knows the end of. */
static bool change_hopeless(
    const struct change *change, const struct entry *entry, struct schedd_error *err)
{
	struct store *store = entry->store->store;

	if (!change->reply.call || store_state(store) == STORE_OK)
		return false;
	schedd_error_set(err, SCHEDD_EFAILED, "job %s is busy and its store %s is %s: %s",
	    change->id, entry->store->name, store_state_word(store_state(store)),
	    store_state_why(store));
	return true;
}

/* What the caller lent is copied, for another try. */
static int change_keep(struct change *change)
{
	struct value *copy;

	if (change->kept || !change->fields)
		return 0;
	copy = arena_alloc(&change->arena, sizeof(*copy));
	if (copy)
		*copy = value_copy(&change->arena, change->fields);
	if (arena_failed(&change->arena))
		return SCHEDD_ENOMEM;
	change->fields = change->kept = copy;
	return 0;
}

/* Another node claims it, or somebody names a revision that is not the known one. */
static bool change_stale(const struct change *change, const struct entry *entry)
{
	if (!entry || change->fresh || !entry->store->shared || entry->hidden ||
	    store_state(entry->store->store) != STORE_OK)
		return false;
	return entry->foreign || (change->revision && change->revision != entry->state.revision);
}

void change_submit(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct entry *entry = entry_find(scheduler, change->id);
	struct schedd_error hopeless;

	scheduler_enter(scheduler);
	if (entry && entry->store->shared && !change->fresh && change_keep(change)) {
		struct schedd_error err;

		schedd_error_nomem(&err);
		change_reply(change, SCHEDD_ENOMEM, &err);
	} else if ((!entry || !entry->busy) && change_stale(change, entry)) {
		if (!change_refresh(change, entry))
			change_begin(change);
	} else if (!entry || !entry->busy) {
		change_begin(change);
	} else if (change_hopeless(change, entry, &hopeless)) {
		change_reply(change, SCHEDD_EFAILED, &hopeless);
	} else if (change_park(change, entry)) {
		struct schedd_error err;

		schedd_error_nomem(&err);
		change_reply(change, SCHEDD_ENOMEM, &err);
	}
	scheduler_leave(scheduler);
}

void change_finish(struct change *change, int rc, const struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct entry *entry = change->entry;

	if (rc && change_again(change, rc))
		return;
	if (rc) {
		change_failed(change, rc, err);
	} else {
		change->ops->finish(change);
		entry = change->entry; /* NULL if the job is gone */
		change_reply(change, 0, NULL);
	}
	if (entry)
		change_idle(scheduler, entry);
}

/* The entry is gone: what waited for it is looked up again by its id. */
static void change_resubmit(struct entry_waiter *waiters)
{
	while (waiters) {
		struct entry_waiter *next = waiters->next;

		/* Nothing else waits for an entry, and the line is a change's first member. */
		change_submit((struct change *)waiters);
		waiters = next;
	}
}

void change_store_away(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	for (struct entry *entry = entry_first(scheduler, NULL); entry;
	     entry = entry_next(scheduler, entry))
		if (entry->store == slot && entry->busy)
			change_resubmit(entry_take_waiters(entry));
}

void change_idle(struct schedd_scheduler *scheduler, struct entry *entry)
{
	struct entry_waiter *waiters = entry_take_waiters(entry);

	entry->busy = false;
	if (entry->hidden) {
		entry_free(scheduler, entry);
		change_resubmit(waiters);
		return;
	}
	entry_plan(scheduler, entry);
	if (waiters)
		change_resubmit(waiters);
	else
		entry_note_exhausted(scheduler, entry);
}

void change_drop_entry(struct change *change)
{
	struct entry *entry = change->entry;
	struct entry_waiter *waiters = entry_take_waiters(entry);

	change->entry = NULL;
	run_live_orphan(entry);
	entry_free(change->scheduler, entry);
	change_resubmit(waiters);
}

int change_copy_state(struct change *change, struct schedd_error *err)
{
	const struct job_state *from = &change->entry->state;

	change->state = *from;
	change->state.paused_reason = change->state.invalid = NULL;
	if (from->paused_reason) {
		change->state.paused_reason = strdup(from->paused_reason);
		if (!change->state.paused_reason)
			return schedd_error_nomem(err);
	}
	return 0;
}

void change_apply(struct change *change)
{
	struct schedd_scheduler *scheduler = change->scheduler;
	struct entry *entry = change->entry;
	bool was = entry->state.paused;

	entry_take_state(scheduler, entry, &change->state);
	if (entry->state.paused && !was)
		admission_hold(entry);
	else if (was && !entry->state.paused)
		admission_release(entry);
	if (change->pause_text || !entry->state.paused) {
		entry_set_pause_text(entry, change->pause_text);
		change->pause_text = NULL;
	}
	if (change->job) {
		entry_define(scheduler, entry, change->job);
		admission_reconsider(entry);
		entry_set_raw(entry, NULL);
		change->job = NULL;
	}
}

static void change_event_fill(
    const struct change *change, enum schedd_event_code code, struct schedd_event *event)
{
	*event = (struct schedd_event){.code = code,
	    .time = scheduler_now(change->scheduler),
	    .job = change->entry ? change->entry->job->id : change->id,
	    .store = change->store ? change->store->name : NULL,
	    .scheduled_at = SCHEDD_TIME_NONE,
	    .exit_code = -1,
	    .uid = change->actor.uid,
	    .pid = change->actor.pid,
	    .method = change->actor.method};
}

void change_event(struct change *change, enum schedd_event_code code, const char *error)
{
	struct schedd_event event;

	change_event_fill(change, code, &event);
	event.error = error;
	event_ring_emit(change->scheduler, &event);
}

/* What a modification takes away, for looking back. */
static void change_record_before(struct change *change, struct arena *arena, struct value *more)
{
	const struct entry *entry = change->entry;
	struct value before = value_map(), fields;

	if (change->job) {
		fields = change_log_fields(entry->job, change->job, arena, &before);
		value_put(arena, more, "fields", fields);
	}
	if (entry->state.paused != change->state.paused || change->pause_text)
		value_put(arena, &before, "paused",
		    entry->state.paused ? value_string(arena, entry_paused_by(entry))
					: value_nil());
	if (before.map.count)
		value_put(arena, more, "before", before);
}

void change_record(struct change *change, enum schedd_event_code code, const char *detail)
{
	struct schedd_event event;
	struct value more = value_map();
	struct arena
	    arena; /* a file has changes by the hundred thousand: nothing stays with them */

	/* What comes and goes in a store that dies with the process the ring of events remembers.
	 */
	if (!change->store->durable && code != SCHEDD_EVENT_JOB_MODIFIED)
		return;
	change_event_fill(change, code, &event);
	event.error = detail;
	arena_init(&arena);
	if (code == SCHEDD_EVENT_JOB_MODIFIED)
		change_record_before(change, &arena, &more);
	change_log_put(change->batch, &event, &more, &arena);
	change->arena.failed |= arena_failed(&arena);
	arena_clear(&arena);
}

void change_answer_job(struct change *change)
{
	const char *id = change->entry ? change->entry->job->id : change->id;

	change->result = scheduler_job_value(change->scheduler, id, &change->arena);
}

/* The job as it is now, or SCHEDD_ENOTFOUND. */
int change_find(struct change *change, struct schedd_error *err)
{
	change->entry = entry_get(change->scheduler, change->id);
	if (!change->entry)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "job %s: no such job", change->id);
	change->store = change->entry->store;
	if (change->entry->moving) {
		change->entry = NULL;
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s was on its way from store %s to another one, which is not there: it "
		    "waits for that",
		    change->id, change->store->name);
	}
	return 0;
}

int change_find_valid(struct change *change, struct schedd_error *err)
{
	int rc = change_find(change, err);

	if (!rc && change->entry->state.invalid) {
		rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s could not be read (%s): modify what is wrong there, remove it or add "
		    "it anew",
		    change->id, change->entry->state.invalid);
		change->entry = NULL;
	}
	return rc;
}
