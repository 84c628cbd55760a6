/* SPDX-License-Identifier: MIT */
/* The parts of type "memory": what it keeps, and how a batch is taken in whole or not at all. */
#ifndef SCHEDD_STORE_STORE_MEMORY_H
#define SCHEDD_STORE_STORE_MEMORY_H

#include "store/store_batch.h"
#include "store/store_history.h"

#define MEMORY_CHANGES 10000 /* kept of the record of changes */

/* A text or a number under its key. */
struct memory_entry {
	bool set;   /* false: the key is known and has nothing */
	char *text; /* owned; NULL: a number */
	int64_t number;
	char key[];
};

struct memory_change {
	schedd_time when;
	char *job;  /* owned; NULL: none */
	char *json; /* owned */
};

struct memory_store {
	struct store base;
	struct store_history history;
	struct strmap entries;
	struct memory_change *changes; /* a ring of MEMORY_CHANGES; NULL: none yet */
	uint64_t change_count;         /* ever; the newest stands at (change_count - 1) % size */
	uint64_t changes_kept;
};

/* The change that came so many before the newest; back < changes_kept. */
struct memory_change *store_memory_change(const struct memory_store *memory, uint64_t back);
/* Drops the oldest changes beyond so many. */
void store_memory_keep_changes(struct memory_store *memory, uint64_t keep);
/* ---- store_memory_commit.c: the ops of the same name ---- */

void store_memory_commit(struct store *store, struct store_batch *batch);
bool store_memory_make_row(
    struct store *store, const struct run *run, uint32_t *known, void **rows);
void store_memory_drop_rows(struct store *store, void *rows);
void store_memory_fetch_row(const struct store *store, uint32_t known);

/* ---- store_memory_ask.c: the ops of the same name ---- */

void store_memory_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context);
void store_memory_last_run(
    struct store *store, const char *id, store_number_fn call, void *context);
void store_memory_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context);
void store_memory_query_changes(struct store *store, const char *job, schedd_time since,
    uint64_t limit, store_value_fn call, void *context);
void store_memory_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context);
void store_memory_retain(struct store *store, const char *job,
    const struct store_retention *retention, uint32_t budget, store_done_fn done, void *context);
void store_memory_backup(
    struct store *store, const char *path, store_done_fn done, void *context);

#endif
