/* SPDX-License-Identifier: MIT */
/* The scheduler as a whole paused and resumed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/tick.h"
#include "core/frame/store_slot.h"
#include "core/jobs/change_log.h"
#include "core/runs/mark.h"
#include "core/top/scheduler_life.h"
#include "store/store_share.h"

struct scheduler_pause_request {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	int64_t uid, pid;
	char *method;
	bool pause;
	char *why; /* "scheduler paused by uid 0"; NULL: resume */
};

static void scheduler_pause_free(struct scheduler_pause_request *request)
{
	free(request->method);
	free(request->why);
	free(request);
}

/* The old state goes into the record of changes, for looking back. */
static void scheduler_pause_record(
    struct schedd_scheduler *scheduler, const struct scheduler_actor *actor, bool pause)
{
	struct value more = value_map(), before = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &before, "paused",
	    pause ? value_nil() : value_string_ref(scheduler->paused_why));
	value_put(&arena, &more, "before", before);
	change_log_scheduler(
	    scheduler, pause ? "scheduler_paused" : "scheduler_resumed", actor, &more, &arena);
	arena_clear(&arena);
}

/* From now on, or no more; tells of it. why becomes ours. */
static void scheduler_pause_set(
    struct schedd_scheduler *scheduler, char *why, const struct scheduler_actor *actor)
{
	bool pause = why != NULL;

	scheduler->paused = pause;
	if (pause) {
		free(scheduler->paused_why);
		scheduler->paused_why = why;
		scheduler->paused_at = scheduler_now(scheduler);
		mark_undo_all(scheduler);
	}
	event_ring_say(scheduler,
	    pause ? SCHEDD_EVENT_SCHEDULER_PAUSED : SCHEDD_EVENT_SCHEDULER_RESUMED, NULL, NULL, actor);
}

/* What fell due meanwhile is treated as after downtime. */
static void scheduler_pause_over(struct schedd_scheduler *scheduler)
{
	if (scheduler->phase == SCHEDULER_RUNNING)
		tick_claim_due(scheduler, scheduler_now(scheduler));
	free(scheduler->paused_why);
	scheduler->paused_why = NULL;
}

void scheduler_pause_told(struct schedd_scheduler *scheduler, const char *why)
{
	static const struct scheduler_actor nobody = {.uid = -1, .pid = -1};
	char *copy = why ? strdup(why) : NULL;

	if (scheduler->paused == (why != NULL) || (why && !copy)) {
		free(copy);
		return;
	}
	scheduler_enter(scheduler);
	/* A store of our own does not know it from the node that did it. */
	if (!scheduler->default_store->shared)
		scheduler_pause_record(scheduler, &nobody, why != NULL);
	scheduler_pause_set(scheduler, copy, NULL);
	if (!why)
		scheduler_pause_over(scheduler);
	scheduler_leave(scheduler);
}

static void scheduler_pause_done(int rc, const struct schedd_error *err, void *context)
{
	struct scheduler_pause_request *request = context;
	struct schedd_scheduler *scheduler = request->scheduler;
	struct scheduler_actor actor = {
	    .uid = request->uid, .pid = request->pid, .method = request->method};
	bool pause = request->pause;

	scheduler_enter(scheduler);
	if (!rc && pause != scheduler->paused) {
		scheduler_pause_record(scheduler, &actor, pause);
		scheduler_pause_set(scheduler, request->why, &actor);
		request->why = NULL;
	}
	scheduler_answer(request->reply, rc, err, NULL);
	scheduler_pause_free(request);
	if (!rc && !pause)
		scheduler_pause_over(scheduler);
	scheduler_leave(scheduler);
}

void scheduler_set_paused(struct schedd_scheduler *scheduler, bool paused,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct scheduler_pause_request *request = calloc(1, sizeof(*request));
	struct store_slot *slot = store_slot_common(scheduler);
	struct store_batch *batch;
	struct schedd_error err;
	char who[64], why[256];

	if (request && paused) {
		snprintf(why, sizeof(why), "scheduler paused by %s%s%s",
		    actor ? scheduler_actor_text(actor, who, sizeof(who)) : "its host",
		    slot && slot->shared ? " on node " : "",
		    slot && slot->shared ? store_node_name(slot->store) : "");
		request->why = strdup(why);
	}
	if (!request || !slot || (paused && !request->why)) {
		free(request);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	request->pause = paused;
	request->scheduler = scheduler;
	request->reply = reply;
	request->uid = actor ? actor->uid : -1;
	request->pid = actor ? actor->pid : -1;
	request->method = actor && actor->method ? strdup(actor->method) : NULL;
	batch = store_batch_new(slot->store);
	store_batch_put_text(batch, "scheduler.paused", request->why);
	scheduler_enter(scheduler);
	/* From before it shared a store. */
	if (!paused && slot != scheduler->default_store && scheduler->default_store)
		store_slot_put_text(scheduler->default_store, "scheduler.paused", NULL);
	store_commit(slot->store, batch, scheduler_pause_done, request);
	scheduler_leave(scheduler);
}

void scheduler_say(struct schedd_scheduler *scheduler, enum schedd_event_code code,
    const char *name, const char *error)
{
	scheduler_enter(scheduler);
	event_ring_say(scheduler, code, name, error, NULL);
	scheduler_leave(scheduler);
}
