/* SPDX-License-Identifier: MIT */
/*
 * A run that the last life did not begin is taken up again (see take_up.h); one
 * that it did not end is lost. While its process lives on (pid
 * and start time match) it stands in the job's list of runs, so that it counts
 * against max_instances and can be killed; when it ends, its row gets its end.
 */
#include "core/jobs/entry_raw.h"
#include "core/top/restart.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/follow.h"
#include "core/changes/job_adopt.h"
#include "core/changes/job_gone.h"
#include "core/changes/job_switch.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_slot.h"
#include "core/jobs/downtime.h"
#include "core/jobs/executors.h"
#include "core/keep/notify.h"
#include "core/runs/invocation.h"
#include "core/runs/admission.h"
#include "core/share/share.h"
#include "core/top/handover.h"
#include "core/top/moved.h"
#include "core/top/restart_texts.h"
#include "core/top/take_up.h"
#include "executor/secret.h"
#include "store/store_share.h"

/* How long the start waits for a server. */
#define RESTART_SERVER (3 * SCHEDD_SECOND)
/* Until runs are taken up that found no memory. */
#define RESTART_AGAIN (SCHEDD_SECOND / 2)

/* ---- Reading the stores ---- */

/* It was read before, under another owner: how it is now is adopted. */
static void restart_take_again(
    struct store_slot *slot, struct entry *entry, struct job_record *record)
{
	const struct store_change change = {
	    .kind = STORE_CHANGE_JOB, .id = entry->job->id, .record = record};

	entry->stale = false;
	job_adopt(&change, slot);
}

static int restart_pass_over(struct job_record *record, int rc)
{
	job_unref(record->job);
	job_state_clear(&record->state);
	free(record->raw);
	return rc;
}

static int restart_take_job(struct job_record *record, void *context)
{
	struct store_slot *slot = context;
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct entry *entry = entry_find(scheduler, record->job->id);

	if (slot->leaving)
		return restart_pass_over(record, SCHEDD_EFAILED);
	if (entry && entry->store == slot) {
		restart_take_again(slot, entry, record);
		return 0;
	}
	if (entry) {
		moved_keep_record(slot, record);
		return 0;
	}
	if (job_gone_again(slot, record->job->id, &record->state))
		return restart_pass_over(record, 0);
	record->job = entry_seal(scheduler, record->job);
	entry = entry_new(scheduler, record->job, slot);
	job_unref(record->job);
	if (!entry) {
		job_state_clear(&record->state);
		free(record->raw);
		return SCHEDD_ENOMEM;
	}
	entry->state = record->state;
	entry_set_raw(entry, record->raw);
	entry->busy = false;
	/* It would never follow: nothing is read rather than that. */
	if (!entry_show(scheduler, entry)) {
		entry_free(scheduler, entry);
		return SCHEDD_ENOMEM;
	}
	if (!entry_executor(entry) && !entry->state.invalid &&
	    strcmp(job_executor(entry->job), "http") == 0)
		(void)executors_http(scheduler); /* which takes the jobs that name it */
	if (entry->state.invalid)
		log_warn(scheduler->log, "job %s in store %s cannot be read: %s", entry->job->id,
		    slot->name, entry->state.invalid);
	entry_plan(scheduler, entry);
	return 0;
}

static void restart_begin_store(struct schedd_scheduler *scheduler, struct store_slot *slot);
static void restart_lose_forgotten(struct store_slot *slot);
static void restart_forget(struct store_slot *slot)
{
	if (moved_waits(slot) || slot->left)
		return;
	store_snapshot_free(slot->snapshot);
	slot->snapshot = NULL;
}

/* Those that were kept for what has been settled now. */
static void restart_forget_others(struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (scheduler->stores[i] != slot)
			restart_forget(scheduler->stores[i]);
}

/* What another has removed while the store was his. */
static void restart_drop_stale(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	struct entry *next;

	for (struct entry *entry = entry_first(scheduler, NULL); entry; entry = next) {
		const struct store_change gone = {
		    .kind = STORE_CHANGE_GONE, .id = entry->job->id};

		next = entry_next(scheduler, entry);
		if (entry->store == slot && entry->stale)
			job_adopt(&gone, slot);
	}
}

static void restart_mark_stale(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	for (struct entry *entry = entry_first(scheduler, NULL); entry;
	     entry = entry_next(scheduler, entry))
		if (entry->store == slot)
			entry->stale = true;
}

static void restart_take_snapshot(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	int64_t alive =
	    store_snapshot_number(slot->snapshot, STORE_SLOT_ALIVE_KEY, SCHEDD_TIME_NONE);

	restart_texts_take(scheduler, slot);
	moved_take(slot);
	if (alive > scheduler->down_since && scheduler->phase == SCHEDULER_NEW)
		scheduler->down_since = alive;
	if (slot->entries)
		log_info(scheduler->log, "store %s: %u jobs", slot->name, slot->entries);
}

static void restart_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	struct store_slot *slot = context;
	struct schedd_scheduler *scheduler = slot->scheduler;
	bool again = slot->taken_up;

	scheduler_enter(scheduler);
	slot->load_rc = rc;
	if (slot->leaving) {
		store_snapshot_free(snapshot);
	} else if (rc) {
		slot->load_err = *err;
		/* One on a server is read when it is there again. */
		if (store_remote(slot->store))
			store_slot_failed(slot, err);
	} else {
		timers_unset(&scheduler->timers, &slot->again);
		slot->left = 0;
		store_snapshot_free(slot->snapshot);
		slot->snapshot = snapshot;
		slot->taken_up = true;
		slot->epoch = store_epoch(slot->store);
		restart_take_snapshot(slot);
		if (again)
			restart_drop_stale(scheduler, slot);
		share_loaded(slot);
		moved_settle(scheduler);
		if (scheduler->phase == SCHEDULER_RUNNING)
			restart_forget_others(scheduler, slot);
		if (scheduler->phase == SCHEDULER_RUNNING && again) {
			restart_lose_forgotten(slot);
			restart_forget(slot);
		} else if (scheduler->phase == SCHEDULER_RUNNING) {
			restart_begin_store(scheduler, slot);
		}
	}
	if (slot->waited)
		slot->waited(slot, err);
	scheduler_leave(scheduler);
}

void restart_read_store(struct store_slot *slot)
{
	if (slot->load_rc > 0)
		return;
	slot->load_rc = 1;
	store_origin_forget_shadows(slot);
	if (slot->taken_up)
		restart_mark_stale(slot->scheduler, slot);
	store_load(slot->store, restart_take_job, restart_loaded, slot);
}

int restart_load_store(struct store_slot *slot, struct schedd_error *err)
{
	restart_read_store(slot);
	while (slot->load_rc > 0)
		if (store_flush(slot->store, SCHEDD_SPAN_NONE) < 0)
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "store %s: it cannot be read", slot->name);
	if (slot->load_rc < 0 && err)
		*err = slot->load_err;
	return slot->load_rc;
}

int restart_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *slot = scheduler->stores[i];
		int rc = 0;

		/* A server has a moment to come; the default store's numbers are wanted most. */
		if (store_remote(slot->store))
			(void)!store_wait(slot->store, RESTART_SERVER, NULL);
		if (!slot->taken_up && store_state(slot->store) == STORE_OK)
			rc = restart_load_store(slot, err);
		if (rc && !store_remote(slot->store))
			return rc;
	}
	return 0;
}

/* ---- Runs of the last life ---- */

static void restart_process_ended(void *context)
{
	struct run_live *live = context;
	struct schedd_scheduler *scheduler = run_live_scheduler(live);

	scheduler_enter(scheduler);
	secret_place_remove(run_live_secrets(live));
	run_live_release(live);
	run_live_end(live, RUN_LOST, NULL);
	scheduler_leave(scheduler);
}

/* Where the last life had no time to write down which process it is. */
static void restart_find_process(struct schedd_scheduler *scheduler, struct run *run)
{
	char id[RUN_LIVE_ID_MAX], invocation[PROCESS_INVOCATION + 1];
	pid_t pid;
	uint64_t start;

	if (run->pid > 0)
		return;
	if (!scheduler->top.census)
		scheduler->top.census = process_census_new();
	snprintf(id, sizeof(id), "%s/%u", run->job, run->number);
	invocation_make(scheduler, id, run->scheduled_at, invocation);
	if (scheduler->top.census &&
	    process_census_find(scheduler->top.census, invocation, &pid, &start)) {
		run->pid = pid;
		run->pid_start = start;
	}
}

static void restart_forget_processes(struct schedd_scheduler *scheduler)
{
	process_census_free(scheduler->top.census);
	scheduler->top.census = NULL;
}

/* Its process lives: it keeps its place among the job's runs. */
static bool restart_adopt(struct schedd_scheduler *scheduler, struct entry *entry, struct run *run)
{
	struct run_live *live;
	struct schedd_error err;
	char id[RUN_LIVE_ID_MAX], invocation[PROCESS_INVOCATION + 1];

	if (!entry)
		return false;
	snprintf(id, sizeof(id), "%s/%u", run->job, run->number);
	invocation_make(scheduler, id, run->scheduled_at, invocation);
	restart_find_process(scheduler, run);
	if (run->pid <= 0)
		return false;
	live = run_live_new(entry, run->number, run->trigger);
	if (!live)
		return false;
	if (run_live_adopt(live, run, invocation, restart_process_ended, &err)) {
		run_live_discard(live);
		return false;
	}
	/* It counts against all limits that it was let through. */
	admission_resume(live, true);
	run_live_enter(live, RUN_LIVE_RUNNING);
	return true;
}

static void restart_lose(
    struct schedd_scheduler *scheduler, struct store_slot *slot, struct run *run)
{
	struct entry *entry = entry_get(scheduler, run->job);
	bool known = run->state == RUN_LOST;
	/* Its row says that it runs before it does, and which process it is a while after: it may have begun. */
	bool started = run->state == RUN_RUNNING || run->started_at != SCHEDD_TIME_NONE || run->pid > 0;
	/* Another node has its job now, or none that lives may: it is to be made up for there. */
	bool elsewhere = entry && entry->foreign && slot->shared && !known;
	bool again = elsewhere && (!started || run->state == RUN_RETRYING || job_details(entry->job)->recover);
	char why[256];
	bool lives;

	run->state = RUN_LOST;
	if (!known && scheduler->top.taken_from) {
		snprintf(why, sizeof(why), "its node %.128s lost its lease%s", scheduler->top.taken_from,
		    slot->unsure ? " with a server whose place another has taken, which lacks how it ended" : "");
		free(run->reason);
		run->reason = strdup(why);
	} else if (!known) {
		downtime_reason(
		    scheduler, scheduler->down_since, scheduler->started_at, why, sizeof(why));
		free(run->reason);
		run->reason = strdup(
		    scheduler->down_since == SCHEDD_TIME_NONE ? "schedd died meanwhile" : why);
	}
	lives = !scheduler->top.taken_from && restart_adopt(scheduler, entry, run);
	/* The end of one that is gone is not known: it lies in the time that schedd was down. */
	if (!lives) {
		run->ended_at = scheduler->top.taken_from ? scheduler_now(scheduler)
							  : scheduler->started_at;
		follow_note(scheduler, slot, run);
	}
	if (!lives && again)
		follow_note_again(slot, entry, run);
	store_slot_put_run(slot, run);
	if (!lives)
		follow_run(scheduler, slot, run);
	if (!lives && again)
		follow_again(slot, entry, run);
	if (!lives && entry)
		notify_lost(scheduler, entry, run);
	if (known)
		return;
	event_ring_say_run(slot, SCHEDD_EVENT_RUN_LOST, scheduler_now(scheduler), run->job, run,
	    run->reason);
	scheduler->counts.ended[RUN_LOST]++;
	if (entry)
		entry->last_state = RUN_LOST;
	if (entry && job_details(entry->job)->recover && started && !lives && !again)
		job_switch_start(scheduler, entry, RUN_BY_CATCHUP, "recover");
}

static int restart_lose_copy(struct schedd_scheduler *scheduler, struct store_slot *slot,
    struct take_up *take_up, const struct run *from)
{
	struct entry *entry = entry_get(scheduler, from->job);
	struct run run;
	int taken = 0;

	if (run_copy(&run, from))
		return SCHEDD_ENOMEM;
	if (!scheduler->top.taken_from && handover_resume(scheduler, entry, &run)) {
		take_up_keep(take_up, &run);
		run_clear(&run);
		return 0;
	}
	/* It may run, and just not be written down as that. */
	if (run.state == RUN_QUEUED && !scheduler->top.taken_from)
		restart_find_process(scheduler, &run);
	/* Of one that waits for its next attempt the process is that of the last. */
	if (!(run.pid > 0 && run.state != RUN_RETRYING) && !(entry && entry->foreign) && !slot->unsure)
		taken = take_up_run(take_up, entry, &run);
	if (!taken)
		restart_lose(scheduler, slot, &run);
	run_clear(&run);
	return taken < 0 ? taken : 0;
}

/* A walk over the runs that a slot's snapshot still has. */
struct restart_pass {
	struct schedd_scheduler *scheduler;
	struct store_slot *slot;
	struct take_up *take_up;
	const char *job; /* NULL: of all */
	bool again;      /* of this life, under another epoch */
};

/* Those stay that do not count yet, and those that there is no memory for. */
static bool restart_pass_by(const struct run *run, void *context)
{
	struct restart_pass *pass = context;

	if (pass->job && strcmp(run->job, pass->job) != 0)
		return true;
	if (!moved_counts(pass->slot, run)) {
		take_up_keep(pass->take_up, run);
		return true;
	}
	if (pass->again && share_run_is_known(pass->slot, run))
		return false;
	if (!restart_lose_copy(pass->scheduler, pass->slot, pass->take_up, run))
		return false;
	pass->slot->left++;
	return true;
}

static void restart_again(struct timer *timer);

/* drops: notes of runs that are not there are of no use to anybody. */
static void restart_pass(struct store_slot *slot, const char *job, bool drops)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct restart_pass pass = {scheduler, slot, take_up_begin(scheduler, slot), job, slot->again_read};
	struct schedd_mono when = scheduler_mono(scheduler);

	slot->left = job ? slot->left : 0;
	store_snapshot_sift(slot->snapshot, restart_pass_by, &pass);
	if (drops && !slot->left)
		take_up_end(pass.take_up);
	else
		take_up_leave(pass.take_up);
	restart_forget_processes(scheduler);
	if (!slot->left)
		return;
	/* Of those that are tried again it stands there already. */
	if (scheduler->top.taken_from != slot->left_of)
		snprintf(slot->left_of, sizeof(slot->left_of), "%s",
		    scheduler->top.taken_from ? scheduler->top.taken_from : "");
	when.us += RESTART_AGAIN;
	log_error(scheduler->log, "store %s: no memory to take up %u runs%s", slot->name,
	    (unsigned)slot->left,
	    timers_turn(&scheduler->timers, &slot->again, restart_again, when)
		? ": they wait for the next start"
		: ", it is tried again");
}

static void restart_again(struct timer *timer)
{
	struct store_slot *slot =
	    (struct store_slot *)(void *)((char *)timer - offsetof(struct store_slot, again));
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (!slot->snapshot || scheduler->phase != SCHEDULER_RUNNING)
		return;
	scheduler->top.taken_from = slot->left_of[0] ? slot->left_of : NULL;
	restart_pass(slot, NULL, false);
	scheduler->top.taken_from = NULL;
	store_slot_flush(slot);
	restart_forget(slot);
}

/* Its rows say that they go on here, and nobody took them: what nobody here knows of is over, or waits. */
static void restart_lose_forgotten(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	if (!slot->shared)
		return;
	slot->unsure = store_behind(slot->store);
	slot->again_read = true;
	scheduler->top.taken_from = store_node_name(slot->store);
	restart_pass(slot, NULL, false);
	scheduler->top.taken_from = NULL;
	slot->again_read = false;
	store_slot_flush(slot);
}

static void restart_lose_all(struct store_slot *slot)
{
	/* A server that is not there yet: when it was read. Of a store that is shared there are notes
	 * of other nodes' runs. */
	if (slot->snapshot)
		restart_pass(slot, NULL, !slot->shared);
}

/* A job that was held for a move goes on here, and so do its runs. */
static void restart_resume(struct store_slot *slot, const char *id)
{
	restart_pass(slot, id, false);
}

/* Jobs that ended with the last life, before they could be removed. */
static void restart_expire(struct schedd_scheduler *scheduler)
{
	struct entry *next;

	for (struct entry *entry = entry_first(scheduler, NULL); entry; entry = next) {
		next = entry_next(scheduler, entry);
		entry_note_exhausted(scheduler, entry);
	}
}

/* Jobs that run when schedd starts, or first after a boot. */
static void restart_start_jobs(struct schedd_scheduler *scheduler)
{
	struct entry *next;

	for (struct entry *entry = entry_first(scheduler, NULL); entry; entry = next) {
		unsigned events = entry->state.invalid ? 0 : trigger_events(entry->job->trigger);

		next = entry_next(scheduler, entry);
		if (entry->foreign)
			continue;
		/* A program that took this one's place is not a start. */
		if ((events & TRIGGER_ON_START && !scheduler->top.handover) ||
		    (events & TRIGGER_ON_BOOT && scheduler->top.booted))
			job_switch_start(scheduler, entry, RUN_BY_SCHEDULE, NULL);
	}
	restart_expire(scheduler);
}

static bool restart_keeps_secrets(const char *place, void *context)
{
	const struct run_live *live = run_live_first(context);

	while (live && strcmp(run_live_secrets(live), place) != 0)
		live = run_live_next(live);
	return live != NULL;
}

/* Copies of secrets that an earlier life had no time to remove, but for runs that go on. */
static void restart_sweep_secrets(struct schedd_scheduler *scheduler)
{
	char prefix[INVOCATION_PLACE];

	invocation_places(scheduler, prefix);
	secret_place_sweep(prefix, restart_keeps_secrets, scheduler);
}

void restart_begin(struct schedd_scheduler *scheduler)
{
	struct follow_notes *notes[SCHEDULER_STORES_MAX];
	uint32_t stores = scheduler->store_count;

	moved_set_resume(scheduler, restart_resume);
	event_ring_say(scheduler, SCHEDD_EVENT_SCHEDULER_STARTED, NULL, NULL, NULL);
	restart_texts_record(scheduler);
	/* Before anything new is noted. */
	for (uint32_t i = 0; i < stores; i++)
		notes[i] = follow_load(scheduler, scheduler->stores[i]);
	for (uint32_t i = 0; i < stores; i++)
		restart_lose_all(scheduler->stores[i]);
	for (uint32_t i = 0; i < stores; i++)
		follow_recover(notes[i]);
	store_slot_flush_all(scheduler);
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		restart_ask_states(scheduler, scheduler->stores[i]);
	for (uint32_t i = 0; i < stores; i++)
		restart_forget(scheduler->stores[i]);
	restart_texts_remember(scheduler);
	restart_sweep_secrets(scheduler);
	restart_start_jobs(scheduler);
}

void restart_taken(struct store_slot *slot, const char *node)
{
	struct schedd_scheduler *scheduler = slot->scheduler;

	slot->left = 0; /* the snapshot of before has gone */
	scheduler->top.taken_from = node;
	if (scheduler->phase == SCHEDULER_RUNNING)
		restart_begin_store(scheduler, slot);
	scheduler->top.taken_from = NULL;
	restart_forget(slot);
}

/* One that was read while the scheduler runs. */
static void restart_begin_store(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	struct follow_notes *notes = follow_load(scheduler, slot);

	restart_lose_all(slot);
	follow_recover(notes);
	store_slot_flush_all(scheduler);
	restart_ask_states(scheduler, slot);
	restart_forget(slot);
	restart_expire(scheduler);
}
