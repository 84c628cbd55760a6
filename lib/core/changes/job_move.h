/* SPDX-License-Identifier: MIT */
/*
 * Jobs on their way from one store to another, some at a time, so that neither
 * a kill nor a server that goes away at any moment loses or doubles one:
 *
 *	held     "moving.TOKEN" in the old store names them and the new one
 *	written  they are in the new store, with "moved.TOKEN", in one commit
 *	removed  from the old store, and "moving.TOKEN" with them
 *
 * Before "written" the old store's jobs count, from then on those of the new
 * one, which is known by the token. What a start finds of it is in top/moved.c.
 */
#ifndef SCHEDD_CORE_CHANGES_JOB_MOVE_H
#define SCHEDD_CORE_CHANGES_JOB_MOVE_H

#include "core/changes/change.h"

#define JOB_MOVE_MOVING "moving."
#define JOB_MOVE_MOVED "moved."
#define JOB_MOVE_TOKEN 16 /* hex digits */
/* Jobs of one move: so many have their effect in some milliseconds. */
#define JOB_MOVE_MAX 100

struct job_move;

/* What became of one of them. */
struct move_item {
	struct move_item *next;
	struct job_move *move;
	const char *id;
	struct change *change; /* has joined, and is not written yet; NULL: neither */
	bool gathered;         /* it has joined, or never will */
	bool told;             /* rc and err are known */
	bool held;             /* it came as far as its old store */
	bool leaving;          /* refused, because it has just come from another store */
	bool running;          /* refused, because a run of it goes on */
	bool written;          /* it is in the new store */
	bool there;            /* it was in that store before */
	int rc;
	struct schedd_error err;
	uint32_t last_run;
	uint32_t *open; /* numbers of its runs that wait; owned */
	uint32_t open_count;
};

struct job_move_request {
	struct store_slot *from, *to;
	bool history; /* ended runs are taken along */
	struct scheduler_actor actor;
	/* Once, when it is known what became of all of them, and nothing is left to do or it is
	 * done later. May be inside job_move_start(). */
	void (*done)(struct job_move *move, void *context);
	void *context;
};

/* NULL: no memory. */
struct job_move *job_move_new(
    struct schedd_scheduler *scheduler, const struct job_move_request *request);
/* Copies the id. SCHEDD_ENOMEM. */
int job_move_add(struct job_move *move, const char *id) __attribute__((warn_unused_result));
/* One that was not started: frees it. */
void job_move_abandon(struct job_move *move);
/* Does a run of the job go on, so that it cannot be moved? */
bool job_move_blocked(const struct entry *entry);
/* Begins with what was added. */
void job_move_start(struct job_move *move);
/* Those that were added, in their order. */
const struct move_item *job_move_items(const struct job_move *move);
/* Nobody looks at it any more: it goes when it is over. Inside done() or behind it. */
void job_move_release(struct job_move *move);

/* One that a start found written: what is left to do. Items by job_move_add_written(). */
struct job_move *job_move_resume(struct schedd_scheduler *scheduler,
    const struct job_move_request *request, const char *token);
int job_move_add_written(struct job_move *move, const char *id, uint32_t last_run,
    const uint32_t *open, uint32_t open_count) __attribute__((warn_unused_result));
void job_move_go_on(struct job_move *move);

/* At rest: what could not be done is tried again when its store can be written. */
void job_move_again(struct schedd_scheduler *scheduler);
/* After the stores were closed. */
void job_move_free(struct schedd_scheduler *scheduler);
/* Is a move under way with that token? */
bool job_move_knows(const struct schedd_scheduler *scheduler, const char *token);
/* Is the job written, and the old store not rid of it yet? That store; NULL: no. */
const struct store_slot *job_move_leaves(const struct schedd_scheduler *scheduler, const char *id);
/* Is that run of the job in its old store still, although it is the new one's? */
bool job_move_has_open(const struct schedd_scheduler *scheduler, const struct store_slot *from,
    const char *id, uint32_t number);
/* Does a move need the store? */
bool job_move_uses(const struct schedd_scheduler *scheduler, const struct store_slot *slot);

#endif
