/* SPDX-License-Identifier: MIT */
/* Signals with their order: the polite one first, SIGKILL when kill_after is over. */
#include "core/runs/run_stop.h"
#include "core/runs/run_live_state.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "executor/adopted.h"

static void run_stop_kill_now(struct timer *timer)
{
	struct run_live *live = run_live_of_timer(timer);
	struct schedd_error err;

	live->killing = true;
	if (live->task && executor_signal(live->task, SIGKILL, &err))
		log_warn(live->scheduler->log, "run %s: %s", live->id, err.message);
}

int run_stop_kill_later(struct run_live *live, struct schedd_mono when)
{
	return timers_turn(&live->scheduler->timers, &live->timer, run_stop_kill_now, when);
}

/* The polite signal now, SIGKILL when kill_after is over. */
static int run_stop_signal(struct run_live *live, int signal, struct schedd_error *err)
{
	const struct job_details *details = job_details(live->job);
	struct schedd_scheduler *scheduler = live->scheduler;
	bool escalate = !signal;
	int rc;

	if (!signal)
		signal = details->kill_signal;
	if (!live->task)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "run %s is a C function that is being called: it cannot be stopped", live->id);
	rc = executor_signal(live->task, signal, err);
	if (rc)
		return rc;
	if (!escalate || signal == SIGKILL)
		return 0;
	if (run_stop_kill_later(
		live, (struct schedd_mono){scheduler_mono(scheduler).us + details->kill_after}))
		return schedd_error_nomem(err);
	return 0;
}

static bool run_stop_signal_ends(int signal)
{
	return !signal || signal == SIGTERM || signal == SIGKILL || signal == SIGINT ||
	       signal == SIGQUIT || signal == SIGABRT;
}

static void run_stop_mark(struct run_live *live, enum run_live_stop stop, const char *reason)
{
	live->stop = stop;
	free(live->stop_reason);
	live->stop_reason = reason ? strdup(reason) : NULL;
}

int run_stop(struct run_live *live, enum run_live_stop stop, int signal, const char *reason,
    struct schedd_error *err)
{
	bool marks;
	int rc;

	switch (live->stage) {
	case RUN_LIVE_CLAIMING:
	case RUN_LIVE_ENDED:
		return schedd_error_set(err, SCHEDD_ECONFLICT, "run %s is not going on", live->id);
	case RUN_LIVE_HELD:
	case RUN_LIVE_WAIT_INSTANCE:
	case RUN_LIVE_WAIT_GROUP:
	case RUN_LIVE_WAIT_WORKER:
	case RUN_LIVE_MARKING:
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
		return adopted_signal(live->adopted, signal ? signal : SIGTERM, err);
	marks = live->stop == RUN_LIVE_GOES_ON && run_stop_signal_ends(signal);
	if (marks)
		run_stop_mark(live, stop, reason);
	rc = run_stop_signal(live, signal, err);
	/* It has just ended, or cannot be stopped: that is not what it ends by, but its time may be over. */
	if (marks && (rc == SCHEDD_ECONFLICT || (rc == SCHEDD_EFAILED && stop != RUN_LIVE_TIMED_OUT)))
		run_stop_mark(live, RUN_LIVE_GOES_ON, NULL);
	return rc;
}

void run_stop_or_say(struct run_live *live, enum run_live_stop stop, const char *reason)
{
	const struct schedd_log *log = live->scheduler->log;
	struct schedd_error err;
	int rc = run_stop(live, stop, 0, reason, &err);

	/* What has just ended need not be. */
	if (rc && rc != SCHEDD_ECONFLICT)
		log_warn(log, "run cannot be ended: %s", err.message);
}

void run_stop_replace(struct entry *entry, const char *by)
{
	uint32_t room = job_details(entry->job)->max_instances - 1, staying = 0;
	struct run_live *live, *next;
	char reason[RUN_LIVE_ID_MAX + 16];

	snprintf(reason, sizeof(reason), "replaced by %s", by);
	for (live = entry->runs; live; live = live->next_of_job)
		if (live->stage != RUN_LIVE_CLAIMING && live->stop == RUN_LIVE_GOES_ON)
			staying++;
	for (live = entry->runs; live && staying > room; live = next) {
		next = live->next_of_job;
		if (live->stage == RUN_LIVE_CLAIMING || live->stop != RUN_LIVE_GOES_ON)
			continue;
		staying--;
		run_stop_or_say(live, RUN_LIVE_REPLACED, reason);
	}
}

uint32_t run_stop_waiting(struct entry *entry, const char *reason)
{
	struct run_live *live, *next;
	char text[256];
	uint32_t stay = 0;

	for (live = entry->runs; live; live = next) {
		next = live->next_of_job;
		if (live->stage == RUN_LIVE_ENDED || live->stage == RUN_LIVE_CLAIMING)
			continue;
		if (!run_live_waits(live)) {
			stay++;
			continue;
		}
		snprintf(text, sizeof(text), "%s before %s", reason,
		    live->run.attempt > 1 ? "the next attempt" : "it began");
		run_live_end(live, live->run.attempt > 1 ? RUN_FAILED : RUN_CANCELLED, text);
	}
	return stay;
}
