/* SPDX-License-Identifier: MIT */
/* Small texts and numbers by key, and the few runs that were going on, in one arena. */
#include "store/store_snapshot.h"

#include <stdlib.h>
#include <string.h>
#include "base/arena.h"

struct snapshot_entry {
	struct snapshot_entry *next; /* until it is finished */
	const char *key;
	const char *text; /* NULL: a number */
	int64_t number;
};

struct snapshot_run {
	struct snapshot_run *next; /* newest first */
	struct run run;
};

struct snapshot_list {
	struct snapshot_run *newest;
	size_t count;
	struct run *runs; /* oldest first; NULL: not finished */
};

struct store_snapshot {
	struct arena arena;
	struct snapshot_entry *first; /* as they came */
	struct snapshot_list open, over;
	uint32_t entry_count;
	const struct snapshot_entry **entries; /* by key; NULL: not finished */
};

struct store_snapshot *store_snapshot_new(void)
{
	struct store_snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (snapshot)
		arena_init(&snapshot->arena);
	return snapshot;
}

void store_snapshot_free(struct store_snapshot *snapshot)
{
	if (!snapshot)
		return;
	arena_clear(&snapshot->arena);
	free(snapshot);
}

static void snapshot_add(
    struct store_snapshot *snapshot, const char *key, const char *text, int64_t number)
{
	struct snapshot_entry *entry = arena_alloc(&snapshot->arena, sizeof(*entry));

	if (!entry)
		return;
	entry->key = arena_strdup(&snapshot->arena, key);
	entry->text = text ? arena_strdup(&snapshot->arena, text) : NULL;
	entry->number = number;
	entry->next = snapshot->first;
	snapshot->first = entry;
	snapshot->entry_count++;
}

void store_snapshot_add_number(struct store_snapshot *snapshot, const char *key, int64_t number)
{
	snapshot_add(snapshot, key, NULL, number);
}

void store_snapshot_add_text(struct store_snapshot *snapshot, const char *key, const char *text)
{
	snapshot_add(snapshot, key, text, 0);
}

static char *snapshot_text(struct store_snapshot *snapshot, const char *text)
{
	return text ? arena_strdup(&snapshot->arena, text) : NULL;
}

static void snapshot_add_run(
    struct store_snapshot *snapshot, struct snapshot_list *list, const struct run *run)
{
	struct snapshot_run *kept = arena_alloc(&snapshot->arena, sizeof(*kept));

	if (!kept)
		return;
	kept->run = *run;
	kept->run.job = snapshot_text(snapshot, run->job);
	kept->run.reason = snapshot_text(snapshot, run->reason);
	kept->run.attempts = snapshot_text(snapshot, run->attempts);
	kept->run.actor = snapshot_text(snapshot, run->actor);
	kept->run.node = snapshot_text(snapshot, run->node);
	kept->run.result = snapshot_text(snapshot, run->result);
	kept->next = list->newest;
	list->newest = kept;
	list->count++;
}

void store_snapshot_add_run(struct store_snapshot *snapshot, const struct run *run)
{
	if (!run_ended(run->state) || run->state == RUN_LOST)
		snapshot_add_run(snapshot, &snapshot->open, run);
}

void store_snapshot_add_over(struct store_snapshot *snapshot, const struct run *run)
{
	snapshot_add_run(snapshot, &snapshot->over, run);
}

static int snapshot_compare(const void *a, const void *b)
{
	const struct snapshot_entry *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void snapshot_order(struct arena *arena, struct snapshot_list *list)
{
	size_t at = list->count;

	list->runs = arena_alloc(arena, (list->count + 1) * sizeof(list->runs[0]));
	for (const struct snapshot_run *kept = list->newest; list->runs && kept; kept = kept->next)
		list->runs[--at] = kept->run;
}

int store_snapshot_finish(struct store_snapshot *snapshot, struct schedd_error *err)
{
	struct arena *arena = &snapshot->arena;
	uint32_t count = 0;

	snapshot->entries =
	    arena_alloc(arena, (snapshot->entry_count + 1) * sizeof(snapshot->entries[0]));
	snapshot_order(arena, &snapshot->open);
	snapshot_order(arena, &snapshot->over);
	if (arena_failed(arena))
		return schedd_error_nomem(err);
	for (const struct snapshot_entry *entry = snapshot->first; entry; entry = entry->next)
		snapshot->entries[count++] = entry;
	qsort(snapshot->entries, count, sizeof(snapshot->entries[0]), snapshot_compare);
	return 0;
}

int64_t store_snapshot_number(
    const struct store_snapshot *snapshot, const char *key, int64_t fallback)
{
	for (uint32_t i = 0; i < snapshot->entry_count; i++)
		if (!snapshot->entries[i]->text && strcmp(snapshot->entries[i]->key, key) == 0)
			return snapshot->entries[i]->number;
	return fallback;
}

void store_snapshot_texts(const struct store_snapshot *snapshot, const char *prefix,
    store_text_fn call, void *context)
{
	size_t length = strlen(prefix);

	for (uint32_t i = 0; i < snapshot->entry_count; i++) {
		const struct snapshot_entry *entry = snapshot->entries[i];

		if (entry->text && strncmp(entry->key, prefix, length) == 0)
			call(entry->key, entry->text, context);
	}
}

const struct run *store_snapshot_runs(const struct store_snapshot *snapshot, size_t *count)
{
	*count = snapshot->open.count;
	return snapshot->open.runs;
}

void store_snapshot_sift(struct store_snapshot *snapshot,
    bool (*stays)(const struct run *run, void *context), void *context)
{
	struct snapshot_list *list = &snapshot->open;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++)
		if (stays(&list->runs[i], context))
			list->runs[kept++] = list->runs[i];
	list->count = kept;
}

const struct run *store_snapshot_over(const struct store_snapshot *snapshot, size_t *count)
{
	*count = snapshot->over.count;
	return snapshot->over.runs;
}
