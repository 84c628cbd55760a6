/* SPDX-License-Identifier: MIT */
/*
 * Runs from their claim to their end. The end comes once, through
 * run_live_end(), whatever brought it about.
 */
#include "core/runs/run_live.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/ask/scheduler_wait.h"
#include "core/changes/follow.h"
#include "core/changes/job_change.h"
#include "core/frame/history.h"
#include "core/keep/notify.h"
#include "core/runs/admission.h"
#include "core/top/restart.h"

#define RUN_LIVE_SPARES 4096

/* What each stage is in the record. */
static const enum run_state run_live_states[] = {
    [RUN_LIVE_CLAIMING] = RUN_QUEUED,
    [RUN_LIVE_WAIT_INSTANCE] = RUN_QUEUED,
    [RUN_LIVE_WAIT_GROUP] = RUN_QUEUED,
    [RUN_LIVE_WAIT_WORKER] = RUN_QUEUED,
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
}

static void run_live_link(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct entry *entry = live->entry;
	struct run_live *first = entry->runs;

	live->next = scheduler->live;
	if (live->next)
		live->next->prev = live;
	scheduler->live = live;
	scheduler->live_count++;
	live->prev_of_job = first ? first->prev_of_job : live;
	if (first) {
		first->prev_of_job->next_of_job = live;
		first->prev_of_job = live;
	} else {
		entry->runs = live;
	}
	entry->live++;
}

static void run_live_unlink(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct entry *entry = live->entry;

	if (live->prev)
		live->prev->next = live->next;
	else
		scheduler->live = live->next;
	if (live->next)
		live->next->prev = live->prev;
	scheduler->live_count--;
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

struct run_live *run_live_new(struct entry *entry, uint32_t number, enum run_trigger trigger)
{
	struct schedd_scheduler *scheduler = entry->store->scheduler;
	struct run_live *live = scheduler->spare;

	if (live) {
		scheduler->spare = live->next_claimed;
		scheduler->spare_count--;
	} else {
		live = malloc(sizeof(*live));
		if (!live)
			return NULL;
	}
	memset(live, 0, offsetof(struct run_live, id));
	run_init(&live->run);
	live->scheduler = scheduler;
	live->entry = entry;
	live->job = job_ref(entry->job);
	live->store = entry->store;
	live->executor = entry_executor(entry);
	live->run.job = entry->job->id;
	live->run.number = number;
	live->run.trigger = trigger;
	live->run.attempt = 1;
	live->due_at = SCHEDD_TIME_NONE;
	heap_node_init(&live->queue);
	timer_init(&live->timer, NULL);
	run_live_name(live);
	run_live_link(live);
	return live;
}

static void run_live_recycle(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;

	live->run.job = NULL;
	run_clear(&live->run);
	free(live->stop_reason);
	for (uint32_t i = 0; i < live->extra_env.count; i++) {
		free(live->extra_env.items[i].name);
		free(live->extra_env.items[i].text);
	}
	free(live->extra_env.items);
	output_free(live->output);
	job_unref(live->job);
	if (scheduler->spare_count >= RUN_LIVE_SPARES) {
		free(live);
		return;
	}
	live->next_claimed = scheduler->spare;
	scheduler->spare = live;
	scheduler->spare_count++;
}

void run_live_discard(struct run_live *live)
{
	run_live_unlink(live);
	run_live_recycle(live);
}

void run_live_enter(struct run_live *live, enum run_live_stage stage)
{
	live->stage = stage;
	if (!live->held_by_dead && stage != RUN_LIVE_ENDED)
		live->run.state = run_live_states[stage];
}

void run_live_write(struct run_live *live)
{
	history_put(live->store, &live->run);
}

void run_live_event(
    struct run_live *live, enum schedd_event_code code, schedd_time when, const char *error)
{
	struct run *run = &live->run;
	struct schedd_event event = {.code = code,
	    .time = when,
	    .job = live->job->id,
	    .store = live->store->name,
	    .run = run->number,
	    .scheduled_at = run->scheduled_at,
	    .exit_code = run->exit_code,
	    .signal = run->signal,
	    .error = error,
	    .uid = -1,
	    .pid = -1};

	event_ring_emit(live->scheduler, &event);
}

/* The events of an end, in order; 0: none. */
static const struct {
	enum schedd_event_code first, second;
} run_live_end_events[] = {
    [RUN_SUCCESS] = {SCHEDD_EVENT_JOB_EXECUTED, 0},
    [RUN_FAILED] = {SCHEDD_EVENT_JOB_ERROR, 0},
    [RUN_TIMEOUT] = {SCHEDD_EVENT_RUN_KILLED, SCHEDD_EVENT_JOB_ERROR},
    [RUN_KILLED] = {SCHEDD_EVENT_RUN_KILLED, SCHEDD_EVENT_JOB_ERROR},
    [RUN_CANCELLED] = {SCHEDD_EVENT_RUN_KILLED, 0},
    [RUN_MISSED] = {SCHEDD_EVENT_JOB_MISSED, 0},
    [RUN_SKIPPED] = {SCHEDD_EVENT_JOB_MAX_INSTANCES, 0},
    [RUN_LOST] = {0, 0},
};

static void run_live_record_end(struct run_live *live, enum run_state state, const char *reason)
{
	struct run *run = &live->run;

	run->state = state;
	run->ended_at = scheduler_now(live->scheduler);
	if (run->started_at != SCHEDD_TIME_NONE && run->ended_at < run->started_at)
		run->ended_at = run->started_at; /* the clock was put back meanwhile */
	if (reason) {
		free(run->reason);
		run->reason = strdup(reason);
	}
	if (live->output) {
		output_finish(live->output);
		if (output_error(live->output))
			log_warn(live->scheduler->log, "run %s: its output is not kept: %s",
			    live->id, output_error(live->output));
		run->output_bytes = output_written(live->output);
		run->output_dropped = output_dropped(live->output);
	}
	follow_note(live->scheduler, live->store, run);
	history_put(live->store, run);
	live->scheduler->counts.ended[state]++;
}

/* Tells everybody; any of them may change or remove the job meanwhile. */
static void run_live_tell(struct run_live *live)
{
	const struct run *run = &live->run;
	enum run_state state = run->state;

	if (run_live_end_events[state].first)
		run_live_event(live, run_live_end_events[state].first, run->ended_at, run->reason);
	if (run_live_end_events[state].second)
		run_live_event(live, run_live_end_events[state].second, run->ended_at, run->reason);
	notify_run(live);
	if (live->entry && !live->held_by_dead && state != RUN_CANCELLED)
		live->entry->last_state = (uint8_t)state;
	follow_run(live->scheduler, live->store, &live->run);
	scheduler_wait_told(live->scheduler, live->job->id, &live->run);
}

void run_live_end(struct run_live *live, enum run_state state, const char *reason)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct entry *entry;

	timers_unset(&scheduler->timers, &live->timer);
	/* Out of its queue first: the stage says which one. */
	admission_leave_worker(live);
	run_live_enter(live, RUN_LIVE_ENDED);
	run_live_record_end(live, state, reason);
	run_live_tell(live);
	entry = live->entry;
	run_live_unlink(live);
	admission_leave(live);
	if (entry) {
		history_ended(scheduler, entry);
		if (!entry->live)
			scheduler_wait_idle_told(scheduler, entry->job->id);
	}
	run_live_recycle(live);
	if (entry && !entry->busy && entry_exhausted(entry))
		job_change_expire(scheduler, entry);
}

static void run_live_kill_now(struct timer *timer)
{
	struct run_live *live =
	    (struct run_live *)(void *)((char *)timer - offsetof(struct run_live, timer));
	struct schedd_error err;

	live->killing = true;
	if (live->task && executor_signal(live->task, SIGKILL, &err))
		log_warn(live->scheduler->log, "run %s: %s", live->id, err.message);
}

int run_live_kill_later(struct run_live *live, struct schedd_mono when)
{
	return timers_turn(&live->scheduler->timers, &live->timer, run_live_kill_now, when);
}

/* The polite signal now, SIGKILL when kill_after is over. */
static int run_live_signal(struct run_live *live, int signal, struct schedd_error *err)
{
	const struct job_details *details = job_details(live->job);
	struct schedd_scheduler *scheduler = live->scheduler;
	bool escalate = !signal;

	if (!signal)
		signal = details->kill_signal;
	if (!live->task)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "run %s is a C function that is being called: it cannot be stopped", live->id);
	if (executor_signal(live->task, signal, err))
		return SCHEDD_EFAILED;
	if (!escalate || signal == SIGKILL)
		return 0;
	if (run_live_kill_later(
		live, (struct schedd_mono){scheduler_mono(scheduler).us + details->kill_after}))
		return schedd_error_nomem(err);
	return 0;
}

static bool run_live_signal_ends(int signal)
{
	return !signal || signal == SIGTERM || signal == SIGKILL || signal == SIGINT ||
	       signal == SIGQUIT || signal == SIGABRT;
}

int run_live_stop(struct run_live *live, enum run_live_stop stop, int signal, const char *reason,
    struct schedd_error *err)
{
	switch (live->stage) {
	case RUN_LIVE_CLAIMING:
	case RUN_LIVE_ENDED:
		return schedd_error_set(err, SCHEDD_ECONFLICT, "run %s is not going on", live->id);
	case RUN_LIVE_WAIT_INSTANCE:
	case RUN_LIVE_WAIT_GROUP:
	case RUN_LIVE_WAIT_WORKER:
		run_live_end(live, RUN_CANCELLED, reason);
		return 0;
	case RUN_LIVE_RETRYING:
		run_live_end(live, RUN_KILLED, reason);
		return 0;
	case RUN_LIVE_STARTING:
	case RUN_LIVE_RUNNING:
		break;
	}
	if (live->held_by_dead)
		return restart_signal(live, signal ? signal : SIGTERM, err);
	if (live->stop == RUN_LIVE_GOES_ON && run_live_signal_ends(signal)) {
		live->stop = stop;
		free(live->stop_reason);
		live->stop_reason = reason ? strdup(reason) : NULL;
	}
	return run_live_signal(live, signal, err);
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
	for (live = scheduler->live; live; live = live->next)
		if (!live->entry && live->stage != RUN_LIVE_ENDED &&
		    (!number || live->run.number == number) && strcmp(live->job->id, job) == 0)
			return live;
	return NULL;
}

const char *run_live_waits_for(const struct run_live *live, char *text, size_t size)
{
	const struct schedd_scheduler *scheduler = live->scheduler;

	if (live->stage >= RUN_LIVE_STARTING || live->stage == RUN_LIVE_CLAIMING)
		return NULL;
	if (live->stage == RUN_LIVE_WAIT_INSTANCE)
		snprintf(text, size, "run %s to end (max_instances %u)",
		    live->entry && live->entry->runs != live ? live->entry->runs->id
							     : "of another schedd",
		    job_details(live->job)->max_instances);
	else if (live->stage == RUN_LIVE_WAIT_GROUP)
		snprintf(text, size, "a place in group %s (%u of %u taken)", live->group->name,
		    live->group->running, live->group->parallel);
	else if (scheduler->paused)
		snprintf(text, size, "the scheduler to be resumed");
	else
		snprintf(text, size, "a worker of executor %s (%u busy)", live->executor->name,
		    executor_busy(live->executor->executor));
	return text;
}

void run_live_free_all(struct schedd_scheduler *scheduler)
{
	while (scheduler->live) {
		struct run_live *live = scheduler->live;

		scheduler->live = live->next;
		restart_release(live);
		run_live_recycle(live);
	}
	while (scheduler->spare) {
		struct run_live *live = scheduler->spare;

		scheduler->spare = live->next_claimed;
		free(live);
	}
	scheduler->live_count = scheduler->spare_count = 0;
}

bool run_live_check(const struct schedd_scheduler *scheduler)
{
	uint32_t count = 0;

	for (const struct run_live *live = scheduler->live; live; live = live->next) {
		bool waits =
		    live->stage == RUN_LIVE_WAIT_GROUP || live->stage == RUN_LIVE_WAIT_WORKER;

		count++;
		if (live->stage == RUN_LIVE_ENDED || heap_queued(&live->queue) != waits)
			return false;
		if (live->next && live->next->prev != live)
			return false;
		if (live->holds_group && !live->group)
			return false;
	}
	return count == scheduler->live_count;
}
