/* SPDX-License-Identifier: MIT */
/*
 * The second half of a job file's way: its changes are committed, one batch a
 * store, and then take effect in pieces. For scheduler_apply.c alone.
 */
#ifndef SCHEDD_CORE_CHANGES_APPLY_COMMIT_H
#define SCHEDD_CORE_CHANGES_APPLY_COMMIT_H

#include "core/changes/change.h"

struct apply_batch {
	struct apply *apply;
	struct store_slot *store;
	struct store_batch *batch;
	struct change *changes; /* in order, by next */
	struct change **end;
	struct timer slice; /* for the next of its changes, once it is committed */
	int rc;             /* what the commit came to */
	struct schedd_error err;
};

struct apply {
	struct apply *next; /* of those that wait */
	struct schedd_scheduler *scheduler;
	struct scheduler_actor actor;
	struct scheduler_reply reply;
	struct arena arena;
	struct value *lists; /* of jobs; in arena, or what they point to is lent */
	uint32_t list_count;
	uint32_t count;    /* jobs of all lists */
	struct strmap ids; /* of jobs; texts in arena */
	const char *owner; /* in arena; NULL: none */
	bool prune, skip, elsewhere, paused, dry_run;
	struct arena scratch; /* of one row of the answer */
	struct apply_batch batches[SCHEDULER_STORES_MAX];
	uint32_t waiting; /* stores that have not answered */
	uint32_t list, at;  /* the job that is next: of which list, and its place there */
	bool others;        /* there may be jobs of the owner beside those of the file */
	char behind[JOB_ID_MAX + 1]; /* jobs up to it were looked at, whether they go; "": none */
	bool given_up;               /* it is being undone */
	int (*each)(struct value *job, void *context, struct schedd_error *err); /* see scheduler.h */
	bool (*row)(struct value *row, void *context); /* likewise; may be NULL */
	void *each_context;
	struct timer slice; /* for the next of its jobs */
	int rc;
	struct schedd_error err;
};

/* A file of many jobs is taken up in pieces, so that the loop turns between them. */
#define APPLY_SLICE 4000 /* microseconds of one piece: others have theirs in the same turn */
#define APPLY_PAUSE 1000  /* before a job is looked at again whose commit is under way */

/* Answers and frees it. */
void apply_answer(struct apply *apply);
/* Has the piece that began then taken its time? */
bool apply_over(const struct apply *apply, int64_t begun);
/* Its next piece comes after that pause; false: without memory it is to go on now. */
bool apply_later(struct apply *apply, struct timer *timer, schedd_span pause);
/*
 * Nothing was committed: entries that were made for it go, the others are as they
 * were. False: the rest comes later, by its slice. begun INT64_MAX: all at once.
 */
bool apply_undo(struct apply *apply, int64_t begun);
/* Writes its batches, and answers when all of it has taken effect. */
void apply_commit(struct apply *apply);

#endif
