/* SPDX-License-Identifier: MIT */
/*
 * The one door for the end of a run, whatever brought it about: its row, its
 * event, those who are told, those who follow, those who wait.
 */
#include "core/top/outcome.h"

#include <stdlib.h>
#include <string.h>
#include "core/ask/scheduler_wait.h"
#include "core/changes/follow.h"
#include "core/frame/store_slot.h"
#include "core/keep/notify.h"
#include "core/keep/retention.h"
#include "core/runs/admission.h"
#include "core/runs/run_note.h"

/* The events of an end, in order; 0: none. */
static const struct {
	enum schedd_event_code first, second;
} outcome_events[] = {
    [RUN_SUCCESS] = {SCHEDD_EVENT_JOB_EXECUTED, 0},
    [RUN_FAILED] = {SCHEDD_EVENT_JOB_ERROR, 0},
    [RUN_TIMEOUT] = {SCHEDD_EVENT_RUN_KILLED, SCHEDD_EVENT_JOB_ERROR},
    [RUN_KILLED] = {SCHEDD_EVENT_RUN_KILLED, SCHEDD_EVENT_JOB_ERROR},
    [RUN_CANCELLED] = {SCHEDD_EVENT_RUN_KILLED, 0},
    [RUN_MISSED] = {SCHEDD_EVENT_JOB_MISSED, 0},
    [RUN_SKIPPED] = {SCHEDD_EVENT_JOB_MAX_INSTANCES, 0},
    [RUN_LOST] = {SCHEDD_EVENT_RUN_LOST, SCHEDD_EVENT_JOB_ERROR},
};

static void outcome_record(struct run_live *live, enum run_state state, const char *reason)
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
	if (!live->late)
		follow_note(live->scheduler, live->store, run);
	store_slot_put_run(live->store, run);
	if (live->output)
		store_slot_put_output(live->store, run, live->output);
	run_note_drop(live);
	live->scheduler->counts.ended[state]++;
	if (run->started_at != SCHEDD_TIME_NONE)
		histogram_add(
		    &live->scheduler->counts.durations, run->ended_at - run->started_at);
}

/* Tells everybody; any of them may change or remove the job meanwhile. */
static void outcome_tell(struct run_live *live)
{
	const struct run *run = &live->run;
	enum run_state state = run->state;
	/* One of the last life was told as lost at the start. */
	bool told = state == RUN_LOST && (live->held_by_dead || live->late);
	enum schedd_event_code first = told ? 0 : outcome_events[state].first;
	enum schedd_event_code second = told ? 0 : outcome_events[state].second;

	if (first)
		run_live_event(live, first, run->ended_at, run->reason);
	if (second)
		run_live_event(live, second, run->ended_at, run->reason);
	if (!live->late)
		notify_run(live);
	if (live->entry && !live->held_by_dead && !live->late && state != RUN_CANCELLED)
		live->entry->last_state = (uint8_t)state;
	if (!live->late)
		follow_run(live->scheduler, live->store, &live->run);
	scheduler_wait_told(live->scheduler, live->job->id, &live->run);
}

void outcome_run_ended(struct run_live *live, enum run_state state, const char *reason)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct entry *entry;

	timers_unset(&scheduler->timers, &live->timer);
	/* Out of its queue first: the stage says which one. */
	admission_leave_worker(live);
	run_live_enter(live, RUN_LIVE_ENDED);
	outcome_record(live, state, reason);
	outcome_tell(live);
	entry = live->entry;
	run_live_unlink(live);
	admission_leave(live);
	if (entry) {
		retention_note(scheduler, entry, live->run.output_bytes);
		if (!entry->live)
			scheduler_wait_idle_told(scheduler, entry->job->id);
	}
	run_live_free(live);
	if (entry)
		entry_note_exhausted(scheduler, entry);
}
