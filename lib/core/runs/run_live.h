/* SPDX-License-Identifier: MIT */
/*
 * A run that has not ended: its record, where it stands, and what is needed to
 * start, signal and end it. Freed ones are kept for reuse, so that a busy
 * second allocates nothing per fire.
 *
 * What it is made of is known in this room alone, see run_live_state.h. The stage
 * is written by run_live_enter() alone.
 */
#ifndef SCHEDD_CORE_RUNS_RUN_LIVE_H
#define SCHEDD_CORE_RUNS_RUN_LIVE_H

#include "core/jobs/entry.h"
#include "core/runs/invocation.h"

#define RUN_LIVE_ID_MAX (JOB_ID_MAX + 12) /* "JOB/4294967295" and the NUL */

enum run_live_stage {
	RUN_LIVE_CLAIMING,      /* its claim is on the way to the store; nobody sees it yet */
	RUN_LIVE_HELD,          /* before all gates: its job is paused, or its store fails */
	RUN_LIVE_WAIT_INSTANCE, /* max_instances are going on */
	RUN_LIVE_WAIT_GROUP,    /* the group's limit is reached */
	RUN_LIVE_WAIT_WORKER,   /* its turn in the executor's queue has not come */
	RUN_LIVE_MARKING,       /* it has its turn; that it begins is on the way to the store */
	RUN_LIVE_STARTING,      /* handed to the executor */
	RUN_LIVE_RUNNING,
	RUN_LIVE_RETRYING, /* waits for its next attempt */
	RUN_LIVE_ENDED,
};

/* Why it is being ended before its time. */
enum run_live_stop {
	RUN_LIVE_GOES_ON,
	RUN_LIVE_TIMED_OUT,
	RUN_LIVE_KILLED,   /* by request */
	RUN_LIVE_REPLACED, /* overlap: replace */
	RUN_LIVE_SHUTDOWN,
};

/* ---- What it is; all as it is now ---- */

const char *run_live_id(const struct run_live *live);
const struct run *run_live_run(const struct run_live *live);
/* The definition it was made with. */
struct schedd_job *run_live_job(const struct run_live *live);
/* NULL: the job was removed meanwhile. */
struct entry *run_live_entry(const struct run_live *live);
struct schedd_scheduler *run_live_scheduler(const struct run_live *live);
/* Where its row goes. */
struct store_slot *run_live_store(const struct run_live *live);
const struct executor_slot *run_live_executor(const struct run_live *live);
/* NULL: nothing was written yet. */
struct output *run_live_output(const struct run_live *live);
enum run_live_stage run_live_stage(const struct run_live *live);
/* When it should have started; SCHEDD_TIME_NONE: not by a time. */
schedd_time run_live_due_at(const struct run_live *live);
/* Where its secrets are; "": nowhere. */
const char *run_live_secrets(const struct run_live *live);
/* Beyond max_instances and its group. */
bool run_live_is_forced(const struct run_live *live);
/* Others have its job since: it is lost, and what it does is told late. */
bool run_live_is_late(const struct run_live *live);
/* It stands for a process of a dead daemon. */
bool run_live_is_left(const struct run_live *live);
/* It is being ended before its time. */
bool run_live_is_stopped(const struct run_live *live);
/* It has a process that may go on without this program. */
bool run_live_can_let_go(const struct run_live *live);
/* Of all that have not ended; of entry->runs, oldest first. */
struct run_live *run_live_next(const struct run_live *live);
struct run_live *run_live_next_of_job(const struct run_live *live);

/* ---- Life ---- */

/* A run of the job with the next number, claiming. NULL: no memory. */
struct run_live *run_live_new(struct entry *entry, uint32_t number, enum run_trigger trigger);
/*
 * What its row says; its job and the node where it goes on stay what they are. SCHEDD_ENOMEM: it is
 * of no use but to be discarded.
 */
int run_live_take(struct run_live *live, const struct run *row) __attribute__((warn_unused_result));
/* When it should start, and by which time; SCHEDD_TIME_NONE: by none. */
void run_live_plan(struct run_live *live, schedd_time scheduled_at, schedd_time due_at);
/* It stands for so many due times more. */
void run_live_coalesce(struct run_live *live, uint64_t coalesced);
/* Somebody asked for it. Takes env and actor. */
void run_live_ask(struct run_live *live, bool forced, struct job_pairs env, char *actor);
/* It was taken up: without a process, due at that time. Its note may say more. */
void run_live_begin_anew(struct run_live *live, schedd_time due_at);
void run_live_hold(struct run_live *live, bool held);
/* A claim's list: the next one; that one is behind it from now on; it is in the list no more. */
struct run_live *run_live_claimed_next(const struct run_live *live);
void run_live_claimed_link(struct run_live *live, struct run_live *next);
/* Its timer rings for nothing any more. */
void run_live_quiet(struct run_live *live);
/* Others have its job. */
void run_live_tell_late(struct run_live *live);
/* SIGKILL, whatever becomes of it. */
int run_live_kill(struct run_live *live, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Stands for a process of a dead daemon from now on; ended is called when that is gone. Where it
 * fails the run is of no use but to be discarded.
 */
int run_live_adopt(struct run_live *live, const struct run *row, const char *invocation,
    void (*ended)(void *live), struct schedd_error *err) __attribute__((warn_unused_result));
/* Its row, and what it wrote, are complete. reason NULL: as it is. */
void run_live_close(struct run_live *live, enum run_state state, const char *reason);
/* All that have not ended, by run_live_next(); NULL: none. */
struct run_live *run_live_first(const struct schedd_scheduler *scheduler);
uint32_t run_live_count(const struct schedd_scheduler *scheduler);
/* Attempts under way. */
uint32_t run_live_attempts(const struct schedd_scheduler *scheduler);
/* Its process goes on without this program: see executor_release(). */
struct value run_live_let_go(struct run_live *live, struct arena *arena);
/* The job is removed: its runs go on without it. */
void run_live_orphan(struct entry *entry);
/* Lets go of the process of a dead daemon, if it stands for one. */
void run_live_release(struct run_live *live);
/* Takes it back from its executor, where it waits to begin; nothing if it does not. */
void run_live_withdraw(struct run_live *live);
/* All of them, before executors are closed. */
void run_live_withdraw_all(struct schedd_scheduler *scheduler);
/* Takes it out of all lists; then it is freed. */
void run_live_unlink(struct run_live *live);
void run_live_free(struct run_live *live);
/* Its job lives in that store now, and so does its row. */
void run_live_move(struct run_live *live, struct store_slot *store);
/* A claim failed: as if it had never been. */
void run_live_discard(struct run_live *live);
void run_live_enter(struct run_live *live, enum run_live_stage stage);
/* The run is over: see run_ended_fn. */
void run_live_end(struct run_live *live, enum run_state state, const char *reason);
/* Writes its row as it is now to the store's outbox. */
void run_live_write(struct run_live *live);
/* Is it past its claim and has not begun, or not begun its next attempt? */
bool run_live_waits(const struct run_live *live);
/* Goes it on after a stop, in the next life? */
bool run_live_survives(const struct run_live *live);
/* An event about it, at that time; error may be NULL. */
void run_live_event(
    struct run_live *live, enum schedd_event_code code, schedd_time when, const char *error);
/* number 0: the oldest. NULL: no such run is going on. */
struct run_live *run_live_find(
    const struct schedd_scheduler *scheduler, const char *job, uint32_t number);
/* "its turn in executor default (8 workers busy)"; NULL: it waits for nothing. */
const char *run_live_waits_for(const struct run_live *live, char *text, size_t size);
/* Frees all of them and the spare ones, without a word. */
void run_live_free_all(struct schedd_scheduler *scheduler);
bool run_live_check(const struct schedd_scheduler *scheduler);

#endif
