/* SPDX-License-Identifier: MIT */
/* A list of waiters; there are few at a time, and a run's end walks it once. */
#include "core/ask/scheduler_wait.h"

#include <stdlib.h>
#include <string.h>
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
	int asked;       /* how often */
	struct scheduler_reply reply;
};

static void scheduler_wait_drop(struct scheduler_wait *wait)
{
	struct scheduler_wait **at = &wait->scheduler->ask.waits;

	while (*at && *at != wait)
		at = &(*at)->next;
	if (*at)
		*at = wait->next;
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
	wait->scheduler = scheduler;
	wait->number = number;
	wait->reply = reply;
	wait->next = scheduler->ask.waits;
	scheduler->ask.waits = wait;
	return wait;
}

static void scheduler_wait_answer(
    struct scheduler_wait *wait, int rc, const struct schedd_error *err, const struct run *run)
{
	struct scheduler_reply reply = wait->reply;
	struct value value = value_nil();
	struct arena arena;

	arena_init(&arena);
	if (run)
		value = run_to_value(run, &arena);
	if (run && run->job)
		value_put(&arena, &value, "account", job_id_account_value(run->job, &arena));
	scheduler_wait_drop(wait);
	if (rc)
		scheduler_answer(reply, rc, err, NULL);
	else
		scheduler_answer_built(reply, &value, &arena);
	arena_clear(&arena);
}

/* A waiter for this event; callbacks may change the list, so it is searched anew each time. */
static struct scheduler_wait *scheduler_wait_for(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	struct scheduler_wait *wait = scheduler->ask.waits;

	for (; wait; wait = wait->next)
		if (!wait->asking && wait->number == number && strcmp(wait->job, job) == 0)
			return wait;
	return NULL;
}

void scheduler_wait_told(
    struct schedd_scheduler *scheduler, const char *job, const struct run *run)
{
	struct scheduler_wait *wait = scheduler_wait_for(scheduler, job, run->number);

	/* Who waited may count on it. */
	if (wait)
		store_slot_flush_all(scheduler);
	for (; wait; wait = scheduler_wait_for(scheduler, job, run->number))
		scheduler_wait_answer(wait, 0, NULL, run);
}

void scheduler_wait_idle_told(struct schedd_scheduler *scheduler, const char *job)
{
	struct scheduler_wait *wait;

	while ((wait = scheduler_wait_for(scheduler, job, 0)))
		scheduler_wait_answer(wait, 0, NULL, NULL);
}

void scheduler_wait_end(struct schedd_scheduler *scheduler)
{
	struct scheduler_wait *wait = scheduler->ask.waits;
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED, "the scheduler stops");
	while (wait) {
		if (wait->asking && !wait->cancelled) {
			/* The store still answers: then it goes. */
			wait->cancelled = true;
			scheduler_answer(wait->reply, SCHEDD_EFAILED, &err, NULL);
		} else if (!wait->asking) {
			scheduler_wait_answer(wait, SCHEDD_EFAILED, &err, NULL);
			wait = scheduler->ask.waits;
			continue;
		}
		wait = wait->next;
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

/* Is the run that the store showed one to wait for? It may also have ended since. */
static bool scheduler_wait_goes_on(struct scheduler_wait *wait, const struct run *run)
{
	if (run_ended(run->state))
		return false;
	if (scheduler_wait_is_live(wait->scheduler, wait->job, wait->number)) {
		wait->asking = false;
		return true;
	}
	if (wait->asked >= SCHEDULER_WAIT_ASKS)
		return false;
	scheduler_wait_ask(wait);
	return true;
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
		scheduler_wait_answer(wait, rc, err, NULL);
	} else if (count == 0) {
		schedd_error_set(
		    &missing, SCHEDD_ENOTFOUND, "run %s/%u: no such run", wait->job, wait->number);
		scheduler_wait_answer(wait, SCHEDD_ENOTFOUND, &missing, NULL);
	} else if (!scheduler_wait_goes_on(wait, &runs[0])) {
		if (run_ended(runs[0].state)) {
			scheduler_wait_answer(wait, 0, NULL, &runs[0]);
			return;
		}
		/* The store could not take it yet: there is nothing to tell. */
		schedd_error_set(&missing, SCHEDD_EFAILED,
		    "run %s/%u: how it ended is not stored yet", wait->job, wait->number);
		scheduler_wait_answer(wait, SCHEDD_EFAILED, &missing, NULL);
	}
}

/* Which store has the history of a job that may be gone. */
static struct store_slot *scheduler_wait_store(struct schedd_scheduler *scheduler, const char *job)
{
	const struct entry *entry = entry_get(scheduler, job);

	return entry ? entry->store : store_slot_find(scheduler, "default");
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

struct scheduler_wait *scheduler_wait_run(struct schedd_scheduler *scheduler, const char *job,
    uint32_t number, struct scheduler_reply reply)
{
	struct scheduler_wait *wait = scheduler_wait_new(scheduler, job, number, reply);

	if (!wait || scheduler_wait_is_live(scheduler, job, number))
		return wait;
	scheduler_wait_ask(wait);
	/* Answered inside already? Then it is gone. */
	for (const struct scheduler_wait *at = scheduler->ask.waits; at; at = at->next)
		if (at == wait)
			return wait;
	return NULL;
}

struct scheduler_wait *scheduler_wait_idle(
    struct schedd_scheduler *scheduler, const char *job, struct scheduler_reply reply)
{
	const struct entry *entry = entry_get(scheduler, job);
	struct value nil = value_nil();

	if (entry && entry->live)
		return scheduler_wait_new(scheduler, job, 0, reply);
	scheduler_answer(reply, 0, NULL, &nil);
	return NULL;
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
