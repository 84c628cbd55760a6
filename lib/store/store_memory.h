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
/* ops->commit. */
void store_memory_commit(struct store *store, struct store_batch *batch);

#endif
