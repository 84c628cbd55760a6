/* SPDX-License-Identifier: MIT */
/*
 * The index of jobs. Order of ids is kept lazily: new entries gather behind
 * the ordered ones, removed ones leave holes, and a walk tidies up first. So a
 * walk is O(n) after changes, and adding costs nothing extra.
 */
#include "core/jobs/entry.h"

#include <stdlib.h>
#include <string.h>
#include "core/frame/store_slot.h"
#include "core/jobs/after.h"
#include "core/jobs/executors.h"

_Static_assert(sizeof(struct entry) <= 136, "an entry has grown");

struct entry *entry_find(const struct schedd_scheduler *scheduler, const char *id)
{
	return strmap_get(&scheduler->entries, id);
}

struct entry *entry_get(const struct schedd_scheduler *scheduler, const char *id)
{
	struct entry *entry = entry_find(scheduler, id);

	return entry && !entry->hidden ? entry : NULL;
}

static bool entry_sorted_room(struct schedd_scheduler *scheduler)
{
	uint32_t used = scheduler->sorted_count + scheduler->sorted_tail;
	uint32_t capacity = scheduler->sorted_capacity;
	struct entry **sorted;

	if (used < capacity)
		return true;
	capacity = capacity ? capacity + capacity / 2 : 16;
	sorted = realloc(scheduler->sorted, capacity * sizeof(sorted[0]));
	if (!sorted)
		return false;
	scheduler->sorted = sorted;
	scheduler->sorted_capacity = capacity;
	return true;
}

struct entry *entry_new(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct store_slot *store)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry || !entry_sorted_room(scheduler)) {
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
	heap_node_init(&entry->due);
	if (strmap_put(&scheduler->entries, entry)) {
		job_unref(entry->job);
		free(entry);
		return NULL;
	}
	entry->position = scheduler->sorted_count + scheduler->sorted_tail++;
	scheduler->sorted[entry->position] = entry;
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

	scheduler->visible += (uint32_t)by;
	entry->store->entries += (uint32_t)by;
	if (executor)
		executor->entries += (uint32_t)by;
	if (entry->state.paused)
		scheduler->paused_jobs += (uint32_t)by;
	if (entry_own_retention(entry))
		scheduler->own_retention += (uint32_t)by;
}

void entry_show(struct schedd_scheduler *scheduler, struct entry *entry)
{
	entry->hidden = false;
	entry_find_executor(scheduler, entry);
	entry_count(scheduler, entry, 1);
	after_link(scheduler, entry);
}

static void entry_release(struct entry *entry)
{
	if (entry->aside) {
		entry_set_tail(entry, NULL);
		free(entry->aside->pause_text);
		free(entry->aside);
	}
	job_state_clear(&entry->state);
	job_unref(entry->job);
	free(entry);
}

static void entry_forget_exhausted(struct schedd_scheduler *scheduler, uint32_t at)
{
	scheduler->exhausted[at]->noted = false;
	scheduler->exhausted[at] = scheduler->exhausted[--scheduler->exhausted_count];
}

void entry_free(struct schedd_scheduler *scheduler, struct entry *entry)
{
	for (uint32_t at = 0; entry->noted; at++)
		if (scheduler->exhausted[at] == entry)
			entry_forget_exhausted(scheduler, at);
	heap_remove(&scheduler->due, &entry->due);
	strmap_remove(&scheduler->entries, entry->job->id);
	scheduler->sorted[entry->position] = NULL;
	scheduler->sorted_holes++;
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

	heap_clear(&scheduler->due);
	while ((entry = strmap_next(&scheduler->entries, &position)))
		entry_release(entry);
	strmap_clear(&scheduler->entries);
	free(scheduler->sorted);
	free(scheduler->exhausted);
	scheduler->sorted = scheduler->exhausted = NULL;
	scheduler->exhausted_count = scheduler->exhausted_capacity = 0;
	scheduler->sorted_count = scheduler->sorted_tail = scheduler->sorted_holes = 0;
	scheduler->sorted_capacity = 0;
}

void entry_define(struct schedd_scheduler *scheduler, struct entry *entry, struct schedd_job *job)
{
	/* The map's keys point into the definition: same text, other memory, no rehash needed. */
	struct schedd_job *old = entry->job;

	if (!entry->hidden) {
		entry_count(scheduler, entry, -1);
		after_unlink(scheduler, entry);
	}
	entry->job = job;
	entry_find_executor(scheduler, entry);
	if (!entry->hidden) {
		entry_count(scheduler, entry, 1);
		after_link(scheduler, entry);
	}
	job_unref(old);
}

int entry_rename(struct schedd_scheduler *scheduler, struct entry *entry, struct schedd_job *job)
{
	struct schedd_job *old = entry->job;
	int rc;

	if (!entry_sorted_room(scheduler))
		return SCHEDD_ENOMEM;
	strmap_remove(&scheduler->entries, old->id);
	entry->job = job;
	rc = strmap_put(&scheduler->entries, entry);
	if (rc) {
		/* The slot just given back is still free, so this cannot fail. */
		entry->job = old;
		if (strmap_put(&scheduler->entries, entry))
			return SCHEDD_ENOMEM;
		return rc;
	}
	/* Its place in the order is another now: a hole here, a new entry at the tail. */
	scheduler->sorted[entry->position] = NULL;
	scheduler->sorted_holes++;
	entry->position = scheduler->sorted_count + scheduler->sorted_tail++;
	scheduler->sorted[entry->position] = entry;
	/* The lists of after hold entries, so the new name changes nothing there. */
	job_unref(old);
	return 0;
}

static void entry_queue(struct schedd_scheduler *scheduler, struct entry *entry, schedd_time when)
{
	if (when == SCHEDD_TIME_NONE)
		heap_remove(&scheduler->due, &entry->due);
	else if (heap_set(&scheduler->due, &entry->due, when))
		log_error(scheduler->log, "job %s: no memory to plan it", entry->job->id);
}

void entry_plan_after(struct schedd_scheduler *scheduler, struct entry *entry, schedd_time earliest)
{
	const struct job_state *state = &entry->state;
	schedd_time when = state->paused ? state->paused_until : state->next_run_time;

	if (entry->busy || entry->hidden || state->finished || state->invalid)
		when = SCHEDD_TIME_NONE;
	if (when != SCHEDD_TIME_NONE && when < earliest)
		when = earliest;
	entry_queue(scheduler, entry, when);
}

void entry_plan(struct schedd_scheduler *scheduler, struct entry *entry)
{
	entry_plan_after(scheduler, entry, SCHEDD_TIME_NONE);
}

static int entry_compare(const void *a, const void *b)
{
	const struct entry *const *left = a, *const *right = b;

	return strcmp((*left)->job->id, (*right)->job->id);
}

/* Merges the ordered tail into the ordered front, from the back. */
static int entry_merge(struct entry **sorted, uint32_t front, uint32_t tail)
{
	uint32_t to = front + tail;
	struct entry **copy;

	if (!front || !tail)
		return 0;
	copy = malloc(tail * sizeof(copy[0]));
	if (!copy)
		return SCHEDD_ENOMEM;
	memcpy(copy, sorted + front, tail * sizeof(copy[0]));
	while (tail > 0) {
		if (front > 0 && entry_compare(&sorted[front - 1], &copy[tail - 1]) > 0)
			sorted[--to] = sorted[--front];
		else
			sorted[--to] = copy[--tail];
	}
	free(copy);
	return 0;
}

/* Moves entries over holes within [from, to); returns how many remain. */
static uint32_t entry_squeeze(struct entry **sorted, uint32_t from, uint32_t to, uint32_t at)
{
	uint32_t kept = at;

	for (uint32_t i = from; i < to; i++)
		if (sorted[i])
			sorted[kept++] = sorted[i];
	return kept - at;
}

static void entry_tidy(struct schedd_scheduler *scheduler)
{
	struct entry **sorted = scheduler->sorted;
	uint32_t count = scheduler->sorted_count, all = count + scheduler->sorted_tail;
	uint32_t front, tail;

	if (!scheduler->sorted_tail && !scheduler->sorted_holes)
		return;
	front = entry_squeeze(sorted, 0, count, 0);
	tail = entry_squeeze(sorted, count, all, front);
	if (tail)
		qsort(sorted + front, tail, sizeof(sorted[0]), entry_compare);
	if (entry_merge(sorted, front, tail))
		qsort(sorted, front + tail, sizeof(sorted[0]), entry_compare);
	for (uint32_t i = 0; i < front + tail; i++)
		sorted[i]->position = i;
	scheduler->sorted_count = front + tail;
	scheduler->sorted_tail = scheduler->sorted_holes = 0;
}

static struct entry *entry_visible_from(const struct schedd_scheduler *scheduler, uint32_t at)
{
	for (; at < scheduler->sorted_count; at++)
		if (scheduler->sorted[at] && !scheduler->sorted[at]->hidden)
			return scheduler->sorted[at];
	return NULL;
}

struct entry *entry_first(struct schedd_scheduler *scheduler, const char *after)
{
	uint32_t low = 0, high;

	entry_tidy(scheduler);
	high = after ? scheduler->sorted_count : 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(scheduler->sorted[middle]->job->id, after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return entry_visible_from(scheduler, low);
}

struct entry *entry_next(const struct schedd_scheduler *scheduler, const struct entry *entry)
{
	return entry_visible_from(scheduler, entry->position + 1);
}

bool entry_exhausted(const struct entry *entry)
{
	const struct schedd_job *job = entry->job;
	const struct job_details *details = job_details(job);
	const struct job_state *state = &entry->state;

	if (entry->live || state->finished || state->invalid || entry->hidden)
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
	uint32_t capacity = scheduler->exhausted_capacity;

	if (entry->noted || entry->busy || !entry_exhausted(entry))
		return;
	if (scheduler->exhausted_count == capacity) {
		struct entry **grown;

		capacity = capacity ? capacity * 2 : 16;
		grown = realloc(scheduler->exhausted, capacity * sizeof(grown[0]));
		if (!grown) {
			log_error(scheduler->log, "job %s: no memory to end it", entry->job->id);
			return;
		}
		scheduler->exhausted = grown;
		scheduler->exhausted_capacity = capacity;
	}
	scheduler->exhausted[scheduler->exhausted_count++] = entry;
	entry->noted = true;
}

struct entry *entry_take_exhausted(struct schedd_scheduler *scheduler)
{
	struct schedd_mono now = {0};

	for (uint32_t at = 0; at < scheduler->exhausted_count;) {
		struct entry *entry = scheduler->exhausted[at];
		bool still = !entry->busy && entry_exhausted(entry);

		if (!now.us)
			now = scheduler_mono(scheduler);
		if (still && !store_slot_ready(entry->store, now)) {
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
	static const struct entry_aside nothing = {NULL, NULL, NULL};

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
		   : entry->store->scheduler->executors[entry->executor];
}

void entry_find_executor(struct schedd_scheduler *scheduler, struct entry *entry)
{
	const struct executor_slot *slot =
	    executors_find(scheduler, job_executor(entry->job));

	entry->executor = slot ? slot->place : ENTRY_NOWHERE;
}

static bool entry_check_one(const struct schedd_scheduler *scheduler, const struct entry *entry)
{
	if (scheduler->sorted[entry->position] != entry)
		return false;
	if ((entry->busy || entry->hidden) && heap_queued(&entry->due))
		return false;
	if (entry_aside(entry)->waiters && !entry->busy)
		return false;
	return true;
}

bool entry_check(const struct schedd_scheduler *scheduler)
{
	uint32_t position = 0, visible = 0, paused = 0, own = 0;
	const struct entry *entry;

	if (!strmap_check(&scheduler->entries) || !heap_check(&scheduler->due))
		return false;
	while ((entry = strmap_next(&scheduler->entries, &position))) {
		if (!entry_check_one(scheduler, entry))
			return false;
		visible += !entry->hidden;
		paused += !entry->hidden && entry->state.paused;
		own += !entry->hidden && entry_own_retention(entry);
	}
	for (uint32_t i = 1; i < scheduler->sorted_count; i++)
		if (scheduler->sorted[i - 1] && scheduler->sorted[i] &&
		    entry_compare(&scheduler->sorted[i - 1], &scheduler->sorted[i]) >= 0)
			return false;
	return visible == scheduler->visible && paused == scheduler->paused_jobs &&
	       own == scheduler->own_retention;
}

const struct schedd_job *scheduler_job_peek(struct schedd_scheduler *scheduler, const char *id)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? entry->job : NULL;
}
