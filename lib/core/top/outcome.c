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
	const struct run *run = run_live_run(live);
	struct schedd_scheduler *scheduler = run_live_scheduler(live);
	struct store_slot *store = run_live_store(live);
	struct entry *entry = run_live_entry(live);

	run_live_close(live, state, reason);
	if (!run_live_is_late(live))
		follow_note(scheduler, store, run);
	if (entry && entry->store == store)
		entry->known = store_slot_put_known_run(store, run, entry->known);
	else
		store_slot_put_run(store, run);
	if (run_live_output(live))
		store_slot_put_output(store, run, run_live_output(live));
	run_note_drop(live);
	scheduler->counts.ended[state]++;
	if (run->started_at != SCHEDD_TIME_NONE)
		histogram_add(&scheduler->counts.durations, run->ended_at - run->started_at);
}

/* Tells everybody; any of them may change or remove the job meanwhile. */
static void outcome_tell(struct run_live *live)
{
	const struct run *run = run_live_run(live);
	struct schedd_scheduler *scheduler = run_live_scheduler(live);
	struct entry *entry;
	enum run_state state = run->state;
	bool late = run_live_is_late(live);
	/* One of the last life was told as lost at the start. */
	bool told = state == RUN_LOST && (run_live_is_left(live) || late);
	enum schedd_event_code first = told ? 0 : outcome_events[state].first;
	enum schedd_event_code second = told ? 0 : outcome_events[state].second;

	if (first)
		run_live_event(live, first, run->ended_at, run->reason);
	if (second)
		run_live_event(live, second, run->ended_at, run->reason);
	if (!late)
		notify_run(live);
	/* Who was told may have removed it. */
	entry = run_live_entry(live);
	if (entry && !run_live_is_left(live) && !late && state != RUN_CANCELLED)
		entry->last_state = (uint8_t)state;
	if (!late)
		follow_run(scheduler, run_live_store(live), run);
	scheduler_wait_told(scheduler, run_live_store(live), run_live_job(live)->id, run);
}

void outcome_run_ended(struct run_live *live, enum run_state state, const char *reason)
{
	struct schedd_scheduler *scheduler = run_live_scheduler(live);
	struct entry *entry;

	run_live_quiet(live);
	/* Out of its queue first: the stage says which one. */
	admission_leave_worker(live);
	run_live_enter(live, RUN_LIVE_ENDED);
	outcome_record(live, state, reason);
	outcome_tell(live);
	entry = run_live_entry(live);
	run_live_unlink(live);
	admission_leave(live);
	if (entry) {
		retention_note(scheduler, entry, run_live_run(live)->output_bytes);
		if (!entry->live)
			scheduler_wait_idle_told(scheduler, run_live_store(live), entry->job->id);
	}
	run_live_free(live);
	if (entry)
		entry_note_exhausted(scheduler, entry);
}
