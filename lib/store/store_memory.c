/* SPDX-License-Identifier: MIT */
/*
 * Type "memory": runs, changes and texts for as long as the process lives, no
 * thread, every call answered inside itself. Jobs are not kept a second time:
 * the scheduler has them.
 */
#include "store/store_memory.h"

#include <stdlib.h>
#include <string.h>
#include "store/store_changes.h"
#include "store/store_retention.h"
#include "store/store_stats.h"

#define MEMORY_RUNS 100000

static struct memory_store *memory_of(struct store *store)
{
	return (struct memory_store *)store;
}

static const char *memory_key(const void *item)
{
	return ((const struct memory_entry *)item)->key;
}

static int memory_open(
    struct store *store, const struct store_config *config, struct schedd_error *err)
{
	struct memory_store *memory = memory_of(store);
	int64_t max = config->max_runs > 0 ? config->max_runs : MEMORY_RUNS;

	(void)err;
	store_history_init(&memory->history, max < UINT32_MAX / 2 ? (uint32_t)max : UINT32_MAX / 2);
	strmap_init(&memory->entries, memory_key);
	return 0;
}

static void memory_close(struct store *store)
{
	struct memory_store *memory = memory_of(store);
	struct memory_entry *entry;
	uint32_t position = 0;

	store_history_clear(&memory->history);
	while ((entry = strmap_next(&memory->entries, &position)) != NULL) {
		free(entry->text);
		free(entry);
	}
	strmap_clear(&memory->entries);
	store_memory_keep_changes(memory, 0);
	free(memory->changes);
}

static void memory_status(struct store *store, struct arena *arena, struct value *map)
{
	const struct store_history *history = &memory_of(store)->history;

	value_put(arena, map, "runs", value_int(store_history_count(history, NULL)));
	value_put(arena, map, "bytes", value_int((int64_t)store_history_bytes(history)));
}

/* ---- Reading back: there is nothing from before ---- */

static int memory_load(
    struct store *store, store_load_fn call, void *context, struct schedd_error *err)
{
	(void)store, (void)call, (void)context, (void)err;
	return 0;
}

static int memory_load_unfinished(
    struct store *store, struct run **out, size_t *count, struct schedd_error *err)
{
	(void)store, (void)out, (void)count, (void)err;
	return 0;
}

static int64_t memory_load_number(struct store *store, const char *key, int64_t fallback)
{
	const struct memory_entry *entry = strmap_get(&memory_of(store)->entries, key);

	return entry && entry->set && !entry->text ? entry->number : fallback;
}

static int memory_compare_entry(const void *a, const void *b)
{
	const struct memory_entry *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int memory_load_texts(struct store *store, const char *prefix, store_text_fn call,
    void *context, struct schedd_error *err)
{
	struct memory_store *memory = memory_of(store);
	struct memory_entry *entry, **sorted;
	uint32_t position = 0, count = 0;

	sorted = calloc(memory->entries.count + 1, sizeof(struct memory_entry *));
	if (!sorted)
		return schedd_error_nomem(err);
	while ((entry = strmap_next(&memory->entries, &position)) != NULL)
		if (entry->text && strncmp(entry->key, prefix, strlen(prefix)) == 0)
			sorted[count++] = entry;
	qsort(sorted, count, sizeof(struct memory_entry *), memory_compare_entry);
	for (uint32_t i = 0; i < count; i++)
		call(sorted[i]->key, sorted[i]->text, context);
	free(sorted);
	return 0;
}

static uint32_t memory_last_run(struct store *store, const char *id)
{
	return store_history_last_run(&memory_of(store)->history, id);
}

/* ---- Asking ---- */

/* Fills runs with at most limit that match, with their serials. */
static int memory_collect(const struct store_history *history, const struct store_query *query,
    struct arena *found, size_t *count, const struct run **first, bool *more)
{
	const struct history_job *job = query->job ? store_history_find(history, query->job) : NULL;
	uint32_t place = query->job && !job ? HISTORY_NONE : store_history_newest(history, job);
	size_t capacity = 0;
	struct run *runs = NULL, run;

	for (; place != HISTORY_NONE; place = store_history_older(history, job, place)) {
		uint64_t here = store_history_serial(history, place);

		store_history_view(history, place, &run);
		if ((job ? run.number : here) >= query->before || !store_query_matches(query, &run))
			continue;
		if (*count == query->limit) {
			*more = true;
			break;
		}
		if (*count == capacity) {
			struct run *larger;

			capacity = capacity ? capacity * 2 : 64;
			larger = arena_alloc(found, capacity * sizeof(*larger));
			if (!larger)
				return SCHEDD_ENOMEM;
			if (*count)
				memcpy(larger, runs, *count * sizeof(*larger));
			runs = larger;
		}
		run.serial = here;
		runs[(*count)++] = run;
	}
	*first = runs;
	return 0;
}

static void memory_query_runs(
    struct store *store, const struct store_run_query *from, store_runs_fn call, void *context)
{
	char cursor[STORE_CURSOR_MAX];
	struct store_query query;
	struct schedd_error err;
	const struct run *runs = NULL;
	size_t count = 0;
	bool more = false;
	int rc = store_query_init(&query, from, &err);

	if (rc == 0 && memory_collect(&memory_of(store)->history, &query, &query.arena, &count,
			   &runs, &more) < 0)
		rc = schedd_error_nomem(&err);
	if (rc < 0) {
		call(rc, &err, NULL, 0, NULL, context);
	} else {
		if (more)
			store_query_cursor(&query, &runs[count - 1], cursor);
		call(0, NULL, runs, count, more ? cursor : NULL, context);
	}
	store_query_clear(&query);
}

static void memory_query_changes(struct store *store, const char *job, schedd_time since,
    uint64_t limit, store_value_fn call, void *context)
{
	const struct memory_store *memory = memory_of(store);
	struct schedd_error err;
	struct arena arena;
	struct value list = value_array();

	arena_init(&arena);
	for (uint64_t i = 0; i < memory->changes_kept && list.array.count < limit; i++) {
		const struct memory_change *change = store_memory_change(memory, i);

		if (since != SCHEDD_TIME_NONE && change->when < since)
			continue;
		if (!job || (change->job && strcmp(job, change->job) == 0))
			store_changes_add(&arena, &list, change->when, change->job, change->json);
	}
	if (arena_failed(&arena)) {
		schedd_error_nomem(&err);
		call(SCHEDD_ENOMEM, &err, NULL, context);
	} else {
		call(0, NULL, &list, context);
	}
	arena_clear(&arena);
}

static void memory_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context)
{
	const struct store_history *history = &memory_of(store)->history;
	const struct history_job *one = job ? store_history_find(history, job) : NULL;
	uint32_t place = job && !one ? HISTORY_NONE : store_history_newest(history, one);
	struct store_stats stats;
	struct schedd_error err;
	struct arena arena;
	struct value list;
	int rc;

	arena_init(&arena);
	store_stats_init(&stats);
	for (; place != HISTORY_NONE; place = store_history_older(history, one, place)) {
		schedd_time done_at;
		struct run run;

		store_history_view(history, place, &run);
		done_at = store_query_done_at(&run);
		if (done_at != SCHEDD_TIME_NONE && done_at >= since)
			store_stats_add(&stats, &run);
	}
	rc = store_stats_answer(&stats, &arena, &list, &err);
	call(rc, rc < 0 ? &err : NULL, rc < 0 ? NULL : &list, context);
	store_stats_clear(&stats);
	arena_clear(&arena);
}

/* ---- Housekeeping ---- */

static void memory_retain(struct store *store, const char *job,
    const struct store_retention *retention, uint32_t budget, store_done_fn done, void *context)
{
	struct memory_store *memory = memory_of(store);
	schedd_time now = store->clock->wall(store->clock->context);
	struct store_rules rules;
	struct schedd_error err;
	int rc;

	if (store_rules_init(&rules, job, retention) < 0) {
		rc = schedd_error_nomem(&err);
	} else {
		rc = (int)store_rules_apply(&rules, &memory->history, budget, now);
		if (!job && retention->max_changes > 0)
			store_memory_keep_changes(memory, (uint64_t)retention->max_changes);
		if (!job && retention->keep_for != SCHEDD_SPAN_NONE)
			while (memory->changes_kept > 0 &&
			       store_memory_change(memory, memory->changes_kept - 1)->when <
				   now - retention->keep_for)
				store_memory_keep_changes(memory, memory->changes_kept - 1);
	}
	store_rules_clear(&rules);
	if (done)
		done(rc, rc < 0 ? &err : NULL, context);
}

static void memory_backup(struct store *store, const char *path, store_done_fn done, void *context)
{
	struct schedd_error err;

	(void)path;
	schedd_error_set(&err, SCHEDD_EINVAL,
	    "store '%s': type 'memory' keeps nothing that could be copied", store->name);
	if (done)
		done(SCHEDD_EINVAL, &err, context);
}

const struct store_ops store_memory_ops = {
    .type = "memory",
    .durable = false,
    .needs_path = false,
    .keeps_jobs = false,
    .size = sizeof(struct memory_store),
    .open = memory_open,
    .close = memory_close,
    .status = memory_status,
    .load = memory_load,
    .load_unfinished = memory_load_unfinished,
    .load_number = memory_load_number,
    .load_texts = memory_load_texts,
    .last_run = memory_last_run,
    .commit = store_memory_commit,
    .query_runs = memory_query_runs,
    .query_changes = memory_query_changes,
    .query_stats = memory_query_stats,
    .retain = memory_retain,
    .backup = memory_backup,
};
