/* SPDX-License-Identifier: MIT */
/* The embedders' calls: they wait for the answer, on whatever thread they are made. */
#include "core/top/scheduler_call.h"

#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "core/changes/scheduler_add.h"
#include "core/top/scheduler_life.h"
#include "core/top/scheduler_request.h"

static void scheduler_make_add(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_add_job(call->scheduler, request->job, request->flags, &scheduler_request_actor,
	    scheduler_request_reply(request));
}

int schedd_scheduler_add(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct schedd_error *err)
{
	struct scheduler_request request = {.job = job};

	return scheduler_request_make(scheduler, &request, scheduler_make_add, err);
}

int schedd_scheduler_replace(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct schedd_error *err)
{
	struct scheduler_request request = {.job = job, .flags = SCHEDULER_ADD_REPLACE};

	return scheduler_request_make(scheduler, &request, scheduler_make_add, err);
}

static void scheduler_make_reschedule(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	struct value changes = value_map();
	struct schedd_error err;
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &changes, "trigger", trigger_to_value(request->trigger, &arena));
	if (arena_failed(&arena))
		scheduler_request_answered(schedd_error_nomem(&err), &err, NULL, request);
	else
		scheduler_modify(call->scheduler, request->id, &changes, 0,
		    &scheduler_request_actor, scheduler_request_reply(request));
	arena_clear(&arena);
}

int schedd_scheduler_reschedule(struct schedd_scheduler *scheduler, const char *id,
    struct schedd_trigger *trigger, struct schedd_error *err)
{
	struct scheduler_request request = {.id = id, .trigger = trigger};

	if (!trigger)
		return schedd_error_set(err, SCHEDD_EINVAL, "job %s: no trigger is given", id);
	return scheduler_request_make(scheduler, &request, scheduler_make_reschedule, err);
}

static void scheduler_make_modify(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	struct schedd_error err;
	struct value changes;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = json_exact_parse(request->text, strlen(request->text), &arena, &changes, &err);
	if (!rc && changes.type != VALUE_MAP)
		rc = schedd_error_set(&err, SCHEDD_EINVAL, "changes: a map is needed");
	if (rc)
		scheduler_request_answered(rc, &err, NULL, request);
	else
		scheduler_modify(call->scheduler, request->id, &changes, 0,
		    &scheduler_request_actor, scheduler_request_reply(request));
	arena_clear(&arena);
}

int schedd_scheduler_modify(struct schedd_scheduler *scheduler, const char *id, const char *changes,
    struct schedd_error *err)
{
	struct scheduler_request request = {.id = id, .text = changes};

	return scheduler_request_make(scheduler, &request, scheduler_make_modify, err);
}

static void scheduler_make_remove(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_remove(call->scheduler, request->id, false, false, &scheduler_request_actor,
	    scheduler_request_reply(request));
}

int schedd_scheduler_remove(
    struct schedd_scheduler *scheduler, const char *id, struct schedd_error *err)
{
	struct scheduler_request request = {.id = id};

	return scheduler_request_make(scheduler, &request, scheduler_make_remove, err);
}

static void scheduler_make_pause_job(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_pause_job(call->scheduler, request->id, SCHEDD_TIME_NONE, NULL,
	    &scheduler_request_actor, scheduler_request_reply(request));
}

int schedd_scheduler_pause_job(
    struct schedd_scheduler *scheduler, const char *id, struct schedd_error *err)
{
	struct scheduler_request request = {.id = id};

	return scheduler_request_make(scheduler, &request, scheduler_make_pause_job, err);
}

static void scheduler_make_resume_job(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_resume_job(call->scheduler, request->id, false, &scheduler_request_actor,
	    scheduler_request_reply(request));
}

int schedd_scheduler_resume_job(
    struct schedd_scheduler *scheduler, const char *id, struct schedd_error *err)
{
	struct scheduler_request request = {.id = id};

	return scheduler_request_make(scheduler, &request, scheduler_make_resume_job, err);
}

static void scheduler_make_run_job(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	struct scheduler_run_options options = {.trigger = RUN_BY_HAND};

	scheduler_run_job(call->scheduler, request->id, &options, &scheduler_request_actor,
	    scheduler_request_reply(request));
}

int schedd_scheduler_run_job(
    struct schedd_scheduler *scheduler, const char *id, uint32_t *run, struct schedd_error *err)
{
	struct scheduler_request request = {.id = id};
	int rc = scheduler_request_make(scheduler, &request, scheduler_make_run_job, err);

	if (!rc && run)
		*run = request.number;
	return rc;
}

static void scheduler_make_get(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value job;

	arena_init(&arena);
	job = scheduler_job_value(call->scheduler, request->id, &arena);
	if (job.type != VALUE_NIL && !arena_failed(&arena)) {
		json_exact_write(&text, &job);
		request->json = strbuf_take(&text);
	}
	arena_clear(&arena);
	request->done = true;
}

char *schedd_scheduler_get(struct schedd_scheduler *scheduler, const char *id)
{
	struct scheduler_request request = {.id = id};

	if (scheduler_request_make(scheduler, &request, scheduler_make_get, NULL))
		return NULL;
	return request.json;
}

static void scheduler_make_pause(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_set_paused(
	    call->scheduler, true, &scheduler_request_actor, scheduler_request_reply(request));
}

int schedd_scheduler_pause(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct scheduler_request request = {0};

	return scheduler_request_make(scheduler, &request, scheduler_make_pause, err);
}

static void scheduler_make_resume(struct scheduler_call *call)
{
	struct scheduler_request *request = (struct scheduler_request *)call;

	scheduler_set_paused(
	    call->scheduler, false, &scheduler_request_actor, scheduler_request_reply(request));
}

int schedd_scheduler_resume(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct scheduler_request request = {0};

	return scheduler_request_make(scheduler, &request, scheduler_make_resume, err);
}

/* ---- Listeners ---- */

struct scheduler_listen_call {
	struct scheduler_call call;
	struct schedd_listener *listener; /* answered, or to be removed */
	unsigned mask;
	schedd_listener_fn tell;
	void *context;
};

static void scheduler_listen_run(struct scheduler_call *call)
{
	struct scheduler_listen_call *listen = (struct scheduler_listen_call *)(void *)call;

	listen->listener =
	    event_ring_listen(call->scheduler, listen->mask, listen->tell, listen->context);
}

struct schedd_listener *schedd_scheduler_listen(
    struct schedd_scheduler *scheduler, unsigned mask, schedd_listener_fn call, void *context)
{
	struct scheduler_listen_call listen = {.mask = mask, .tell = call, .context = context};

	listen.call.scheduler = scheduler;
	listen.call.run = scheduler_listen_run;
	scheduler_call(&listen.call);
	return listen.listener;
}

static void scheduler_unlisten_run(struct scheduler_call *call)
{
	event_ring_unlisten(((struct scheduler_listen_call *)(void *)call)->listener);
}

void schedd_scheduler_unlisten(struct schedd_listener *listener)
{
	struct scheduler_listen_call listen = {.listener = listener};

	if (!listener)
		return;
	listen.call.scheduler = event_ring_owner(listener);
	listen.call.run = scheduler_unlisten_run;
	scheduler_call(&listen.call);
}

void schedd_scheduler_free(struct schedd_scheduler *scheduler)
{
	if (!scheduler)
		return;
	scheduler_thread_end(scheduler);
	scheduler_free(scheduler);
}
