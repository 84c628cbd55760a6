/* SPDX-License-Identifier: MIT */
/*
 * A job as the scheduler holds it: definition, state, its place in the due
 * queue and its runs. Entries are found by id, walked in the order of ids and
 * due by wall time.
 *
 * While a commit for an entry is under way it is busy: it is not due, and
 * further changes of it wait in line.
 */
#ifndef SCHEDD_CORE_JOBS_ENTRY_H
#define SCHEDD_CORE_JOBS_ENTRY_H

#include "core/frame/scheduler_state.h"

/* Waits in line until the commit under way is over; embedded in what it is for. */
struct entry_waiter {
	struct entry_waiter *next;
};

/* How a part leaves. */
#define ENTRY_LEAVES_PURGED 1 /* with its history */
#define ENTRY_LEAVES_KILLED 2 /* with its runs */

/* What few entries have at a time. */
struct entry_aside {
	struct entry_waiter *waiters; /* wait until it is idle, oldest first */
	struct run *tail; /* its last row, if further missed times may join it; run.job is NULL */
	char *raw;        /* what the store has of a job that cannot be read, see entry_raw.h; owned */
	uint32_t running, queued; /* runs of a foreign one, as they were told last */
	uint8_t leaves;   /* of a part whose whole is removed: how it goes, see changes/part_note.h */
	char *pause_text; /* "paused by uid 1000: upgrade"; owned; NULL: not paused, or not known */
};

/* For entry_walk_slots(): jobs that may run on some nodes alone, whatever their slot. */
#define ENTRY_SLOT_PLACED NODE_SLOTS

/* No executor of that name. */
#define ENTRY_NOWHERE UINT16_MAX

/* A hundred thousand of these stay in memory: 136 bytes are what malloc gives without waste. */
struct entry {
	struct schedd_job *job; /* one reference; while hidden only its id counts */
	struct job_state state;
	struct store_slot *store;
	struct run_live *runs;     /* not ended, oldest first */
	struct entry_aside *aside; /* NULL: nothing of it; read through entry_aside() */
	struct heap_node due;
	uint32_t position;  /* in scheduler.sorted */
	uint32_t live;      /* runs that have not ended, adopted ones included */
	uint32_t holding;   /* of these: past the gate of max_instances */
	uint32_t known;     /* to the history in its store; see store_batch_put_known_run() */
	uint16_t executor;  /* in scheduler.executors, or ENTRY_NOWHERE; see entry_executor() */
	uint8_t last_state; /* enum run_state of the last run that ended; RUN_QUEUED: none known */
	bool busy : 1;      /* a commit is under way */
	bool hidden : 1;    /* being added: not a job yet */
	bool stale : 1;     /* its store is being read anew and has not shown it yet */
	bool adrift : 1;    /* busy because the store has it otherwise; how comes by job_adopt() */
	bool foreign : 1;   /* another node has it: known here, and never due */
	bool noted : 1;     /* in scheduler.exhausted */
	bool moving : 1;    /* not known yet whether it has left for another store; see top/moved.c */
	bool owned : 1;     /* an account's: see accounts_of_entry() */
};

/* What holds them, and what many definitions share: freed last. */
void entry_init_all(struct schedd_scheduler *scheduler);
int entry_make_pool(struct schedd_scheduler *scheduler) __attribute__((warn_unused_result));
void entry_free_pool(struct schedd_scheduler *scheduler);
/* As job_pool_seal() in that pool. */
struct schedd_job *entry_seal(struct schedd_scheduler *scheduler, struct schedd_job *job);
/* A hidden, busy entry for an id that is not there; NULL: no memory. Shares job. */
struct entry *entry_new(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct store_slot *store);
/* Takes it out of all indexes and frees it. Its runs and those that wait must be gone. */
void entry_free(struct schedd_scheduler *scheduler, struct entry *entry);
/* Frees all entries. */
void entry_free_all(struct schedd_scheduler *scheduler);
/* Its slot, in a store that is shared. */
uint32_t entry_slot(const struct entry *entry);
/* That of a place, as it is told of it; NULL: it may run anywhere, or nothing is known of it yet. */
const struct place_slot *entry_place_slot(const struct entry *entry);
/* Is it to run on all nodes? Then it is never due itself, but its parts are, one of each node. */
bool entry_on_all(const struct entry *entry);
/* The part of it that is that node's; NULL: it has none. */
struct entry *entry_part(
    const struct schedd_scheduler *scheduler, const struct entry *entry, const char *node);
/* Looks whose it is. True: that has changed, and it is to be planned anew. */
bool entry_locate(struct entry *entry);
/* It is a job from now on. False: as after_link(). */
bool entry_show(struct schedd_scheduler *scheduler, struct entry *entry);
/* Also hidden ones; NULL: none. */
struct entry *entry_find(const struct schedd_scheduler *scheduler, const char *id);
/* Jobs alone; NULL: none. */
struct entry *entry_get(const struct schedd_scheduler *scheduler, const char *id);
/* Puts another definition in the place of the old one (same id); takes the reference. */
void entry_define(struct schedd_scheduler *scheduler, struct entry *entry, struct schedd_job *job);
/* The same with another id, which must be free. 0 or SCHEDD_ENOMEM. */
int entry_rename(struct schedd_scheduler *scheduler, struct entry *entry, struct schedd_job *job)
    __attribute__((warn_unused_result));
/* Sets its place in the due queue from its state. */
void entry_plan(struct schedd_scheduler *scheduler, struct entry *entry);
/* As entry_plan, but not before then. */
void entry_plan_after(
    struct schedd_scheduler *scheduler, struct entry *entry, schedd_time earliest);
/* It is not due until it is planned again. */
void entry_unplan(struct schedd_scheduler *scheduler, struct entry *entry);
/* When one is due next; SCHEDD_TIME_NONE: never. */
schedd_time entry_next_due(const struct schedd_scheduler *scheduler);
/* The one that is due first, at or before now; NULL: none. It stays in the queue. */
struct entry *entry_due(struct schedd_scheduler *scheduler, schedd_time now);
/* Puts state in the place of the old one; state is empty after it. */
void entry_take_state(
    struct schedd_scheduler *scheduler, struct entry *entry, struct job_state *state);
/* All there are, hidden ones too, in no order; *position begins at 0. NULL: no more. */
struct entry *entry_walk(const struct schedd_scheduler *scheduler, uint32_t *position);
/* Those of some slots alone, wanted by number, in any store; *position begins at 0. NULL: no more. */
struct entry *entry_walk_slots(struct schedd_scheduler *scheduler,
    const bool wanted[ENTRY_SLOT_PLACED + 1], uint32_t *position);
uint32_t entry_count_all(const struct schedd_scheduler *scheduler);
/* Jobs that are paused; jobs with limits of their own for their history. */
uint32_t entry_paused_count(const struct schedd_scheduler *scheduler);
uint32_t entry_own_retention_count(const struct schedd_scheduler *scheduler);
/* Walks jobs behind the id after (NULL: from the first) in order; NULL: no more. */
struct entry *entry_first(struct schedd_scheduler *scheduler, const char *after);
struct entry *entry_next(const struct schedd_scheduler *scheduler, const struct entry *entry);
/* It lives in that store from now on. */
void entry_move(struct entry *entry, struct store_slot *store);
/* Will it never run by itself again, and is nothing of it going on? */
bool entry_exhausted(const struct entry *entry);
/* If it is exhausted, entry_take_exhausted() gives it back later. */
void entry_note_exhausted(struct schedd_scheduler *scheduler, struct entry *entry);
/*
 * One of those that were noted, are so still, idle, and in a store that can be
 * written now; NULL: none. It is noted no longer.
 */
struct entry *entry_take_exhausted(struct schedd_scheduler *scheduler);
/* There was no memory for one of them: all are looked for in a second. */
void entry_exhausted_later(struct schedd_scheduler *scheduler);
/* Has its job limits of its own for its history? */
bool entry_own_retention(const struct entry *entry);
/* Never NULL. */
const struct entry_aside *entry_aside(const struct entry *entry);
/* To write to; NULL: no memory. */
struct entry_aside *entry_aside_edit(struct entry *entry);
/* Puts it behind those that wait. 0 or SCHEDD_ENOMEM. */
int entry_wait(struct entry *entry, struct entry_waiter *waiter)
    __attribute__((warn_unused_result));
/* Those that wait are the caller's from now on. */
struct entry_waiter *entry_take_waiters(struct entry *entry);
/* What waits for from waits behind what waits for entry. */
void entry_inherit_waiters(struct entry *entry, struct entry *from);
/* Further missed times may join this row (taken; NULL: none may). Without memory none may. */
void entry_set_tail(struct entry *entry, struct run *tail);
/* Who paused it and why, "paused" where that is not known. */
const char *entry_paused_by(const struct entry *entry);
/* Takes the text. Without memory it is not known. */
void entry_set_pause_text(struct entry *entry, char *text);
/* NULL: none of that name. */
struct executor_slot *entry_executor(const struct entry *entry);
/* Looks its executor up by its name. */
void entry_find_executor(struct schedd_scheduler *scheduler, struct entry *entry);
/* Walks the invariants of the indexes. */
bool entry_check(const struct schedd_scheduler *scheduler);

#endif
