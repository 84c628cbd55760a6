/* SPDX-License-Identifier: MIT */
/* Delivering is asynchronous from end to end: the scheduler's thread never waits for a listener. */
#include "server/event_target.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/log.h"
#include "core/scheduler.h"
#include "executor/executor.h"
#include "loop/alarm.h"

#define EVENT_TARGET_ENV 8 /* variables of a delivery at most */

/* An event that waits for its turn. */
struct event_delivery {
	struct event_delivery *next;
	char *json;               /* owned; the event as clients see it */
	char job[JOB_ID_MAX + 1]; /* SCHEDD_JOB_ID; of the event, or "listener" */
	char run_id[64];          /* what the delivery is called: "listener-mail/1234" */
	schedd_time scheduled_at; /* the event's */
	struct job_pair pairs[EVENT_TARGET_ENV]; /* texts owned, names not */
	struct job_pairs env;                    /* the pairs that are used */
};

struct event_target {
	struct event_target_owner owner;
	struct arena arena; /* of name and filter */
	const char *name;
	struct event_filter filter;
	struct executor *executor; /* borrowed */
	struct schedd_job *job;    /* what a delivery runs, without its event */
	schedd_span timeout;
	uint32_t limit;                       /* events that may wait */
	struct event_delivery *first, **last; /* that wait */
	uint32_t queued;
	struct event_delivery *current; /* under way; NULL: none */
	struct task_request request;    /* of current; the executor goes on reading it */
	struct task *task;              /* of current; NULL while it is being started */
	struct alarm *alarm;            /* current takes too long */
	bool late;                      /* it did, and was ended for that */
	uint64_t delivered, dropped, failed;
	char last_error[160]; /* "": none yet */
};

/* ---- Deliveries ---- */

static void event_delivery_free(struct event_delivery *delivery)
{
	for (uint32_t i = 0; i < delivery->env.count; i++)
		free(delivery->pairs[i].text);
	free(delivery->json);
	free(delivery);
}

/* Adds a variable; an absent text adds none. */
static void event_delivery_put(struct event_delivery *delivery, const char *name, const char *text)
{
	struct job_pair *pair = &delivery->pairs[delivery->env.count];

	if (!text || delivery->env.count == EVENT_TARGET_ENV)
		return;
	pair->text = strdup(text);
	pair->name = (char *)(uintptr_t)name; /* only read */
	if (pair->text)
		delivery->env.count++;
}

static void event_delivery_variables(
    struct event_delivery *delivery, const struct schedd_event *event)
{
	char text[JOB_ID_MAX + 16];

	delivery->env.items = delivery->pairs;
	event_delivery_put(delivery, "SCHEDD_EVENT", scheduler_event_name(event->code));
	snprintf(text, sizeof(text), "%u", (unsigned)event->code);
	event_delivery_put(delivery, "SCHEDD_EVENT_CODE", text);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)event->seq);
	event_delivery_put(delivery, "SCHEDD_EVENT_SEQ", text);
	snprintf(text, sizeof(text), "%s/%u", event->job ? event->job : "", event->run);
	event_delivery_put(delivery, "SCHEDD_EVENT_RUN", event->job && event->run ? text : NULL);
	snprintf(text, sizeof(text), "%d", event->exit_code);
	event_delivery_put(delivery, "SCHEDD_EXIT_CODE", event->exit_code >= 0 ? text : NULL);
	event_delivery_put(delivery, "SCHEDD_ERROR", event->error);
}

/* NULL: no memory. */
static struct event_delivery *event_delivery_new(
    const struct event_target *target, const struct schedd_event *event)
{
	struct event_delivery *delivery = calloc(1, sizeof(*delivery));
	struct strbuf json = STRBUF_EMPTY;
	struct arena arena;
	struct value map;

	if (!delivery)
		return NULL;
	arena_init(&arena);
	map = scheduler_event_value(event, &arena);
	json_write(&json, &map);
	strbuf_add_char(&json, '\n');
	delivery->json = arena_failed(&arena) ? NULL : strbuf_take(&json);
	strbuf_clear(&json);
	arena_clear(&arena);
	snprintf(delivery->run_id, sizeof(delivery->run_id), "listener-%.32s/%llu", target->name,
	    (unsigned long long)event->seq);
	delivery->scheduled_at = event->time;
	snprintf(delivery->job, sizeof(delivery->job), "%s", event->job ? event->job : "listener");
	event_delivery_variables(delivery, event);
	if (delivery->json)
		return delivery;
	event_delivery_free(delivery);
	return NULL;
}

/* ---- One after the other ---- */

static void event_target_next(struct event_target *target);

static void event_target_note(struct event_target *target, const struct task_result *result)
{
	if (target->late)
		snprintf(target->last_error, sizeof(target->last_error), "took longer than %.3f s",
		    (double)target->timeout / (double)SCHEDD_SECOND);
	else if (result->reason)
		snprintf(target->last_error, sizeof(target->last_error), "%s", result->reason);
	else if (result->signal)
		snprintf(target->last_error, sizeof(target->last_error), "ended by signal %d",
		    result->signal);
	else
		snprintf(target->last_error, sizeof(target->last_error), "exit code %d",
		    result->exit_code);
	target->failed++;
	log_warn(target->owner.log, "listener %s: %s: %s", target->name, target->current->run_id,
	    target->last_error);
}

static void event_target_done(const struct task_result *result, void *context)
{
	struct event_target *target = context;

	if (result->started && result->exit_code == 0 && !target->late)
		target->delivered++;
	else
		event_target_note(target, result);
	event_delivery_free(target->current);
	target->current = NULL;
	target->task = NULL;
	if (alarm_set_mono(target->alarm, (struct schedd_mono){.us = INT64_MAX}))
		log_warn(
		    target->owner.log, "listener %s: its time-out cannot be unset", target->name);
	event_target_next(target);
}

static void event_target_started(pid_t pid, uint64_t pid_start, void *context)
{
	(void)pid;
	(void)pid_start;
	(void)context;
}

static void event_target_on_alarm(bool stepped, void *context)
{
	struct event_target *target = context;

	(void)stepped;
	if (!target->task)
		return;
	target->late = true;
	if (executor_signal(target->task, SIGKILL, NULL))
		log_warn(target->owner.log, "listener %s cannot be ended", target->name);
}

/* A request's body, a function's arguments, a command's stdin. */
static int event_target_give(struct schedd_job *job, struct job_details *details,
    const struct schedd_job *from, const char *json)
{
	switch (job->kind) {
	case JOB_HTTP:
		if (job_set_http(job, from->http->method, from->http->url) ||
		    job_pairs_copy(&job->http->headers, &from->http->headers))
			return SCHEDD_ENOMEM;
		job->http->body = strdup(json);
		return job->http->body ? 0 : SCHEDD_ENOMEM;
	case JOB_CALL:
		return job_set_call(job, from->call->function, json, NULL);
	}
	details->stdin_text = strdup(json);
	details->stdin_length = strlen(json);
	return details->stdin_text ? 0 : SCHEDD_ENOMEM;
}

/* The delivery's own copy of the job, with the event as its stdin or body. NULL: no memory. */
static struct schedd_job *event_target_job(const struct event_target *target)
{
	struct schedd_job *job = job_clone(target->job);
	const char *json = target->current->json;
	struct job_details *details = job ? job_details_edit(job) : NULL;

	if (details) {
		free(job->id);
		job->id = strdup(target->current->job);
	}
	if (details && job->id && event_target_give(job, details, target->job, json) == 0)
		return job;
	job_unref(job);
	return NULL;
}

static void event_target_start(struct event_target *target)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct schedd_mono late = clock->mono(clock->context);
	struct task_result failed = {.exit_code = -1, .reason = "out of memory"};
	struct schedd_job *job = event_target_job(target);
	struct task *task;

	target->request = (struct task_request){
	    .job = job,
	    .run_id = target->current->run_id,
	    .scheduled_at = target->current->scheduled_at,
	    .attempt = 1,
	    .extra_env = &target->current->env,
	    .socket = scheduler_socket(target->owner.scheduler),
	    .time = scheduler_trigger_context(target->owner.scheduler),
	    .started = event_target_started,
	    .done = event_target_done,
	    .context = target,
	};
	target->late = false;
	late.us += target->timeout;
	if (!job || alarm_set_mono(target->alarm, late)) {
		job_unref(job);
		event_target_done(&failed, target);
		return;
	}
	task = executor_start(target->executor, &target->request);
	job_unref(job);
	if (task)
		target->task = task;
}

static void event_target_next(struct event_target *target)
{
	if (target->current)
		return;
	if (!target->first) {
		target->owner.idle(target, target->owner.context);
		return;
	}
	target->current = target->first;
	target->first = target->current->next;
	if (!target->first)
		target->last = &target->first;
	target->queued--;
	event_target_start(target);
}

void event_target_tell(struct event_target *target, const struct schedd_event *event)
{
	struct event_delivery *delivery;

	if (target->queued >= target->limit) {
		target->dropped++;
		return;
	}
	delivery = event_delivery_new(target, event);
	if (!delivery) {
		target->dropped++;
		return;
	}
	*target->last = delivery;
	target->last = &delivery->next;
	target->queued++;
	event_target_next(target);
}

void event_target_abandon(struct event_target *target)
{
	struct event_delivery *delivery;

	while ((delivery = target->first)) {
		target->first = delivery->next;
		target->dropped++;
		event_delivery_free(delivery);
	}
	target->last = &target->first;
	target->queued = 0;
	if (target->current)
		event_target_on_alarm(false, target);
	else
		target->owner.idle(target, target->owner.context);
}

bool event_target_is_idle(const struct event_target *target)
{
	return !target->current && !target->first;
}

/* ---- Life ---- */

/* The job that a delivery is made of. */
static int event_target_make_job(
    struct event_target *target, const struct config_listener *listener, struct schedd_error *err)
{
	struct schedd_job *job = job_new();
	struct arena arena;
	struct strbuf json = STRBUF_EMPTY;
	struct value text;
	const char *field = listener->run ? "shell" : listener->call ? "call" : "http";
	int rc;

	if (!job)
		return schedd_error_nomem(err);
	arena_init(&arena);
	text = value_string_ref(listener->run    ? listener->run
				: listener->call ? listener->call
						 : listener->http);
	json_write(&json, &text);
	rc = schedd_job_set(job, field, strbuf_peek(&json), err);
	if (!rc) {
		job->id = strdup("listener");
		rc = job->id ? executor_accepts(target->executor, job, err)
			     : schedd_error_nomem(err);
	}
	strbuf_clear(&json);
	arena_clear(&arena);
	if (rc) {
		job_unref(job);
		return rc;
	}
	target->job = job;
	return 0;
}

int event_target_new(const struct event_target_owner *owner, const struct config_listener *listener,
    struct executor *executor, struct event_target **out, struct schedd_error *err)
{
	struct event_target *target = calloc(1, sizeof(*target));
	int rc;

	if (!target)
		return schedd_error_nomem(err);
	target->owner = *owner;
	target->executor = executor;
	target->timeout = listener->timeout;
	target->limit = listener->queue;
	target->last = &target->first;
	arena_init(&target->arena);
	target->name = arena_strdup(&target->arena, listener->name);
	rc = event_filter_init(
	    &target->filter, listener->events, listener->jobs, listener->tags, &target->arena, err);
	if (!rc)
		rc = event_target_make_job(target, listener, err);
	if (!rc) {
		target->alarm = alarm_new_mono(owner->loop, event_target_on_alarm, target, err);
		rc = target->alarm ? 0 : SCHEDD_EFAILED;
	}
	if (rc) {
		event_target_free(target);
		return rc;
	}
	*out = target;
	return 0;
}

void event_target_free(struct event_target *target)
{
	if (!target)
		return;
	alarm_free(target->alarm);
	job_unref(target->job);
	arena_clear(&target->arena);
	free(target);
}

const struct event_filter *event_target_filter(const struct event_target *target)
{
	return &target->filter;
}

static struct value event_target_events(const struct event_target *target, struct arena *arena)
{
	struct value list = value_array();

	if (target->filter.mask == SCHEDD_EVENT_ALL)
		return value_nil();
	for (unsigned bit = 0; bit < 31; bit++) {
		if (target->filter.mask & 1u << bit)
			value_append(arena, &list,
			    value_string_ref(
				scheduler_event_name((enum schedd_event_code)(1u << bit))));
	}
	return list;
}

struct value event_target_status(const struct event_target *target, struct arena *arena)
{
	struct value map = value_map();

	value_put(arena, &map, "name", value_string(arena, target->name));
	value_put(arena, &map, "events", event_target_events(target, arena));
	value_put(arena, &map, "queued", value_int(target->queued));
	value_put(arena, &map, "delivered", value_int((int64_t)target->delivered));
	value_put(arena, &map, "dropped", value_int((int64_t)target->dropped));
	value_put(arena, &map, "failed", value_int((int64_t)target->failed));
	value_put(arena, &map, "last_error",
	    value_string(arena, target->last_error[0] ? target->last_error : NULL));
	return map;
}
