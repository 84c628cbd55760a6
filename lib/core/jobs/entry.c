/* SPDX-License-Identifier: MIT */
/* The index of jobs: by id, by when they are due, and what is counted of them. */
#include "core/jobs/entry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"
#include "core/jobs/after.h"
#include "core/jobs/due_queue.h"
#include "core/jobs/accounts.h"
#include "core/jobs/entry_order.h"
#include "core/jobs/entry_place.h"
#include "core/jobs/entry_slots.h"
#include "core/jobs/executors.h"
#include "core/jobs/owners.h"

_Static_assert(sizeof(struct entry) <= 136, "an entry has grown");

static const char *entry_key(const void *item)
{
	return ((const struct entry *)item)->job->id;
}

/* What is due is done as the scheduler comes to rest. */
static void entry_exhausted_due(struct timer *timer)
{
	(void)timer;
}

void entry_init_all(struct schedd_scheduler *scheduler)
{
	strmap_init(&scheduler->jobs.entries, entry_key);
	timer_init(&scheduler->jobs.exhausted_again, entry_exhausted_due);
	due_queue_init(scheduler);
	accounts_init(scheduler);
	owners_init(scheduler);
}

int entry_make_pool(struct schedd_scheduler *scheduler)
{
	scheduler->jobs.definitions = job_pool_new();
	return scheduler->jobs.definitions ? 0 : SCHEDD_ENOMEM;
}

void entry_free_pool(struct schedd_scheduler *scheduler)
{
	job_pool_free(scheduler->jobs.definitions);
	scheduler->jobs.definitions = NULL;
}

struct schedd_job *entry_seal(struct schedd_scheduler *scheduler, struct schedd_job *job)
{
	return job_pool_seal(scheduler->jobs.definitions, job);
}

struct entry *entry_find(const struct schedd_scheduler *scheduler, const char *id)
{
	return strmap_get(&scheduler->jobs.entries, id);
}

struct entry *entry_get(const struct schedd_scheduler *scheduler, const char *id)
{
	struct entry *entry = entry_find(scheduler, id);

	return entry && !entry->hidden ? entry : NULL;
}

struct entry *entry_new(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct store_slot *store)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry || !entry_order_room(scheduler)) {
		free(entry);
		return NULL;
	}
	if (accounts_add_job(scheduler, job)) {
		free(entry);
		return NULL;
	}
	entry->job = job_ref(job);
	job_state_init(&entry->state);
	entry->store = store;
	entry->executor = ENTRY_NOWHERE;
	entry->last_state = RUN_QUEUED;
	entry->hidden = true;
	entry->busy = true;
	entry->owned = accounts_of(scheduler, job->id) != NULL;
	heap_node_init(&entry->due);
	if (strmap_put(&scheduler->jobs.entries, entry)) {
		accounts_drop_job(scheduler, job);
		job_unref(entry->job);
		free(entry);
		return NULL;
	}
	entry_order_add(scheduler, entry);
	owners_add(scheduler, job);
	return entry;
}

bool entry_own_retention(const struct entry *entry)
{
	const struct job_details *details = job_details(entry->job);

	return details->keep_runs >= 0 || details->keep_for != SCHEDD_SPAN_NONE;
}

static void entry_count(struct schedd_scheduler *scheduler, const struct entry *entry, int by)
{
	struct executor_slot *executor = entry_executor(entry);

	entry_count_place(entry, by);
	entry_note_part(entry);

	scheduler->jobs.visible += (uint32_t)by;
	entry->store->entries += (uint32_t)by;
	if (executor)
		executor->entries += (uint32_t)by;
	if (entry->state.paused)
		scheduler->jobs.paused += (uint32_t)by;
	if (entry_own_retention(entry))
		scheduler->jobs.own_retention += (uint32_t)by;
}

bool entry_show(struct schedd_scheduler *scheduler, struct entry *entry)
{
	entry->hidden = false;
	entry_find_executor(scheduler, entry);
	entry_count(scheduler, entry, 1);
	(void)entry_locate(entry);
	return after_link(scheduler, entry);
}

static void entry_release(struct entry *entry)
{
	if (entry->aside) {
		entry_set_tail(entry, NULL);
		free(entry->aside->pause_text);
		free(entry->aside->raw);
		free(entry->aside);
	}
	job_state_clear(&entry->state);
	job_unref(entry->job);
	free(entry);
}

static void entry_forget_exhausted(struct schedd_scheduler *scheduler, uint32_t at)
{
	scheduler->jobs.exhausted[at]->noted = false;
	scheduler->jobs.exhausted[at] = scheduler->jobs.exhausted[--scheduler->jobs.exhausted_count];
}

void entry_free(struct schedd_scheduler *scheduler, struct entry *entry)
{
	for (uint32_t at = 0; entry->noted; at++)
		if (scheduler->jobs.exhausted[at] == entry)
			entry_forget_exhausted(scheduler, at);
	due_queue_remove(scheduler, entry);
	strmap_remove(&scheduler->jobs.entries, entry->job->id);
	accounts_drop_job(scheduler, entry->job);
	owners_drop(scheduler, entry->job);
	entry_order_drop(scheduler, entry);
	if (!entry->hidden) {
		entry_count(scheduler, entry, -1);
		after_unlink(scheduler, entry);
	}
	entry_release(entry);
}

void entry_free_all(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct entry *entry;

	due_queue_free(scheduler);
	while ((entry = strmap_next(&scheduler->jobs.entries, &position)))
		entry_release(entry);
	strmap_clear(&scheduler->jobs.entries);
	entry_order_free(scheduler);
	owners_free(scheduler);
	free(scheduler->jobs.exhausted);
	scheduler->jobs.exhausted = NULL;
	scheduler->jobs.exhausted_count = scheduler->jobs.exhausted_capacity = 0;
}

void entry_define(struct schedd_scheduler *scheduler, struct entry *entry, struct schedd_job *job)
{
	/* The map's keys point into the definition: same text, other memory, no rehash needed. */
	struct schedd_job *old = entry->job;

	if (!entry->hidden) {
		entry_count(scheduler, entry, -1);
		after_unlink(scheduler, entry);
	}
	owners_drop(scheduler, entry->job);
	owners_add(scheduler, job);
	accounts_redefine_job(scheduler, old, job);
	entry->job = job;
	entry_find_executor(scheduler, entry);
	if (!entry->hidden) {
		entry_count(scheduler, entry, 1);
		after_link(scheduler, entry);
	}
	/* Its group may be another, and where it may run. */
	entry_slots_forget(scheduler, entry->position);
	(void)entry_locate(entry);
	job_unref(old);
}

int entry_rename(struct schedd_scheduler *scheduler, struct entry *entry, struct schedd_job *job)
{
	struct schedd_job *old = entry->job;
	int rc;

	if (!entry_order_room(scheduler))
		return SCHEDD_ENOMEM;
	strmap_remove(&scheduler->jobs.entries, old->id);
	entry_count_place(entry, -1);
	entry->job = job;
	entry_count_place(entry, 1);
	entry->owned = accounts_of(scheduler, job->id) != NULL;
	rc = strmap_put(&scheduler->jobs.entries, entry);
	if (rc) {
		/* The slot just given back is still free, so this cannot fail. */
		entry_count_place(entry, -1);
		entry->job = old;
		entry->owned = accounts_of(scheduler, old->id) != NULL;
		entry_count_place(entry, 1);
		if (strmap_put(&scheduler->jobs.entries, entry))
			return SCHEDD_ENOMEM;
		return rc;
	}
	/* Its place in the order is another now: a hole here, a new entry at the tail. */
	entry_order_drop(scheduler, entry);
	entry_order_add(scheduler, entry);
	owners_drop(scheduler, old);
	owners_add(scheduler, job);
	(void)entry_locate(entry);
	/* The lists of after hold entries, so the new name changes nothing there. */
	job_unref(old);
	return 0;
}

void entry_move(struct entry *entry, struct store_slot *store)
{
	entry->store->entries--;
	store->entries++;
	entry->store = store;
	entry->known = 0;
	/* Its last row stays where it is. */
	entry_set_tail(entry, NULL);
}

static void entry_queue(struct schedd_scheduler *scheduler, struct entry *entry, schedd_time when)
{
	if (when == SCHEDD_TIME_NONE)
		due_queue_remove(scheduler, entry);
	else if (due_queue_set(scheduler, entry, when))
		log_error(scheduler->log, "job %s: no memory to plan it", entry->job->id);
}

void entry_plan_after(struct schedd_scheduler *scheduler, struct entry *entry, schedd_time earliest)
{
	const struct job_state *state = &entry->state;
	schedd_time when = state->paused ? state->paused_until : state->next_run_time;

	if (entry->busy || entry->hidden || entry->moving || entry->foreign || state->finished ||
	    state->invalid ||
	    (entry->owned && (accounts_held(accounts_of_entry(entry)) ||
				 accounts_apart(accounts_of_entry(entry), entry->job))))
		when = SCHEDD_TIME_NONE;
	if (when != SCHEDD_TIME_NONE && when < earliest)
		when = earliest;
	entry_queue(scheduler, entry, when);
}

void entry_plan(struct schedd_scheduler *scheduler, struct entry *entry)
{
	entry_plan_after(scheduler, entry, SCHEDD_TIME_NONE);
}

void entry_unplan(struct schedd_scheduler *scheduler, struct entry *entry)
{
	due_queue_remove(scheduler, entry);
}

schedd_time entry_next_due(const struct schedd_scheduler *scheduler)
{
	return due_queue_next(scheduler);
}

struct entry *entry_due(struct schedd_scheduler *scheduler, schedd_time now)
{
	return due_queue_take(scheduler, now);
}

void entry_take_state(
    struct schedd_scheduler *scheduler, struct entry *entry, struct job_state *state)
{
	entry_note_part(entry);
	if (!entry->hidden)
		scheduler->jobs.paused += (uint32_t)state->paused - entry->state.paused;
	job_state_clear(&entry->state);
	entry->state = *state;
	job_state_init(state);
}

struct entry *entry_walk(const struct schedd_scheduler *scheduler, uint32_t *position)
{
	return strmap_next(&scheduler->jobs.entries, position);
}

uint32_t entry_count_all(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.entries.count;
}

uint32_t entry_paused_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.paused;
}

uint32_t entry_own_retention_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.own_retention;
}

bool entry_exhausted(const struct entry *entry)
{
	const struct schedd_job *job = entry->job;
	const struct job_details *details = job_details(job);
	const struct job_state *state = &entry->state;

	if (entry->live || state->finished || state->invalid || entry->hidden || entry->foreign)
		return false;
	if (details->max_runs && state->run_count >= details->max_runs)
		return true;
	if (state->next_fire != SCHEDD_TIME_NONE || state->next_run_time != SCHEDD_TIME_NONE)
		return false;
	return trigger_has_clock(job->trigger) && !trigger_events(job->trigger) &&
	       !details->after_count;
}

void entry_note_exhausted(struct schedd_scheduler *scheduler, struct entry *entry)
{
	uint32_t capacity = scheduler->jobs.exhausted_capacity;

	if (entry->noted || entry->busy || !entry_exhausted(entry))
		return;
	if (scheduler->jobs.exhausted_count == capacity) {
		struct entry **grown;

		capacity = capacity ? capacity * 2 : 16;
		grown = realloc(scheduler->jobs.exhausted, capacity * sizeof(grown[0]));
		if (!grown) {
			entry_exhausted_later(scheduler);
			return;
		}
		scheduler->jobs.exhausted = grown;
		scheduler->jobs.exhausted_capacity = capacity;
	}
	scheduler->jobs.exhausted[scheduler->jobs.exhausted_count++] = entry;
	entry->noted = true;
}

void entry_exhausted_later(struct schedd_scheduler *scheduler)
{
	struct schedd_mono when = {scheduler_mono(scheduler).us + SCHEDD_SECOND};

	if (!scheduler->jobs.exhausted_left)
		log_error(scheduler->log, "no memory to remove jobs that have run for the last time");
	scheduler->jobs.exhausted_left = true;
	/* Where there is no memory for that either, it is when something else happens. */
	if (timers_set(&scheduler->timers, &scheduler->jobs.exhausted_again, when))
		return;
}

static void entry_find_exhausted(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct entry *entry;

	scheduler->jobs.exhausted_left = false;
	while ((entry = strmap_next(&scheduler->jobs.entries, &position)))
		entry_note_exhausted(scheduler, entry);
}

struct entry *entry_take_exhausted(struct schedd_scheduler *scheduler)
{
	if (scheduler->jobs.exhausted_left && !timer_is_set(&scheduler->jobs.exhausted_again))
		entry_find_exhausted(scheduler);
	for (uint32_t at = 0; at < scheduler->jobs.exhausted_count;) {
		struct entry *entry = scheduler->jobs.exhausted[at];
		bool still = !entry->busy && entry_exhausted(entry);

		if (still && !store_slot_takes_ends(entry->store)) {
			at++;
			continue;
		}
		entry_forget_exhausted(scheduler, at);
		if (still)
			return entry;
	}
	return NULL;
}

const struct entry_aside *entry_aside(const struct entry *entry)
{
	static const struct entry_aside nothing = {.waiters = NULL};

	return entry->aside ? entry->aside : &nothing;
}

struct entry_aside *entry_aside_edit(struct entry *entry)
{
	if (!entry->aside)
		entry->aside = calloc(1, sizeof(*entry->aside));
	return entry->aside;
}

int entry_wait(struct entry *entry, struct entry_waiter *waiter)
{
	struct entry_aside *aside = entry_aside_edit(entry);
	struct entry_waiter **end;

	if (!aside)
		return SCHEDD_ENOMEM;
	for (end = &aside->waiters; *end;)
		end = &(*end)->next;
	waiter->next = NULL;
	*end = waiter;
	return 0;
}

struct entry_waiter *entry_take_waiters(struct entry *entry)
{
	struct entry_waiter *waiters = entry_aside(entry)->waiters;

	if (waiters)
		entry->aside->waiters = NULL;
	return waiters;
}

void entry_inherit_waiters(struct entry *entry, struct entry *from)
{
	struct entry_waiter **end;

	if (!entry_aside(from)->waiters)
		return;
	if (!entry->aside) {
		entry->aside = from->aside;
		from->aside = NULL;
		return;
	}
	for (end = &entry->aside->waiters; *end;)
		end = &(*end)->next;
	*end = entry_take_waiters(from);
}

void entry_set_tail(struct entry *entry, struct run *tail)
{
	struct entry_aside *aside = tail ? entry_aside_edit(entry) : entry->aside;
	struct run *old = aside ? aside->tail : tail;

	if (aside)
		aside->tail = tail;
	if (old)
		run_clear(old);
	free(old);
}

const char *entry_paused_by(const struct entry *entry)
{
	const char *text = entry_aside(entry)->pause_text;

	return text ? text : "paused";
}

void entry_set_pause_text(struct entry *entry, char *text)
{
	struct entry_aside *aside = text ? entry_aside_edit(entry) : entry->aside;

	if (!aside) {
		free(text);
		return;
	}
	free(aside->pause_text);
	aside->pause_text = text;
}

struct executor_slot *entry_executor(const struct entry *entry)
{
	return entry->executor == ENTRY_NOWHERE
		   ? NULL
		   : entry->store->scheduler->jobs.executors[entry->executor];
}

void entry_find_executor(struct schedd_scheduler *scheduler, struct entry *entry)
{
	const struct executor_slot *slot =
	    executors_find(scheduler, job_executor(entry->job));

	entry->executor = slot ? slot->place : ENTRY_NOWHERE;
}

static bool entry_check_one(const struct entry *entry)
{
	if ((entry->busy || entry->hidden || entry->foreign) && heap_queued(&entry->due))
		return false;
	if (entry_aside(entry)->waiters && !entry->busy)
		return false;
	return true;
}

bool entry_check(const struct schedd_scheduler *scheduler)
{
	uint32_t position = 0, visible = 0, paused = 0, own = 0;
	const struct entry *entry;

	if (!strmap_check(&scheduler->jobs.entries) || !due_queue_check(scheduler) ||
	    !entry_order_check(scheduler))
		return false;
	while ((entry = strmap_next(&scheduler->jobs.entries, &position))) {
		if (!entry_check_one(entry))
			return false;
		visible += !entry->hidden;
		paused += !entry->hidden && entry->state.paused;
		own += !entry->hidden && entry_own_retention(entry);
	}
	return visible == scheduler->jobs.visible && paused == scheduler->jobs.paused &&
	       own == scheduler->jobs.own_retention;
}

const struct schedd_job *scheduler_job_peek(struct schedd_scheduler *scheduler, const char *id)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? entry->job : NULL;
}

uint64_t scheduler_job_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.visible;
}

bool scheduler_job_planned(
    struct schedd_scheduler *scheduler, const char *id, struct scheduler_job_plan *out)
{
	const struct entry *entry = entry_get(scheduler, id);
	uint64_t most;

	if (!entry)
		return false;
	most = job_details(entry->job)->max_runs;
	*out = (struct scheduler_job_plan){.run = entry->state.next_run_time,
	    .fire = entry->state.next_fire,
	    .runs_left = UINT64_MAX};
	if (most > 0)
		out->runs_left = most > entry->state.run_count ? most - entry->state.run_count : 0;
	return true;
}
