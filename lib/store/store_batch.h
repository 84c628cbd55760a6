/* SPDX-License-Identifier: MIT */
/*
 * A batch from the inside: the list of what is to be written, in order, in one
 * arena. Jobs are shared by reference (an accepted definition never changes),
 * everything else is copied.
 */
#ifndef SCHEDD_STORE_STORE_BATCH_H
#define SCHEDD_STORE_STORE_BATCH_H

#include "store/store_ops.h"

enum store_op_kind {
	STORE_OP_PUT_JOB,
	STORE_OP_CLAIM,
	STORE_OP_DELETE_JOB,
	STORE_OP_PUT_RUN,
	STORE_OP_PURGE_RUNS,
	STORE_OP_RENAME,
	STORE_OP_PUT_NUMBER,
	STORE_OP_PUT_TEXT,
	STORE_OP_PUT_CHANGE,
	STORE_OP_COUNT,
};

/* Strings live in the batch. Only the member that belongs to the kind is allocated. */
struct store_op {
	struct store_op *next;
	enum store_op_kind kind;
	void *prepared; /* a backend's own note between its passes */
	union {
		struct {
			struct schedd_job *job; /* one reference */
			struct job_state state; /* its strings are the batch's */
		} put_job;
		struct {
			const char *id;
			schedd_time next_fire;
			schedd_time next_run_time;
			uint64_t run_count;
			uint32_t last_run;
		} claim;
		struct {
			const char *id;
			uint32_t last_run;
			struct store_op *previous; /* the batch's delete or rename before it */
		} delete_job;
		struct {
			const char *id;    /* the old one; same place as in delete_job */
			uint32_t last_run; /* unused */
			struct store_op *previous;
			const char *to;
		} rename;
		struct run run; /* its strings are the batch's */
		struct {
			const char *job; /* NULL: all */
			uint32_t number; /* 0: all */
		} purge;
		struct {
			const char *key;
			int64_t number;
		} number;
		struct {
			const char *key;
			const char *text; /* NULL: remove */
		} text;
		struct {
			schedd_time when;
			const char *job; /* NULL: none */
			const char *json;
		} change;
	};
};

struct store_batch {
	struct mailbox_letter letter; /* how its answer travels */
	struct store_batch *next;     /* in a worker's queue */
	struct store *store;
	struct store_op *first;
	struct store_op **last;    /* where the next one is linked */
	struct store_op *removals; /* the latest that frees an id */
	uint32_t count;            /* of ops */
	bool failed;               /* memory ran out while it was filled */
	int rc;                    /* the outcome */
	struct arena arena;
	store_done_fn done; /* may be NULL */
	void *context;      /* passed back, not owned */
	struct schedd_error err;
};

/* On the loop's thread: counts the outcome, tells the owner, frees the batch. */
void store_batch_answer(struct store_batch *batch);
/* SCHEDD_ENOMEM if the batch could not be filled. */
int store_batch_check(const struct store_batch *batch, struct schedd_error *err);

#endif
