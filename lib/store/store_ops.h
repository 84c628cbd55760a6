/* SPDX-License-Identifier: MIT */
/*
 * What a type of store provides, and what all stores have in common. Only
 * files of lib/store/ include this.
 */
#ifndef SCHEDD_STORE_STORE_OPS_H
#define SCHEDD_STORE_STORE_OPS_H

#include <stddef.h>
#include "store/store.h"

/* First member of every backend's own struct. Touched on the loop's thread only. */
struct store {
	const struct store_ops *ops;
	char *name;                                /* alias */
	char *path;                                /* NULL for types without a file */
	const struct schedd_log *log;              /* may be NULL */
	const struct schedd_clock *clock;          /* never NULL */
	struct mailbox *mailbox;                   /* how its threads answer */
	const struct trigger_context *trigger;     /* for reading jobs back */
	uint64_t pending;                          /* asked of a thread and not answered yet */
	uint64_t commits;                          /* batches that are durable */
	uint64_t errors;                           /* batches that were refused */
	schedd_time last_error_at;                 /* SCHEDD_TIME_NONE: never */
	char last_error[SCHEDD_ERROR_MESSAGE_MAX]; /* sentence of the last refusal; "": none */
};

/* Slots mean what the function of the same name in store.h says. All are set. */
struct store_ops {
	const char *type;
	bool durable;    /* what it keeps outlives the process */
	bool needs_path; /* config must name a file */
	bool keeps_jobs; /* false: batches need not carry jobs and claims */
	size_t size;     /* of the backend's struct, which begins with struct store */
	/* The common part is filled in. After a failure nothing but that is left to free. */
	int (*open)(
	    struct store *store, const struct store_config *config, struct schedd_error *err);
	/* Everything was answered; frees all but the common part. */
	void (*close)(struct store *store);
	/* Adds the backend's members to the map of store_status(). */
	void (*status)(struct store *store, struct arena *arena, struct value *map);
	int (*load)(
	    struct store *store, store_load_fn call, void *context, struct schedd_error *err);
	int (*load_unfinished)(
	    struct store *store, struct run **out, size_t *count, struct schedd_error *err);
	int64_t (*load_number)(struct store *store, const char *key, int64_t fallback);
	int (*load_texts)(struct store *store, const char *prefix, store_text_fn call,
	    void *context, struct schedd_error *err);
	uint32_t (*last_run)(struct store *store, const char *id);
	/* Takes the batch and sees to it that store_batch_answer() is called on the loop's thread.
	 */
	void (*commit)(struct store *store, struct store_batch *batch);
	void (*query_runs)(struct store *store, const struct store_run_query *query,
	    store_runs_fn call, void *context);
	void (*query_changes)(struct store *store, const char *job, schedd_time since,
	    uint64_t limit, store_value_fn call, void *context);
	void (*query_stats)(struct store *store, const char *job, schedd_time since,
	    store_value_fn call, void *context);
	void (*retain)(struct store *store, const char *job,
	    const struct store_retention *retention, uint32_t budget, store_done_fn done,
	    void *context);
	void (*backup)(struct store *store, const char *path, store_done_fn done, void *context);
};

/* The types, at the end of their store_<type>.c. */
extern const struct store_ops store_memory_ops;
extern const struct store_ops store_sqlite_ops;

#endif
