/* SPDX-License-Identifier: MIT */
/*
 * The life of a scheduler: made, given its parts, started, freed. And its
 * tick. Here the rooms are joined: what is done at rest, and the door for the
 * end of a run.
 */
#include "core/top/scheduler_life.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include "core/ask/scheduler_wait.h"
#include "core/changes/job_change.h"
#include "core/changes/job_move.h"
#include "core/changes/job_switch.h"
#include "core/changes/scheduler_apply.h"
#include "core/changes/tick.h"
#include "core/frame/janitor.h"
#include "core/frame/store_slot.h"
#include "core/jobs/accounts.h"
#include "core/jobs/after.h"
#include "core/jobs/executors.h"
#include "core/jobs/job_needs.h"
#include "core/keep/notify.h"
#include "core/keep/retention.h"
#include "core/runs/invocation.h"
#include "core/runs/admission.h"
#include "core/runs/dispatch.h"
#include "core/runs/output_place.h"
#include "core/runs/run_live.h"
#include "core/runs/run_process.h"
#include "core/share/share.h"
#include "core/top/drain.h"
#include "core/top/dump.h"
#include "core/top/handover.h"
#include "core/top/moved.h"
#include "core/top/outcome.h"
#include "core/top/restart.h"
#include "core/top/store_move.h"
#include "core/top/stores.h"
#include "core/top/stores_add.h"
#include "core/top/stores_check.h"
#include "executor/function_table.h"
#include "trigger/trigger_cache.h"

void scheduler_set_settings(
    struct schedd_scheduler *scheduler, const struct scheduler_settings *settings)
{
	uint32_t ring = scheduler->settings.event_ring;

	scheduler->settings = *settings;
	/* A ring that holds events keeps its size. */
	if (scheduler->events.slots)
		scheduler->settings.event_ring = ring;
	if (scheduler->phase != SCHEDULER_RUNNING)
		return;
	scheduler_enter(scheduler);
	retention_soon(scheduler);
	scheduler_leave(scheduler);
}

void scheduler_set_boot(struct schedd_scheduler *scheduler, const char *boot_id)
{
	free(scheduler->top.boot_id);
	scheduler->top.boot_id = boot_id ? strdup(boot_id) : NULL;
}

/* ---- Life ---- */

/* A tick that comes this late finds a process that stood still, or was very busy. */
#define SCHEDULER_LATE (SCHEDD_SECOND / 20)
/* Turns of the loop in which ends that were not heard of yet come in before such a tick. */
#define SCHEDULER_HEAR_TURNS 4

/* How late the alarms went off, by the clock they were set by. */
static schedd_span scheduler_lateness(const struct schedd_scheduler *scheduler)
{
	schedd_span wall = 0, mono = 0;

	if (scheduler->wall_set > 0 && scheduler->wall_set != INT64_MAX)
		wall = scheduler_now(scheduler) - scheduler->wall_set;
	if (scheduler->mono_set.us > 0 && scheduler->mono_set.us != INT64_MAX)
		mono = scheduler_mono(scheduler).us - scheduler->mono_set.us;
	return wall > mono ? wall : mono;
}

static void scheduler_heard(struct mailbox_letter *letter)
{
	struct schedd_scheduler *scheduler =
	    (struct schedd_scheduler *)(void *)((char *)letter -
						offsetof(struct schedd_scheduler, top.hear));

	if (--scheduler->top.hearing) {
		mailbox_post(scheduler->mailbox, letter);
		return;
	}
	if (scheduler->phase != SCHEDULER_STOPPED)
		scheduler_tick(scheduler);
}

static void scheduler_woken(bool stepped, void *context)
{
	struct schedd_scheduler *scheduler = context;
	bool late = scheduler_lateness(scheduler) > SCHEDULER_LATE;

	/* The alarm has gone off: it is not set to anything now. */
	scheduler->wall_set = INT64_MAX;
	scheduler->mono_set.us = 0;
	if (stepped) {
		scheduler_clock_stepped(scheduler);
	} else if (scheduler->top.hearing) {
		return;
	} else if (late && run_live_attempts(scheduler)) {
		/* A run may have ended long ago: it must not count as going on, or as too long. */
		scheduler->top.hearing = SCHEDULER_HEAR_TURNS;
		scheduler->top.hear.open = scheduler_heard;
		mailbox_post(scheduler->mailbox, &scheduler->top.hear);
	} else {
		scheduler_tick(scheduler);
	}
}

static int scheduler_copy_options(struct schedd_scheduler *scheduler,
    const struct schedd_scheduler_options *options, struct schedd_error *err)
{
	const char *const from[] = {options->state_dir, options->socket, options->timezone};
	char **const to[] = {&scheduler->state_dir, &scheduler->socket, &scheduler->timezone};

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		*to[i] = from[i] ? strdup(from[i]) : NULL;
		if (!*to[i] && from[i])
			return schedd_error_nomem(err);
	}
	scheduler->loop = options->loop;
	scheduler->clock = options->clock ? options->clock : schedd_clock_system();
	scheduler->log = options->log;
	spawn_inherit_capture(&scheduler->inherit);
	return 0;
}

static int scheduler_init_time(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	if (getrandom(&scheduler->random, sizeof(scheduler->random), 0) < 0)
		scheduler->random = (uint64_t)scheduler_now(scheduler);
	invocation_init(scheduler);
	if (gethostname(scheduler->host, sizeof(scheduler->host) - 1))
		scheduler->host[0] = '\0';
	scheduler->zones = zone_cache_new(NULL);
	scheduler->triggers = trigger_cache_new();
	if (!scheduler->zones || !scheduler->triggers || entry_make_pool(scheduler))
		return schedd_error_nomem(err);
	if (zone_local_find(
		scheduler->zones, scheduler->timezone, getenv("TZ"), "", &scheduler->zone, err))
		return err ? err->code : SCHEDD_EINVAL;
	scheduler_trigger_context(scheduler);
	return 0;
}

static int scheduler_init_loop(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	if (!scheduler->loop) {
		scheduler->loop = schedd_loop_new_fd(err);
		scheduler->loop_owned = true;
	}
	if (!scheduler->loop)
		return SCHEDD_EFAILED;
	scheduler->mailbox = mailbox_new(scheduler->loop, err);
	if (!scheduler->mailbox)
		return SCHEDD_EFAILED;
	scheduler->wall_alarm = alarm_new_wall(scheduler->loop, scheduler_woken, scheduler, err);
	scheduler->mono_alarm = alarm_new_mono(scheduler->loop, scheduler_woken, scheduler, err);
	return scheduler->wall_alarm && scheduler->mono_alarm ? 0 : SCHEDD_EFAILED;
}

static int scheduler_init_functions(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	scheduler->functions = function_table_new(NULL);
	return scheduler->functions ? 0 : schedd_error_nomem(err);
}

void scheduler_next_wake(
    const struct schedd_scheduler *scheduler, schedd_time *wall, struct schedd_mono *mono)
{
	struct schedd_mono until;

	*wall = SCHEDD_TIME_NONE;
	*mono = timers_next(&scheduler->timers);
	if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused)
		return;
	if (scheduler->tick_again || scheduler->start_again)
		*wall = SCHEDD_TIME_MIN;
	else if (tick_waits(scheduler, &until))
		*mono = until.us < mono->us ? until : *mono;
	else
		*wall = entry_next_due(scheduler);
}

static void scheduler_set_alarms(struct schedd_scheduler *scheduler)
{
	schedd_time wall;
	struct schedd_mono mono;

	if (scheduler->phase == SCHEDULER_NEW)
		return;
	scheduler_next_wake(scheduler, &wall, &mono);
	if (wall != scheduler->wall_set && alarm_set_wall(scheduler->wall_alarm, wall) == 0)
		scheduler->wall_set = wall;
	if (mono.us != scheduler->mono_set.us && alarm_set_mono(scheduler->mono_alarm, mono) == 0)
		scheduler->mono_set = mono;
}

/* In this order: what starts may end at once, and what ended is written before it is looked at. */
static const scheduler_rest_fn scheduler_rest[] = {store_move_review, dispatch_start_ready, job_switch_again, job_change_expire,
    share_rest, job_move_again, store_slot_rest, scheduler_apply_review, drain_review, scheduler_set_alarms, NULL};

int schedd_scheduler_new(const struct schedd_scheduler_options *options,
    struct schedd_scheduler **out, struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = calloc(1, sizeof(*scheduler));
	struct schedd_error unused;
	int rc;

	*out = NULL;
	if (!scheduler)
		return schedd_error_nomem(err);
	scheduler->started_at = scheduler->down_since = SCHEDD_TIME_NONE;
	scheduler->rest = scheduler_rest;
	scheduler->run_ended = outcome_run_ended;
	scheduler->output_drop = output_place_remove;
	scheduler->output_last = output_place_last;
	scheduler->run_elsewhere = share_start;
	scheduler->node_of = share_node_of;
	scheduler->runs_taken = restart_taken;
	scheduler->pause_told = scheduler_pause_told;
	scheduler->wall_set = INT64_MAX;
	scheduler_settings_init(&scheduler->settings);
	after_init(scheduler);
	entry_init_all(scheduler);
	admission_init(scheduler);
	run_process_init(scheduler);
	timers_init(&scheduler->timers);
	event_ring_init(&scheduler->events);
	drain_init(scheduler);
	rc = scheduler_copy_options(scheduler, options, err);
	if (!rc)
		rc = scheduler_init_time(scheduler, err ? err : &unused);
	if (!rc)
		rc = scheduler_init_loop(scheduler, err);
	if (!rc)
		rc = scheduler_init_functions(scheduler, err);
	if (!rc)
		scheduler->janitor = janitor_new(scheduler->mailbox);
	if (!rc && (!scheduler->janitor || retention_init(scheduler)))
		rc = schedd_error_nomem(err);
	if (rc)
		scheduler_free(scheduler);
	else
		*out = scheduler;
	return rc;
}

/* Everything that callbacks of stores and executors could still reach goes after them. */
static void scheduler_free_contents(struct schedd_scheduler *scheduler)
{
	scheduler_apply_free(scheduler);
	/* Queues first: they point into what follows. */
	timers_clear(&scheduler->timers);
	admission_clear_queues(scheduler);
	entry_free_all(scheduler);
	run_live_free_all(scheduler);
	tick_free(scheduler);
	job_switch_free(scheduler);
	admission_free_groups(scheduler);
	accounts_free(scheduler);
	after_clear(scheduler);
	janitor_free(scheduler->janitor);
	scheduler->janitor = NULL;
	retention_free(scheduler);
	event_ring_clear(&scheduler->events);
}

void scheduler_free(struct schedd_scheduler *scheduler)
{
	drain_abandon(scheduler);
	/* Whatever comes back from now on starts nothing. */
	scheduler->depth++;
	scheduler->phase = SCHEDULER_STOPPED;
	scheduler_wait_end(scheduler);
	share_close_all(scheduler);
	scheduler_apply_stop(scheduler);
	store_move_stop(scheduler);
	notify_free(scheduler);
	run_process_write_all(scheduler);
	store_slot_flush_all(scheduler);
	run_live_withdraw_all(scheduler);
	executors_close(scheduler);
	job_needs_free(scheduler);
	spawner_pool_free(scheduler->spawners);
	store_slot_flush_all(scheduler);
	stores_add_stop(scheduler);
	stores_check_refuse(scheduler, NULL, "the scheduler stops");
	stores_close(scheduler);
	stores_check_stop(scheduler);
	dump_stop(scheduler);
	undump_stop(scheduler);
	job_move_free(scheduler);
	moved_free(scheduler);
	scheduler_wait_free(scheduler);
	scheduler_free_contents(scheduler);
	stores_free(scheduler);
	executors_free(scheduler);
	function_table_free(scheduler->functions);
	alarm_free(scheduler->wall_alarm);
	alarm_free(scheduler->mono_alarm);
	mailbox_free(scheduler->mailbox);
	if (scheduler->loop_owned)
		schedd_loop_free(scheduler->loop);
	entry_free_pool(scheduler);
	trigger_cache_free(scheduler->triggers);
	zone_cache_free(scheduler->zones);
	free(scheduler->state_dir);
	free(scheduler->socket);
	free(scheduler->timezone);
	free(scheduler->paused_why);
	handover_free(scheduler->top.handover);
	free(scheduler->top.boot_id);
	free(scheduler->cgroup);
	free(scheduler);
}

int scheduler_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	int rc;

	if (scheduler->top.loaded)
		return 0;
	rc = stores_default(scheduler, err);
	if (!rc)
		rc = restart_load(scheduler, err);
	if (!rc)
		rc = event_ring_load(scheduler, err);
	scheduler->top.loaded = !rc;
	return rc;
}

int schedd_scheduler_start(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	int rc;

	if (scheduler->phase == SCHEDULER_STOPPED)
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "the scheduler has stopped: make a new one");
	if (scheduler->phase != SCHEDULER_NEW)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "the scheduler was started already");
	rc = scheduler_load(scheduler, err);
	if (rc)
		return rc;
	scheduler_enter(scheduler);
	scheduler->started_at = scheduler_now(scheduler);
	scheduler->phase = SCHEDULER_RUNNING;
	restart_begin(scheduler);
	handover_free(scheduler->top.handover);
	scheduler->top.handover = NULL;
	retention_soon(scheduler);
	scheduler_tick(scheduler);
	scheduler_leave(scheduler);
	return 0;
}

void scheduler_tick(struct schedd_scheduler *scheduler)
{
	scheduler_enter(scheduler);
	scheduler->counts.ticks++;
	scheduler->start_again = false;
	timers_run(&scheduler->timers, scheduler_mono(scheduler));
	if (scheduler->phase == SCHEDULER_RUNNING && !scheduler->paused)
		tick_claim_due(scheduler, scheduler_now(scheduler));
	scheduler_leave(scheduler);
}

void scheduler_clock_stepped(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct entry *entry;

	scheduler_enter(scheduler);
	while ((entry = entry_walk(scheduler, &position)))
		entry_plan(scheduler, entry);
	scheduler_tick(scheduler);
	scheduler_leave(scheduler);
}
