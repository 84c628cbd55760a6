/* SPDX-License-Identifier: MIT */
/*
 * Looking for jobs: by id, by pattern, tag, state; page by page in the order
 * of ids or of next runs. The second order is not kept: each page is chosen
 * out of all jobs, in memory of the size of a page.
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "core/jobs/entry.h"
#include "core/runs/job_value.h"

const char *scheduler_job_state(struct schedd_scheduler *scheduler, const char *id)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? job_value_word(entry) : NULL;
}

static bool scheduler_find_pattern(const char *const *patterns, const char *id)
{
	if (!patterns || !patterns[0])
		return true;
	for (; *patterns; patterns++)
		if (strcmp(*patterns, id) == 0 || fnmatch(*patterns, id, 0) == 0)
			return true;
	return false;
}

static bool scheduler_find_tags(const char *const *tags, const struct schedd_job *job)
{
	const struct job_pairs *have = &job_details(job)->tags;

	for (; tags && *tags; tags++) {
		const char *equals = strchr(*tags, '=');
		size_t length = equals ? (size_t)(equals - *tags) : strlen(*tags);
		bool found = false;

		for (uint32_t i = 0; i < have->count && !found; i++)
			found = strlen(have->items[i].name) == length &&
				strncmp(have->items[i].name, *tags, length) == 0 &&
				(!equals || strcmp(have->items[i].text, equals + 1) == 0);
		if (!found)
			return false;
	}
	return true;
}

static bool scheduler_find_state(const char *const *states, const struct entry *entry)
{
	if (!states || !states[0])
		return true;
	for (; *states; states++)
		if (strcmp(*states, job_value_word(entry)) == 0)
			return true;
	return false;
}

static bool scheduler_find_same(const char *wanted, const char *have)
{
	return !wanted || (have && strcmp(wanted, have) == 0);
}

static bool scheduler_find_match(const struct entry *entry, const struct scheduler_job_query *query)
{
	const struct schedd_job *job = entry->job;
	const struct job_details *details = job_details(job);

	if (!scheduler_find_pattern(query->patterns, job->id) ||
	    !scheduler_find_same(query->store, entry->store->name) ||
	    !scheduler_find_same(query->owner, details->owner) ||
	    !scheduler_find_same(query->group, details->group))
		return false;
	if (query->failed &&
	    (entry->last_state < RUN_FAILED || entry->last_state == RUN_CANCELLED ||
		entry->last_state == RUN_SKIPPED || entry->last_state == RUN_MISSED))
		return false;
	if (query->due_before != SCHEDD_TIME_NONE &&
	    (entry->state.next_run_time == SCHEDD_TIME_NONE ||
		entry->state.next_run_time > query->due_before))
		return false;
	return scheduler_find_tags(query->tags, job) && scheduler_find_state(query->states, entry);
}

/* ---- In the order of ids ---- */

static void scheduler_find_by_id(struct schedd_scheduler *scheduler,
    const struct scheduler_job_query *query, scheduler_job_fn call, void *context,
    struct strbuf *next)
{
	uint64_t found = 0;
	const char *last = NULL;

	for (struct entry *entry = entry_first(scheduler, query->after); entry;
	     entry = entry_next(scheduler, entry)) {
		if (!scheduler_find_match(entry, query))
			continue;
		if (query->limit && found == query->limit) {
			strbuf_add(next, last);
			return;
		}
		last = entry->job->id;
		found++;
		call(last, context);
	}
}

/* ---- In the order of next runs ---- */

/* Without a next run: behind all times; paused: at the very end. */
#define FIND_NO_TIME (INT64_MAX - 1)
#define FIND_PAUSED INT64_MAX

struct find_item {
	int64_t key;
	const char *id;
};

/* The best so far. Twice the room of a page, so that sorting is rare. */
struct find_page {
	struct find_item *items;
	size_t count, capacity;
	size_t keep;            /* of the best, when there is no room; 0: all */
	struct find_item worst; /* nothing behind it is wanted; id NULL: not known yet */
};

static struct find_item scheduler_find_item(const struct entry *entry)
{
	const struct job_state *state = &entry->state;
	bool never = state->next_run_time == SCHEDD_TIME_NONE;

	return (struct find_item){
	    .key = state->paused ? FIND_PAUSED
		   : never       ? FIND_NO_TIME
				 : state->next_run_time,
	    .id = entry->job->id,
	};
}

static int scheduler_find_compare(const void *a, const void *b)
{
	const struct find_item *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return strcmp(left->id, right->id);
}

static void scheduler_find_sort(struct find_page *page)
{
	if (page->count)
		qsort(page->items, page->count, sizeof(page->items[0]), scheduler_find_compare);
	if (page->keep && page->count > page->keep)
		page->count = page->keep;
	if (page->keep && page->count == page->keep)
		page->worst = page->items[page->keep - 1];
}

static int scheduler_find_offer(struct find_page *page, const struct find_item *item)
{
	struct find_item *items;
	size_t capacity;

	if (page->count == page->capacity && page->keep && page->capacity >= 2 * page->keep)
		scheduler_find_sort(page);
	if (page->worst.id && scheduler_find_compare(item, &page->worst) > 0)
		return 0;
	if (page->count == page->capacity) {
		capacity = page->capacity ? page->capacity * 2 : 256;
		items = realloc(page->items, capacity * sizeof(items[0]));
		if (!items)
			return SCHEDD_ENOMEM;
		page->items = items;
		page->capacity = capacity;
	}
	page->items[page->count++] = *item;
	return 0;
}

/* "KEY ID"; false: no cursor. */
static bool scheduler_find_cursor(const char *text, struct find_item *item)
{
	char *end;

	errno = 0;
	item->key = strtoll(text, &end, 10);
	item->id = end + 1;
	return end != text && *end == ' ' && errno == 0;
}

static int scheduler_find_by_next(struct schedd_scheduler *scheduler,
    const struct scheduler_job_query *query, scheduler_job_fn call, void *context,
    struct strbuf *next)
{
	struct find_page page = {.keep = query->limit ? (size_t)query->limit + 1 : 0};
	struct find_item after = {0}, item;
	size_t shown;
	int rc = 0;

	if (query->after && !scheduler_find_cursor(query->after, &after))
		return SCHEDD_EINVAL;
	for (struct entry *entry = entry_first(scheduler, NULL); entry && !rc;
	     entry = entry_next(scheduler, entry)) {
		item = scheduler_find_item(entry);
		if (after.id && scheduler_find_compare(&item, &after) <= 0)
			continue;
		if (scheduler_find_match(entry, query))
			rc = scheduler_find_offer(&page, &item);
	}
	scheduler_find_sort(&page);
	shown = query->limit && page.count > query->limit ? (size_t)query->limit : page.count;
	for (size_t i = 0; i < shown && !rc; i++)
		call(page.items[i].id, context);
	if (shown < page.count && !rc)
		strbuf_printf(
		    next, "%" PRId64 " %s", page.items[shown - 1].key, page.items[shown - 1].id);
	free(page.items);
	return rc;
}

int scheduler_job_find(struct schedd_scheduler *scheduler, const struct scheduler_job_query *query,
    scheduler_job_fn call, void *context, struct strbuf *next, struct schedd_error *err)
{
	int rc = 0;

	if (query->by_next)
		rc = scheduler_find_by_next(scheduler, query, call, context, next);
	else
		scheduler_find_by_id(scheduler, query, call, context, next);
	if (rc == SCHEDD_EINVAL)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "after: '%.64s' is not the 'next' of an answer in this order", query->after);
	return rc || strbuf_failed(next) ? schedd_error_nomem(err) : 0;
}

/* ---- Owners ---- */

static const char *scheduler_find_text(const void *item)
{
	return item;
}

struct value scheduler_owners(
    struct schedd_scheduler *scheduler, const char *prefix, struct arena *arena)
{
	struct value list = value_array();
	struct strmap seen;

	strmap_init(&seen, scheduler_find_text);
	for (struct entry *entry = entry_first(scheduler, NULL); entry;
	     entry = entry_next(scheduler, entry)) {
		const char *owner = job_details(entry->job)->owner;
		char *copy;

		if (!owner || strncmp(owner, prefix, strlen(prefix)) != 0 ||
		    strmap_get(&seen, owner))
			continue;
		copy = arena_strdup(arena, owner);
		if (copy && strmap_put(&seen, copy) == 0)
			value_append(arena, &list, value_string_ref(copy));
	}
	strmap_clear(&seen);
	return list;
}
