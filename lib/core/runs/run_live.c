/* SPDX-License-Identifier: MIT */
/*
 * Runs from their claim to their end. The end comes once, through
 * run_live_end(), whatever brought it about.
 */
#include "core/runs/run_live.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "core/frame/store_slot.h"
#include "core/jobs/accounts.h"
#include "core/runs/run_live_state.h"
#include "core/runs/run_process.h"
#include "executor/adopted.h"
#include "store/store_share.h"

#define RUN_LIVE_SPARES 4096

/* What each stage is in the record. */
static const enum run_state run_live_states[] = {
    [RUN_LIVE_CLAIMING] = RUN_QUEUED,
    [RUN_LIVE_HELD] = RUN_QUEUED,
    [RUN_LIVE_WAIT_INSTANCE] = RUN_QUEUED,
    [RUN_LIVE_WAIT_GROUP] = RUN_QUEUED,
    [RUN_LIVE_WAIT_WORKER] = RUN_QUEUED,
    [RUN_LIVE_MARKING] = RUN_QUEUED,
    [RUN_LIVE_STARTING] = RUN_RUNNING,
    [RUN_LIVE_RUNNING] = RUN_RUNNING,
    [RUN_LIVE_RETRYING] = RUN_RETRYING,
};

/* "JOB/N", without the cost of printf. */
static void run_live_name(struct run_live *live)
{
	char digits[12], *end = digits + sizeof(digits), *at = end;
	size_t length = strnlen(live->job->id, JOB_ID_MAX);
	uint32_t number = live->run.number;

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	memcpy(live->id, live->job->id, length);
	live->id[length] = '/';
	memcpy(live->id + length + 1, at, (size_t)(end - at));
	live->id[length + 1 + (size_t)(end - at)] = '\0';
	live->id_length = (uint16_t)length;
}

static void run_live_count_account(const struct run_live *live, int change)
{
	if (live->owner)
		live->owner->live += (uint32_t)change;
}

static void run_live_link(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct entry *entry = live->entry;
	struct run_live *first = entry->runs;

	live->next = scheduler->runs.live;
	if (live->next)
		live->next->prev = live;
	scheduler->runs.live = live;
	scheduler->runs.live_count++;
	run_live_count_account(live, 1);
	live->prev_of_job = first ? first->prev_of_job : live;
	if (first) {
		first->prev_of_job->next_of_job = live;
		first->prev_of_job = live;
	} else {
		entry->runs = live;
	}
	entry->live++;
}

void run_live_withdraw(struct run_live *live)
{
	struct arena arena;

	if (!live->task || live->stage >= RUN_LIVE_STARTING)
		return;
	arena_init(&arena);
	(void)executor_release(live->task, &arena);
	arena_clear(&arena);
	live->task = NULL;
}

void run_live_withdraw_all(struct schedd_scheduler *scheduler)
{
	for (struct run_live *live = scheduler->runs.live; live; live = live->next)
		run_live_withdraw(live);
}

void run_live_unlink(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct entry *entry = live->entry;

	run_live_withdraw(live);
	run_process_drop(live);
	if (live->prev)
		live->prev->next = live->next;
	else
		scheduler->runs.live = live->next;
	if (live->next)
		live->next->prev = live->prev;
	scheduler->runs.live_count--;
	run_live_count_account(live, -1);
	if (!entry)
		return; /* the job was removed, and the list of its runs with it */
	if (entry->runs == live)
		entry->runs = live->next_of_job;
	else
		live->prev_of_job->next_of_job = live->next_of_job;
	if (live->next_of_job)
		live->next_of_job->prev_of_job = live->prev_of_job;
	else if (entry->runs)
		entry->runs->prev_of_job = live->prev_of_job;
	entry->live--;
}

/* Copied in a few moves; no constant, for that would be cleared by a string instruction instead. */
static struct run_live run_live_nothing;

struct run_live *run_live_new(struct entry *entry, uint32_t number, enum run_trigger trigger)
{
	struct schedd_scheduler *scheduler = entry->store->scheduler;
	struct run_live *live = scheduler->runs.spare;

	if (live) {
		scheduler->runs.spare = live->next_claimed;
		scheduler->runs.spare_count--;
	} else {
		live = malloc(sizeof(*live));
		if (!live)
			return NULL;
	}
	memcpy(&live->scheduler, &run_live_nothing.scheduler,
	    offsetof(struct run_live, request) - offsetof(struct run_live, scheduler));
	live->invocation[0] = live->secrets[0] = '\0';
	run_init(&live->run);
	live->scheduler = scheduler;
	live->entry = entry;
	live->job = job_ref(entry->job);
	live->store = entry->store;
	live->executor = entry_executor(entry);
	live->owner = accounts_of_entry(entry);
	live->run.job = entry->job->id;
	live->run.number = number;
	live->run.trigger = trigger;
	live->run.attempt = 1;
	live->due_at = SCHEDD_TIME_NONE;
	live->marked = !live->store->durable;
	if (live->store->shared)
		live->run.node = strdup(store_node_name(live->store->store));
	heap_node_init(&live->queue);
	timer_init(&live->timer, NULL);
	run_live_name(live);
	run_live_link(live);
	return live;
}

int run_live_take(struct run_live *live, const struct run *row)
{
	char *node = live->run.node;
	int rc = run_copy(&live->run, row);

	free(live->run.job);
	free(live->run.node);
	live->run.job = live->job->id;
	live->run.node = node;
	return rc;
}

void run_live_free(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;

	live->run.job = NULL;
	run_drop(&live->run);
	if (live->stop_reason || live->extra_env.count || live->output) {
		free(live->stop_reason);
		job_pairs_clear(&live->extra_env);
		output_free(live->output);
	}
	job_unref(live->job);
	if (scheduler->runs.spare_count >= RUN_LIVE_SPARES) {
		free(live);
		return;
	}
	live->next_claimed = scheduler->runs.spare;
	scheduler->runs.spare = live;
	scheduler->runs.spare_count++;
}

void run_live_discard(struct run_live *live)
{
	run_live_unlink(live);
	run_live_free(live);
}

struct run_live *run_live_of_queue(struct heap_node *node)
{
	return (struct run_live *)(void *)((char *)node - offsetof(struct run_live, queue));
}

struct run_live *run_live_of_timer(struct timer *timer)
{
	return (struct run_live *)(void *)((char *)timer - offsetof(struct run_live, timer));
}

struct run_live *run_live_first(const struct schedd_scheduler *scheduler)
{
	return scheduler->runs.live;
}

uint32_t run_live_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->runs.live_count;
}

uint32_t run_live_attempts(const struct schedd_scheduler *scheduler)
{
	return scheduler->runs.running_count;
}

struct value run_live_let_go(struct run_live *live, struct arena *arena)
{
	struct value handle = executor_release(live->task, arena);

	live->task = NULL;
	live->scheduler->runs.running_count--;
	return handle;
}

void run_live_orphan(struct entry *entry)
{
	for (struct run_live *live = entry->runs, *next; live; live = next) {
		next = live->next_of_job;
		live->entry = NULL;
		live->next_of_job = live->prev_of_job = NULL;
	}
	entry->runs = NULL;
	entry->live = entry->holding = 0;
}

void run_live_release(struct run_live *live)
{
	adopted_free(live->adopted);
	live->adopted = NULL;
}

void run_live_enter(struct run_live *live, enum run_live_stage stage)
{
	live->stage = stage;
	if (live->held_by_dead || stage == RUN_LIVE_ENDED)
		return;
	live->run.state = run_live_states[stage];
	if (live->run.attempt > 1 && live->run.state == RUN_QUEUED)
		live->run.state = RUN_RETRYING;
}

void run_live_move(struct run_live *live, struct store_slot *store)
{
	if (live->stalled) {
		live->store->stalled--;
		store->stalled++;
	}
	live->store = store;
}

bool run_live_waits(const struct run_live *live)
{
	return (live->stage > RUN_LIVE_CLAIMING && live->stage < RUN_LIVE_STARTING) ||
	       live->stage == RUN_LIVE_RETRYING;
}

bool run_live_survives(const struct run_live *live)
{
	return live->entry && live->store->durable && run_live_waits(live);
}

void run_live_end(struct run_live *live, enum run_state state, const char *reason)
{
	live->scheduler->run_ended(live, state, reason);
}

void run_live_write(struct run_live *live)
{
	run_process_drop(live);
	store_slot_put_run(live->store, &live->run);
}

void run_live_event(
    struct run_live *live, enum schedd_event_code code, schedd_time when, const char *error)
{
	/* Most are of this kind, and three of each run. */
	if (!error && !live->owner &&
	    event_ring_keep_run(live->store, code, when, live->id, live->id_length, &live->run))
		return;
	event_ring_say_run(live->store, code, when, live->job->id, &live->run, error);
}

struct run_live *run_live_find(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number)
{
	const struct entry *entry = entry_get(scheduler, job);
	struct run_live *live = entry ? entry->runs : NULL;

	for (; live; live = live->next_of_job)
		if (live->stage != RUN_LIVE_CLAIMING && live->stage != RUN_LIVE_ENDED &&
		    (!number || live->run.number == number))
			return live;
	/* Runs of jobs that were removed meanwhile. */
	for (live = scheduler->runs.live; live; live = live->next)
		if (!live->entry && live->stage != RUN_LIVE_ENDED &&
		    (!number || live->run.number == number) && strcmp(live->job->id, job) == 0)
			return live;
	return NULL;
}

#define RUN_LIVE_LATE (SCHEDD_SECOND / 2)

/* "its next attempt in 25 s" */
static void run_live_next_attempt(const struct run_live *live, char *text, size_t size)
{
	const struct schedd_scheduler *scheduler = live->scheduler;
	struct schedd_mono when = timers_when(&scheduler->timers, &live->timer);
	schedd_span left = when.us - scheduler_mono(scheduler).us;
	struct strbuf span = STRBUF_EMPTY;

	/* Whole seconds, and never "0s" for what is still to come. */
	duration_format(&span, left <= 0 ? SCHEDD_SECOND
					 : (left + SCHEDD_SECOND - 1) / SCHEDD_SECOND * SCHEDD_SECOND);
	snprintf(text, size, "its next attempt in %s", strbuf_peek(&span));
	strbuf_clear(&span);
}

/* What holds it before the gates, or keeps it from passing any. */
static bool run_live_held_by(const struct run_live *live, char *text, size_t size)
{
	const struct schedd_scheduler *scheduler = live->scheduler;
	const char *why;

	if (live->frozen && accounts_hold(scheduler, live->job, &why))
		snprintf(text, size, "its account: held, %s", why);
	else if (live->held && live->entry)
		snprintf(text, size, "its job to be resumed (held: %s)",
		    entry_paused_by(live->entry));
	else if (live->stalled || live->stage == RUN_LIVE_MARKING)
		snprintf(text, size, "store %s to be written%s%s", live->store->name,
		    live->store->failing ? ": " : "",
		    live->store->failing ? live->store->last_error : "");
	else if (scheduler->paused)
		snprintf(text, size, "the scheduler to be resumed (held: %s)",
		    scheduler->paused_why ? scheduler->paused_why : "paused");
	else
		return false;
	return true;
}

/* It was handed over, and does not begin: that is no matter of a moment any more. */
static bool run_live_starts_late(const struct run_live *live, char *text, size_t size)
{
	const char *why;

	if (live->stage != RUN_LIVE_STARTING || !live->task ||
	    scheduler_now(live->scheduler) - live->run.attempt_started < RUN_LIVE_LATE)
		return false;
	why = executor_waits(live->task);
	snprintf(text, size, "executor %s to begin it%s%s", live->executor->name, why ? ": " : "",
	    why ? why : "");
	return true;
}

const char *run_live_waits_for(const struct run_live *live, char *text, size_t size)
{
	if (run_live_starts_late(live, text, size))
		return text;
	if (!run_live_waits(live))
		return NULL;
	if (run_live_held_by(live, text, size))
		return text;
	if (live->stage == RUN_LIVE_RETRYING)
		run_live_next_attempt(live, text, size);
	else if (live->stage == RUN_LIVE_WAIT_INSTANCE)
		snprintf(text, size, "run %s to end (max_instances %u)",
		    live->entry && live->entry->runs != live ? live->entry->runs->id
							     : "of another schedd",
		    job_details(live->job)->max_instances);
	else if (live->account && !live->holds_account && accounts_held(live->account))
		snprintf(text, size, "its account: held, %s", accounts_held(live->account));
	else if (live->account && !live->holds_account)
		snprintf(text, size,
		    "a place of account %s (%u of %u runs, an administrator decides: users.limits.running)",
		    live->account->name, live->account->running, live->account->may.running);
	else if (live->stage == RUN_LIVE_WAIT_GROUP)
		snprintf(text, size, "a place in group %s (%u of %u taken)", live->group->name,
		    live->group->running, live->group->parallel);
	else if (live->task && executor_waits(live->task))
		snprintf(text, size, "a worker of executor %s: %s", live->executor->name,
		    executor_waits(live->task));
	else
		snprintf(text, size, "a worker of executor %s (%u busy)",
		    live->executor ? live->executor->name : job_executor(live->job),
		    live->executor ? executor_busy(live->executor->executor) : 0);
	return text;
}

void run_live_free_all(struct schedd_scheduler *scheduler)
{
	while (scheduler->runs.live) {
		struct run_live *live = scheduler->runs.live;

		scheduler->runs.live = live->next;
		run_live_release(live);
		run_live_free(live);
	}
	while (scheduler->runs.spare) {
		struct run_live *live = scheduler->runs.spare;

		scheduler->runs.spare = live->next_claimed;
		free(live);
	}
	scheduler->runs.live_count = scheduler->runs.spare_count = 0;
	scheduler->runs.unwritten = NULL;
}

/* What an entry says of its runs. */
static bool run_live_check_entry(const struct entry *entry)
{
	uint32_t live = 0, holding = 0;

	for (const struct run_live *run = entry->runs; run; run = run->next_of_job) {
		const struct run_live *behind = run->next_of_job ? run->next_of_job : entry->runs;

		if (run->entry != entry || run->stage == RUN_LIVE_ENDED ||
		    behind->prev_of_job != run)
			return false;
		live++;
		holding += run->holds_instance;
	}
	return live == entry->live && holding == entry->holding;
}

bool run_live_check(const struct schedd_scheduler *scheduler)
{
	uint32_t count = 0, position = 0;
	const struct entry *entry;

	while ((entry = entry_walk(scheduler, &position)))
		if (!run_live_check_entry(entry))
			return false;
	for (const struct run_live *live = scheduler->runs.live; live; live = live->next) {
		/* One that waits at its executor stands in that one's queue. */
		bool waits = live->stage == RUN_LIVE_WAIT_GROUP ||
			     (live->stage == RUN_LIVE_WAIT_WORKER && !live->task);

		count++;
		if (live->stage == RUN_LIVE_ENDED || heap_queued(&live->queue) != waits)
			return false;
		if (live->next && live->next->prev != live)
			return false;
		if (live->holds_group && !live->group)
			return false;
	}
	return count == scheduler->runs.live_count;
}

bool scheduler_run_started(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    schedd_time *started)
{
	const struct entry *entry = job ? entry_get(scheduler, job) : NULL;

	for (const struct run_live *live = entry ? entry->runs : NULL; live; live = live->next_of_job)
		if (live->run.number == number && live->run.started_at != SCHEDD_TIME_NONE) {
			*started = live->run.started_at;
			return true;
		}
	return false;
}
