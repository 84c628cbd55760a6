/* SPDX-License-Identifier: MIT */
/*
 * A list of waiters; there are few at a time, and a run's end walks it once. What tells of an end is held
 * until that is on disk: a machine that fails now would not know of it. A store that fails, or does not
 * answer for some seconds, holds nobody any longer; the answer says so.
 */
#include "core/ask/scheduler_wait.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/store_await.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_slot.h"
#include "core/runs/run_live.h"
#include "model/job_fields.h"

struct scheduler_wait {
	struct schedd_scheduler *scheduler;
	struct scheduler_wait *next;
	char *job;
	uint32_t number; /* 0: until the job is idle */
	bool asking;     /* the store was asked for a run that has ended */
	bool cancelled;  /* while asking: freed when the store answers */
	bool held;       /* the end has come, and is on its way to the disk */
	int asked;       /* how often */
	struct store_await await; /* for that, or before the store is asked once more */
	struct arena arena;       /* of the answer */
	struct value value;       /* the answer, while it is held; nil: the job is idle */
	struct scheduler_reply reply;
};

static void scheduler_wait_drop(struct scheduler_wait *wait)
{
	struct scheduler_wait **at = &wait->scheduler->ask.waits;

	while (*at && *at != wait)
		at = &(*at)->next;
	if (*at)
		*at = wait->next;
	store_await_cancel(&wait->await);
	arena_clear(&wait->arena);
	free(wait->job);
	free(wait);
}

static struct scheduler_wait *scheduler_wait_new(struct schedd_scheduler *scheduler,
    const char *job, uint32_t number, struct scheduler_reply reply)
{
	struct scheduler_wait *wait = calloc(1, sizeof(*wait));
	struct schedd_error err;

	if (wait)
		wait->job = strdup(job);
	if (!wait || !wait->job) {
		free(wait);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return NULL;
	}
	arena_init(&wait->arena);
	wait->value = value_nil();
	wait->scheduler = scheduler;
	wait->number = number;
	wait->reply = reply;
	wait->next = scheduler->ask.waits;
	scheduler->ask.waits = wait;
	return wait;
}

static void scheduler_wait_fail(struct scheduler_wait *wait, int rc, const struct schedd_error *err)
{
	struct scheduler_reply reply = wait->reply;

	scheduler_wait_drop(wait);
	scheduler_answer(reply, rc, err, NULL);
}

static void scheduler_wait_answer(struct scheduler_wait *wait, bool stored)
{
	struct scheduler_reply reply = wait->reply;
	struct value value = wait->value;
	struct arena arena = wait->arena;

	if (value.type == VALUE_MAP && !stored)
		value_put(&arena, &value, "stored", value_bool(false));
	arena_init(&wait->arena);
	scheduler_wait_drop(wait);
	scheduler_answer_built(reply, &value, &arena);
	arena_clear(&arena);
}

static void scheduler_wait_on_disk(struct store_await *await, bool stored)
{
	scheduler_wait_answer((struct scheduler_wait *)(void *)((char *)await -
				  offsetof(struct scheduler_wait, await)),
	    stored);
}

static void scheduler_wait_take(struct scheduler_wait *wait, const struct run *run)
{
	wait->value = run_to_value(run, &wait->arena);
	if (run->job)
		value_put(&wait->arena, &wait->value, "account", job_id_account_value(run->job, &wait->arena));
}

/* It has come: the answer, when the store has it. */
static void scheduler_wait_hold(struct scheduler_wait *wait, struct store_slot *store, const struct run *run)
{
	wait->held = true;
	if (run)
		scheduler_wait_take(wait, run);
	store_slot_await(store, &wait->await, scheduler_wait_on_disk);
}

/* A waiter for this event; callbacks may change the list, so it is searched anew each time. */
static struct scheduler_wait *scheduler_wait_for(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	struct scheduler_wait *wait = scheduler->ask.waits;

	for (; wait; wait = wait->next)
		if (!wait->asking && !wait->held && wait->number == number && strcmp(wait->job, job) == 0)
			return wait;
	return NULL;
}

void scheduler_wait_told(struct schedd_scheduler *scheduler, struct store_slot *store,
    const char *job, const struct run *run)
{
	struct scheduler_wait *wait;

	while ((wait = scheduler_wait_for(scheduler, job, run->number)))
		scheduler_wait_hold(wait, store, run);
}

void scheduler_wait_idle_told(
    struct schedd_scheduler *scheduler, struct store_slot *store, const char *job)
{
	struct scheduler_wait *wait;

	while ((wait = scheduler_wait_for(scheduler, job, 0)))
		scheduler_wait_hold(wait, store, NULL);
}

void scheduler_wait_end(struct schedd_scheduler *scheduler)
{
	struct scheduler_wait *wait = scheduler->ask.waits;
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED, "the scheduler stops");
	while (wait) {
		if (wait->asking) {
			/* The store still answers: then it goes. */
			if (!wait->cancelled)
				scheduler_answer(wait->reply, SCHEDD_EFAILED, &err, NULL);
			wait->cancelled = true;
			wait = wait->next;
			continue;
		}
		if (wait->held)
			scheduler_wait_answer(wait, false);
		else
			scheduler_wait_fail(wait, SCHEDD_EFAILED, &err);
		wait = scheduler->ask.waits;
	}
}

void scheduler_wait_free(struct schedd_scheduler *scheduler)
{
	while (scheduler->ask.waits)
		scheduler_wait_drop(scheduler->ask.waits);
}

#define SCHEDULER_WAIT_ASKS 3

static void scheduler_wait_ask(struct scheduler_wait *wait);

/*
 * Does its end still come? A store may show a run whose claim it is just committing,
 * before the scheduler hears of that. (Where the commit fails the run is claimed again.)
 */
static bool scheduler_wait_is_live(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	const struct entry *entry = entry_get(scheduler, job);

	for (const struct run_live *live = entry ? entry->runs : NULL; live;
	     live = run_live_next_of_job(live))
		if (run_live_stage(live) == RUN_LIVE_CLAIMING && run_live_run(live)->number == number)
			return true;
	return run_live_find(scheduler, job, number) != NULL;
}

/* Which store has the history of a job that may be gone. */
static struct store_slot *scheduler_wait_store(struct schedd_scheduler *scheduler, const char *job)
{
	const struct entry *entry = entry_get(scheduler, job);

	return entry ? entry->store : store_slot_find(scheduler, "default");
}

static void scheduler_wait_ask_again(struct store_await *await, bool stored)
{
	struct scheduler_wait *wait = (struct scheduler_wait *)(void *)((char *)await -
				offsetof(struct scheduler_wait, await));

	(void)stored;
	if (wait->cancelled)
		scheduler_wait_drop(wait);
	else
		scheduler_wait_ask(wait);
}

/* The store knows of no end yet. */
static void scheduler_wait_look_on(struct scheduler_wait *wait)
{
	struct store_slot *store = scheduler_wait_store(wait->scheduler, wait->job);
	const struct run *refused;
	struct schedd_error err;

	if (scheduler_wait_is_live(wait->scheduler, wait->job, wait->number)) {
		wait->asking = false;
	} else if (store && (refused = store_slot_refused(store, wait->job, wait->number))) {
		scheduler_wait_take(wait, refused);
		scheduler_wait_answer(wait, false);
	} else if (store && wait->asked < SCHEDULER_WAIT_ASKS) {
		store_slot_await(store, &wait->await, scheduler_wait_ask_again);
	} else {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "run %s/%u: how it ended is not stored yet", wait->job, wait->number);
		scheduler_wait_fail(wait, SCHEDD_EFAILED, &err);
	}
}

static void scheduler_wait_found(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct scheduler_wait *wait = context;
	struct schedd_error missing;

	(void)cursor;
	if (wait->cancelled) {
		scheduler_wait_drop(wait);
	} else if (rc) {
		scheduler_wait_fail(wait, rc, err);
	} else if (count == 0) {
		schedd_error_set(
		    &missing, SCHEDD_ENOTFOUND, "run %s/%u: no such run", wait->job, wait->number);
		scheduler_wait_fail(wait, SCHEDD_ENOTFOUND, &missing);
	} else if (run_ended(runs[0].state)) {
		scheduler_wait_take(wait, &runs[0]);
		scheduler_wait_answer(wait, true);
	} else {
		scheduler_wait_look_on(wait);
	}
}

static void scheduler_wait_ask(struct scheduler_wait *wait)
{
	const char *jobs[] = {wait->job, NULL};
	struct store_run_query query = {.jobs = jobs,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .number = wait->number,
	    .limit = 1};
	struct schedd_scheduler *scheduler = wait->scheduler;
	struct store_slot *store = scheduler_wait_store(scheduler, wait->job);

	wait->asking = true;
	wait->asked++;
	scheduler_enter(scheduler);
	store_slot_flush_all(scheduler); /* it may have ended meanwhile */
	if (store)
		store_origin_ask(store, &query, scheduler_wait_found, wait);
	else
		scheduler_wait_found(0, NULL, NULL, 0, NULL, wait);
	scheduler_leave(scheduler);
}

/* NULL: it was answered inside what was called, and is gone. */
static struct scheduler_wait *scheduler_wait_left(
    const struct schedd_scheduler *scheduler, const struct scheduler_wait *wait)
{
	struct scheduler_wait *at = scheduler->ask.waits;

	while (at && at != wait)
		at = at->next;
	return at;
}

struct scheduler_wait *scheduler_wait_run(struct schedd_scheduler *scheduler, const char *job,
    uint32_t number, struct scheduler_reply reply)
{
	struct scheduler_wait *wait = scheduler_wait_new(scheduler, job, number, reply);

	if (!wait || scheduler_wait_is_live(scheduler, job, number))
		return wait;
	scheduler_wait_ask(wait);
	return scheduler_wait_left(scheduler, wait);
}

struct scheduler_wait *scheduler_wait_idle(
    struct schedd_scheduler *scheduler, const char *job, struct scheduler_reply reply)
{
	const struct entry *entry = entry_get(scheduler, job);
	struct value nil = value_nil();
	struct scheduler_wait *wait;

	if (!entry || (!entry->live && !store_slot_pending(entry->store))) {
		scheduler_answer(reply, 0, NULL, &nil);
		return NULL;
	}
	wait = scheduler_wait_new(scheduler, job, 0, reply);
	if (!wait || entry->live)
		return wait;
	scheduler_enter(scheduler);
	scheduler_wait_hold(wait, entry->store, NULL);
	scheduler_leave(scheduler);
	return scheduler_wait_left(scheduler, wait);
}

void scheduler_wait_cancel(struct scheduler_wait *wait)
{
	if (!wait)
		return;
	if (wait->asking)
		wait->cancelled = true;
	else
		scheduler_wait_drop(wait);
}

bool scheduler_run_starting(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	const struct run_live *live = run_live_find(scheduler, job, number);

	return live && run_live_stage(live) == RUN_LIVE_STARTING;
}
