/* SPDX-License-Identifier: MIT */
/*
 * The order of ids is kept lazily: new entries gather behind the ordered ones,
 * removed ones leave holes, and a walk tidies up first. So a walk is O(n) after
 * changes, and adding costs nothing extra.
 */
#include "core/jobs/entry_order.h"

#include <stdlib.h>
#include <string.h>
#include "core/jobs/entry_slots.h"

bool entry_order_room(struct schedd_scheduler *scheduler)
{
	uint32_t used = scheduler->jobs.sorted_count + scheduler->jobs.sorted_tail;
	uint32_t capacity = scheduler->jobs.sorted_capacity;
	struct entry **sorted;

	if (used < capacity)
		return true;
	capacity = capacity ? capacity + capacity / 2 : 16;
	sorted = realloc(scheduler->jobs.sorted, capacity * sizeof(sorted[0]));
	if (!sorted)
		return false;
	scheduler->jobs.sorted = sorted;
	scheduler->jobs.sorted_capacity = capacity;
	entry_slots_resize(scheduler, capacity);
	return true;
}

static int entry_order_compare(const void *a, const void *b)
{
	const struct entry *const *left = a, *const *right = b;

	return strcmp((*left)->job->id, (*right)->job->id);
}

/* Merges the ordered tail into the ordered front, from the back. */
static int entry_order_merge(struct entry **sorted, uint32_t front, uint32_t tail)
{
	uint32_t to = front + tail;
	struct entry **copy;

	if (!front || !tail || entry_order_compare(&sorted[front - 1], &sorted[front]) < 0)
		return 0;
	copy = malloc(tail * sizeof(copy[0]));
	if (!copy)
		return SCHEDD_ENOMEM;
	memcpy(copy, sorted + front, tail * sizeof(copy[0]));
	while (tail > 0) {
		if (front > 0 && entry_order_compare(&sorted[front - 1], &copy[tail - 1]) > 0)
			sorted[--to] = sorted[--front];
		else
			sorted[--to] = copy[--tail];
	}
	free(copy);
	return 0;
}

/* Moves entries over holes within [from, to); returns how many remain. */
static uint32_t entry_order_squeeze(struct entry **sorted, uint32_t from, uint32_t to, uint32_t at)
{
	uint32_t kept = at;

	for (uint32_t i = from; i < to; i++)
		if (sorted[i])
			sorted[kept++] = sorted[i];
	return kept - at;
}

static void entry_order_tidy(struct schedd_scheduler *scheduler)
{
	struct entry **sorted = scheduler->jobs.sorted;
	uint32_t count = scheduler->jobs.sorted_count, all = count + scheduler->jobs.sorted_tail;
	uint32_t front, tail;

	if (!scheduler->jobs.sorted_tail && !scheduler->jobs.sorted_holes)
		return;
	/* A store that is read gives them in order: a million are neither sorted nor numbered again for that. */
	if (!scheduler->jobs.sorted_holes && scheduler->jobs.sorted_tail_ordered &&
	    (!count || entry_order_compare(&sorted[count - 1], &sorted[count]) < 0)) {
		scheduler->jobs.sorted_count = all;
		scheduler->jobs.sorted_tail = 0;
		return;
	}
	front = entry_order_squeeze(sorted, 0, count, 0);
	tail = entry_order_squeeze(sorted, count, all, front);
	if (!scheduler->jobs.sorted_tail_ordered)
		qsort(sorted + front, tail, sizeof(sorted[0]), entry_order_compare);
	if (entry_order_merge(sorted, front, tail))
		qsort(sorted, front + tail, sizeof(sorted[0]), entry_order_compare);
	entry_slots_reorder(scheduler, front + tail);
	for (uint32_t i = 0; i < front + tail; i++)
		sorted[i]->position = i;
	scheduler->jobs.sorted_count = front + tail;
	scheduler->jobs.sorted_tail = scheduler->jobs.sorted_holes = 0;
}

static struct entry *entry_order_from(const struct schedd_scheduler *scheduler, uint32_t at)
{
	for (; at < scheduler->jobs.sorted_count; at++)
		if (scheduler->jobs.sorted[at] && !scheduler->jobs.sorted[at]->hidden)
			return scheduler->jobs.sorted[at];
	return NULL;
}

struct entry *entry_first(struct schedd_scheduler *scheduler, const char *after)
{
	uint32_t low = 0, high;

	entry_order_tidy(scheduler);
	high = after ? scheduler->jobs.sorted_count : 0;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(scheduler->jobs.sorted[middle]->job->id, after) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return entry_order_from(scheduler, low);
}

struct entry *entry_next(const struct schedd_scheduler *scheduler, const struct entry *entry)
{
	return entry_order_from(scheduler, entry->position + 1);
}

void entry_order_add(struct schedd_scheduler *scheduler, struct entry *entry)
{
	struct jobs_room *jobs = &scheduler->jobs;
	uint32_t position = jobs->sorted_count + jobs->sorted_tail;

	jobs->sorted[position] = entry;
	entry->position = position;
	if (!jobs->sorted_tail++)
		jobs->sorted_tail_ordered = true;
	else if (jobs->sorted_tail_ordered)
		jobs->sorted_tail_ordered =
		    jobs->sorted[position - 1] &&
		    entry_order_compare(&jobs->sorted[position - 1], &jobs->sorted[position]) < 0;
	entry_slots_forget(scheduler, position);
}

void entry_order_drop(struct schedd_scheduler *scheduler, const struct entry *entry)
{
	scheduler->jobs.sorted[entry->position] = NULL;
	scheduler->jobs.sorted_holes++;
}

void entry_order_free(struct schedd_scheduler *scheduler)
{
	struct jobs_room *jobs = &scheduler->jobs;

	free(jobs->sorted);
	entry_slots_free(scheduler);
	jobs->sorted = NULL;
	jobs->sorted_count = jobs->sorted_tail = jobs->sorted_holes = jobs->sorted_capacity = 0;
}

bool entry_order_check(const struct schedd_scheduler *scheduler)
{
	struct entry **sorted = scheduler->jobs.sorted;
	uint32_t position = 0;
	const struct entry *entry;

	while ((entry = strmap_next(&scheduler->jobs.entries, &position)))
		if (sorted[entry->position] != entry)
			return false;
	for (uint32_t i = 1; i < scheduler->jobs.sorted_count; i++)
		if (sorted[i - 1] && sorted[i] && entry_order_compare(&sorted[i - 1], &sorted[i]) >= 0)
			return false;
	return entry_slots_check(scheduler);
}
