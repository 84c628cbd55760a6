/* SPDX-License-Identifier: MIT */
/* The ways to run: blocking, in a thread, or driven by the caller's loop. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include "core/top/scheduler_call.h"

struct scheduler_thread {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_mutex_t own; /* of calls behind the end, which are made one at a time; recursive */
	uint32_t posted;     /* calls that are not finished */
	bool started;        /* start was tried; rc and err say how it went */
	bool ended;          /* the loop is left: calls are made by whoever makes them */
	int rc;
	struct schedd_error err;
};

/* ---- Calls ---- */

static void scheduler_call_open(struct mailbox_letter *letter)
{
	struct scheduler_call *call = (struct scheduler_call *)(void *)letter;
	struct scheduler_thread *thread = call->scheduler->top.thread;

	call->run(call);
	pthread_mutex_lock(&thread->lock);
	call->finished = true;
	thread->posted--;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
}

/* True: another thread drives the scheduler, and it will get the call. */
static bool scheduler_call_post(struct scheduler_call *call)
{
	struct scheduler_thread *thread = call->scheduler->top.thread;
	bool posted;

	if (!thread || pthread_equal(pthread_self(), thread->thread))
		return false;
	pthread_mutex_lock(&thread->lock);
	posted = !thread->ended;
	if (posted) {
		thread->posted++;
		call->letter.open = scheduler_call_open;
		mailbox_post(call->scheduler->mailbox, &call->letter);
		while (!call->finished)
			pthread_cond_wait(&thread->changed, &thread->lock);
	}
	pthread_mutex_unlock(&thread->lock);
	return posted;
}

bool scheduler_has_thread(const struct schedd_scheduler *scheduler)
{
	const struct scheduler_thread *thread = scheduler->top.thread;

	return thread && !pthread_equal(pthread_self(), thread->thread);
}

void scheduler_call(struct scheduler_call *call)
{
	struct scheduler_thread *thread = call->scheduler->top.thread;
	bool alone = !thread || pthread_equal(pthread_self(), thread->thread);

	if (scheduler_call_post(call))
		return;
	/* Nobody drives it any more: several threads may come here at a time. */
	if (!alone)
		pthread_mutex_lock(&thread->own);
	call->run(call);
	if (!alone)
		pthread_mutex_unlock(&thread->own);
}

/* ---- Running ---- */

/* Turns the loop until the scheduler has stopped. */
static int scheduler_turn(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	if (!scheduler->loop_owned)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the scheduler has a loop of the host's: start it and run that loop");
	while (scheduler->phase != SCHEDULER_STOPPED)
		if (schedd_loop_dispatch(scheduler->loop, -1) < 0)
			return schedd_error_set(err, SCHEDD_EFAILED, "the loop cannot wait");
	return 0;
}

int schedd_scheduler_run(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	int rc = schedd_scheduler_start(scheduler, err);

	return rc ? rc : scheduler_turn(scheduler, err);
}

/* The loop is left: calls that were posted before that are made here, those behind it elsewhere. */
static void scheduler_thread_leave(struct schedd_scheduler *scheduler)
{
	struct scheduler_thread *thread = scheduler->top.thread;

	pthread_mutex_lock(&thread->lock);
	while (thread->posted) {
		pthread_mutex_unlock(&thread->lock);
		mailbox_deliver(scheduler->mailbox);
		pthread_mutex_lock(&thread->lock);
	}
	thread->ended = true;
	pthread_mutex_unlock(&thread->lock);
}

static void *scheduler_thread_main(void *context)
{
	struct schedd_scheduler *scheduler = context;
	struct scheduler_thread *thread = scheduler->top.thread;
	struct schedd_error err = {0};
	int rc;

	/* Its id is known when the one who made it lets go of the lock. */
	pthread_mutex_lock(&thread->lock);
	pthread_mutex_unlock(&thread->lock);
	rc = schedd_scheduler_start(scheduler, &err);
	pthread_mutex_lock(&thread->lock);
	thread->started = true;
	thread->rc = rc;
	thread->err = err;
	pthread_cond_broadcast(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
	if (!rc)
		scheduler_turn(scheduler, &err);
	scheduler_thread_leave(scheduler);
	return NULL;
}

static void scheduler_thread_init(struct scheduler_thread *thread)
{
	pthread_mutexattr_t recursive;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&thread->own, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->changed, NULL);
}

static void scheduler_thread_free(struct scheduler_thread *thread)
{
	pthread_cond_destroy(&thread->changed);
	pthread_mutex_destroy(&thread->lock);
	pthread_mutex_destroy(&thread->own);
	free(thread);
}

int schedd_scheduler_start_thread(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct scheduler_thread *thread;
	int rc;

	if (scheduler->top.thread)
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "the scheduler runs in a thread already");
	if (!scheduler->loop_owned)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "the scheduler has a loop of the host's: start it and run that loop");
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return schedd_error_nomem(err);
	scheduler_thread_init(thread);
	scheduler->top.thread = thread;
	/* Held until its id is known, so that it can tell itself from others. */
	pthread_mutex_lock(&thread->lock);
	rc = pthread_create(&thread->thread, NULL, scheduler_thread_main, scheduler);
	while (!rc && !thread->started)
		pthread_cond_wait(&thread->changed, &thread->lock);
	pthread_mutex_unlock(&thread->lock);
	if (rc) {
		scheduler_thread_free(thread);
		scheduler->top.thread = NULL;
		return schedd_error_set(err, SCHEDD_EFAILED, "no thread can be made");
	}
	if (!thread->rc)
		return 0;
	if (err)
		*err = thread->err;
	rc = thread->rc;
	scheduler_thread_end(scheduler);
	return rc;
}

/* Waits for the thread to end, which must have been told to. */
static void scheduler_thread_join(struct schedd_scheduler *scheduler)
{
	struct scheduler_thread *thread = scheduler->top.thread;

	if (!thread || pthread_equal(pthread_self(), thread->thread))
		return;
	pthread_join(thread->thread, NULL);
	scheduler_thread_free(thread);
	scheduler->top.thread = NULL;
}

/* ---- Stopping ---- */

struct scheduler_stop {
	struct scheduler_call call;
	schedd_span limit;
};

static void scheduler_stop_ask(struct scheduler_call *call)
{
	struct scheduler_stop *stop = (struct scheduler_stop *)(void *)call;

	scheduler_drain(call->scheduler, stop->limit, SCHEDULER_DRAIN_WAIT, (struct scheduler_reply){NULL, NULL});
}

void schedd_scheduler_stop(struct schedd_scheduler *scheduler, schedd_span limit)
{
	struct scheduler_stop stop = {.limit = limit};
	bool own = scheduler->top.thread && !pthread_equal(pthread_self(), scheduler->top.thread->thread);

	stop.call.scheduler = scheduler;
	stop.call.run = scheduler_stop_ask;
	scheduler_call(&stop.call);
	if (own) {
		scheduler_thread_join(scheduler);
		return;
	}
	/* Inside a callback it only asks; the loop that called us goes on. */
	if (scheduler->depth || scheduler->top.thread)
		return;
	while (scheduler->loop_owned && scheduler->phase == SCHEDULER_DRAINING)
		if (schedd_loop_dispatch(scheduler->loop, -1) < 0)
			return;
	while (!scheduler->loop_owned && scheduler->phase == SCHEDULER_DRAINING)
		if (mailbox_wait(scheduler->mailbox) < 0)
			return;
}

void scheduler_thread_end(struct schedd_scheduler *scheduler)
{
	if (!scheduler->top.thread)
		return;
	if (scheduler->phase == SCHEDULER_RUNNING || scheduler->phase == SCHEDULER_DRAINING)
		schedd_scheduler_stop(scheduler, 0);
	else
		scheduler_thread_join(scheduler);
}

/* ---- A loop of the host's own ---- */

int schedd_scheduler_fd(struct schedd_scheduler *scheduler)
{
	return scheduler->loop_owned ? schedd_loop_fd(scheduler->loop) : -1;
}

schedd_time schedd_scheduler_next_wake(const struct schedd_scheduler *scheduler)
{
	schedd_time wall, later;
	struct schedd_mono mono;

	scheduler_next_wake(scheduler, &wall, &mono);
	if (mono.us == INT64_MAX)
		return wall;
	later = scheduler_now(scheduler) + (mono.us - scheduler_mono(scheduler).us);
	return wall == SCHEDD_TIME_NONE || later < wall ? later : wall;
}

void schedd_scheduler_process(struct schedd_scheduler *scheduler)
{
	if (scheduler->loop_owned)
		schedd_loop_dispatch(scheduler->loop, 0);
	scheduler_tick(scheduler);
}
