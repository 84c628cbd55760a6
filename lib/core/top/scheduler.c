/* SPDX-License-Identifier: MIT */
/*
 * The life of a scheduler: made, given its parts, started, freed. And its
 * pulse: enter and leave around every callback, tick, and when to wake next.
 */
#include "core/frame/scheduler_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include "core/ask/scheduler_wait.h"
#include "core/changes/claim.h"
#include "core/changes/scheduler_apply.h"
#include "core/changes/tick.h"
#include "core/frame/history.h"
#include "core/jobs/after.h"
#include "core/keep/notify.h"
#include "core/keep/retention.h"
#include "core/runs/admission.h"
#include "core/runs/run_live.h"
#include "core/top/drain.h"
#include "core/top/handover.h"
#include "core/top/restart.h"
#include "core/top/scheduler_parts.h"
#include "executor/account.h"
#include "trigger/trigger_cache.h"

void scheduler_settings_init(struct scheduler_settings *settings)
{
	*settings = (struct scheduler_settings){.misfire_grace_time = SCHEDD_SPAN_NONE,
	    .max_instances = 1,
	    .catchup_max = 100,
	    .output_max = 1 << 20,
	    .retention = {.keep_runs = -1,
		.keep_for = SCHEDD_SPAN_NONE,
		.max_runs = -1,
		.max_changes = 100000},
	    .output_total_max = -1,
	    .low_disk = 64 << 20,
	    .claim_backoff_max = 30 * SCHEDD_SECOND,
	    .event_ring = 10000};
}

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

/* ---- Time and chance ---- */

schedd_time scheduler_now(const struct schedd_scheduler *scheduler)
{
	return scheduler->clock->wall(scheduler->clock->context);
}

struct schedd_mono scheduler_mono(const struct schedd_scheduler *scheduler)
{
	return scheduler->clock->mono(scheduler->clock->context);
}

/* splitmix64, begun with the kernel's random numbers. */
uint64_t scheduler_random(struct schedd_scheduler *scheduler)
{
	uint64_t z = scheduler->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void scheduler_answer(struct scheduler_reply reply, int rc, const struct schedd_error *err,
    const struct value *result)
{
	struct value nil = value_nil();

	if (reply.call)
		reply.call(rc, err, result ? result : &nil, reply.context);
}

/* ---- Life ---- */

static const char *scheduler_entry_key(const void *item)
{
	return ((const struct entry *)item)->job->id;
}

static const char *scheduler_group_key(const void *item)
{
	return ((const struct group_slot *)item)->name;
}

static void scheduler_woken(bool stepped, void *context)
{
	struct schedd_scheduler *scheduler = context;

	/* The alarm has gone off: it is not set to anything now. */
	scheduler->wall_set = INT64_MAX;
	scheduler->mono_set.us = 0;
	if (stepped)
		scheduler_clock_stepped(scheduler);
	else
		scheduler_tick(scheduler);
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
	if (gethostname(scheduler->host, sizeof(scheduler->host) - 1))
		scheduler->host[0] = '\0';
	scheduler->zones = zone_cache_new(NULL);
	scheduler->triggers = trigger_cache_new();
	scheduler->definitions = job_pool_new();
	if (!scheduler->zones || !scheduler->triggers || !scheduler->definitions)
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
	scheduler->wall_set = INT64_MAX;
	scheduler_settings_init(&scheduler->settings);
	strmap_init(&scheduler->entries, scheduler_entry_key);
	strmap_init(&scheduler->groups, scheduler_group_key);
	after_init(scheduler);
	heap_init(&scheduler->due);
	timers_init(&scheduler->timers);
	event_ring_init(&scheduler->events);
	drain_init(scheduler);
	rc = scheduler_copy_options(scheduler, options, err);
	if (!rc)
		rc = scheduler_init_time(scheduler, err ? err : &unused);
	if (!rc)
		rc = scheduler_init_loop(scheduler, err);
	if (!rc)
		rc = scheduler_parts_init(scheduler, err);
	if (!rc && retention_init(scheduler))
		rc = schedd_error_nomem(err);
	if (rc)
		schedd_scheduler_free(scheduler);
	else
		*out = scheduler;
	return rc;
}

/* Everything that callbacks of stores and executors could still reach goes after them. */
static void scheduler_free_contents(struct schedd_scheduler *scheduler)
{
	/* Queues first: they point into what follows. */
	timers_clear(&scheduler->timers);
	admission_clear_queues(scheduler);
	entry_free_all(scheduler);
	run_live_free_all(scheduler);
	claim_free_spares(scheduler);
	scheduler_apply_free(scheduler);
	admission_free_groups(scheduler);
	after_clear(scheduler);
	retention_free(scheduler);
	event_ring_clear(&scheduler->events);
}

void schedd_scheduler_free(struct schedd_scheduler *scheduler)
{
	if (!scheduler)
		return;
	scheduler_thread_end(scheduler);
	drain_abandon(scheduler);
	/* Whatever comes back from now on starts nothing. */
	scheduler->depth++;
	scheduler->phase = SCHEDULER_STOPPED;
	scheduler_wait_end(scheduler);
	notify_free(scheduler);
	history_flush(scheduler);
	scheduler_parts_close_executors(scheduler);
	history_flush(scheduler);
	scheduler_parts_close_stores(scheduler);
	scheduler_wait_free(scheduler);
	scheduler_free_contents(scheduler);
	scheduler_parts_free(scheduler);
	alarm_free(scheduler->wall_alarm);
	alarm_free(scheduler->mono_alarm);
	mailbox_free(scheduler->mailbox);
	if (scheduler->loop_owned)
		schedd_loop_free(scheduler->loop);
	account_cache_free(scheduler->accounts);
	job_pool_free(scheduler->definitions);
	trigger_cache_free(scheduler->triggers);
	zone_cache_free(scheduler->zones);
	free(scheduler->state_dir);
	free(scheduler->socket);
	free(scheduler->timezone);
	free(scheduler->paused_why);
	handover_free(scheduler->handover);
	free(scheduler->boot_id);
	free(scheduler->cgroup);
	free(scheduler->sendmail);
	free(scheduler);
}

int scheduler_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	int rc;

	if (scheduler->loaded)
		return 0;
	rc = scheduler_parts_default(scheduler, err);
	if (!rc)
		rc = event_ring_load(scheduler, err);
	if (!rc)
		rc = restart_load(scheduler, err);
	scheduler->loaded = !rc;
	return rc;
}

int schedd_scheduler_start(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	int rc;

	if (scheduler->phase != SCHEDULER_NEW)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "the scheduler was started already");
	rc = scheduler_load(scheduler, err);
	if (rc)
		return rc;
	scheduler_enter(scheduler);
	scheduler->started_at = scheduler_now(scheduler);
	scheduler->phase = SCHEDULER_RUNNING;
	restart_begin(scheduler);
	handover_free(scheduler->handover);
	scheduler->handover = NULL;
	retention_soon(scheduler);
	scheduler_tick(scheduler);
	scheduler_leave(scheduler);
	return 0;
}

/* ---- The pulse ---- */

void scheduler_enter(struct schedd_scheduler *scheduler)
{
	scheduler->depth++;
}

static void scheduler_set_alarms(struct schedd_scheduler *scheduler)
{
	schedd_time wall;
	struct schedd_mono mono;

	scheduler_next_wake(scheduler, &wall, &mono);
	if (wall != scheduler->wall_set && alarm_set_wall(scheduler->wall_alarm, wall) == 0)
		scheduler->wall_set = wall;
	if (mono.us != scheduler->mono_set.us && alarm_set_mono(scheduler->mono_alarm, mono) == 0)
		scheduler->mono_set = mono;
}

void scheduler_leave(struct schedd_scheduler *scheduler)
{
	if (scheduler->depth > 1) {
		scheduler->depth--;
		return;
	}
	admission_start_ready(scheduler);
	history_flush(scheduler);
	scheduler_apply_review(scheduler);
	drain_review(scheduler);
	if (scheduler->phase != SCHEDULER_NEW)
		scheduler_set_alarms(scheduler);
	scheduler->depth--;
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

void scheduler_next_wake(
    const struct schedd_scheduler *scheduler, schedd_time *wall, struct schedd_mono *mono)
{
	int64_t due;

	*wall = SCHEDD_TIME_NONE;
	*mono = timers_next(&scheduler->timers);
	if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused)
		return;
	if (scheduler->tick_again || scheduler->start_again)
		*wall = SCHEDD_TIME_MIN;
	else if (heap_peek(&scheduler->due, &due))
		*wall = due;
}

void scheduler_clock_stepped(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct entry *entry;

	scheduler_enter(scheduler);
	/* Back-offs were reckoned by the old clock. */
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (scheduler->stores[i]->backoff)
			scheduler->stores[i]->retry_at = scheduler_now(scheduler);
	while ((entry = strmap_next(&scheduler->entries, &position)))
		entry_plan(scheduler, entry);
	scheduler_tick(scheduler);
	scheduler_leave(scheduler);
}

void scheduler_store_failed(struct store_slot *slot, const struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct schedd_event event = {.code = SCHEDD_EVENT_STORE_ERROR,
	    .time = scheduler_now(scheduler),
	    .store = slot->name,
	    .scheduled_at = SCHEDD_TIME_NONE,
	    .exit_code = -1,
	    .error = slot->last_error,
	    .uid = -1,
	    .pid = -1};

	slot->failures++;
	slot->failing = true;
	snprintf(slot->last_error, sizeof(slot->last_error), "%.*s",
	    (int)sizeof(slot->last_error) - 1, err ? err->message : "it failed");
	log_error(scheduler->log, "store %s: %s", slot->name, slot->last_error);
	event_ring_emit(scheduler, &event);
}

void scheduler_store_worked(struct store_slot *slot)
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct schedd_event event = {.code = SCHEDD_EVENT_STORE_RECOVERED,
	    .time = scheduler_now(scheduler),
	    .store = slot->name,
	    .scheduled_at = SCHEDD_TIME_NONE,
	    .exit_code = -1,
	    .uid = -1,
	    .pid = -1};

	if (!slot->failing)
		return;
	slot->failing = false;
	slot->backoff = 0;
	slot->retry_at = SCHEDD_TIME_NONE;
	log_info(scheduler->log, "store %s: it can be written again", slot->name);
	history_store_worked(slot);
	event_ring_emit(scheduler, &event);
}
