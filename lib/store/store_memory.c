/* SPDX-License-Identifier: MIT */
/*
 * Type "memory": runs, changes and texts for as long as the process lives, no
 * thread: what is asked is done at once and answered by a letter. Jobs are not
 * kept a second time: the scheduler has them.
 */
#include "store/store_memory.h"

#include <stdlib.h>
#include <string.h>
#include "store/store_letter.h"

#define MEMORY_RUNS 100000

static struct memory_store *memory_of(struct store *store)
{
	return (struct memory_store *)store;
}

static const char *memory_key(const void *item)
{
	return ((const struct memory_entry *)item)->key;
}

static void memory_opened(struct store_letter *letter)
{
	store_set_state(letter->store, STORE_OK, NULL);
}

static int memory_open(
    struct store *store, const struct store_config *config, struct schedd_error *err)
{
	struct memory_store *memory = memory_of(store);
	int64_t max = config->max_runs > 0 ? config->max_runs : MEMORY_RUNS;

	struct store_letter *opened = store_letter_new(store, sizeof(*opened), memory_opened);

	if (!opened)
		return schedd_error_nomem(err);
	store_letter_put(opened);
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

static const struct job_store_ops memory_jobs = {
    .open = memory_open,
    .close = memory_close,
    .status = memory_status,
    .load = store_memory_load,
    .last_run = store_memory_last_run,
    .commit = store_memory_commit,
};

static const struct history_ops memory_history = {
    .runs = store_memory_query_runs,
    .cursor = store_query_cursor_behind,
    .changes = store_memory_query_changes,
    .stats = store_memory_query_stats,
    .retain = store_memory_retain,
    .backup = store_memory_backup,
    .make_row = store_memory_make_row,
    .drop_rows = store_memory_drop_rows,
    .fetch_row = store_memory_fetch_row,
};

const struct store_ops store_memory_ops = {
    .type = "memory",
    .durable = false,
    .keeps_jobs = false,
    .size = sizeof(struct memory_store),
    .jobs = &memory_jobs,
    .history = &memory_history,
};
