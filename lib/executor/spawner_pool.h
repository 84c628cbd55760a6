/* SPDX-License-Identifier: MIT */
/*
 * Starts processes without ever being held up by one: small programs of ours
 * (spawner.h), one a CPU, made as they are needed, do it. One that does not get
 * on with a start is passed over at once, given a limit, then ended and
 * replaced; nothing of that is waited for.
 *
 * Where the program is missing or cannot be run the starts are made here,
 * on the loop's thread, and a warning says so.
 */
#ifndef SCHEDD_EXECUTOR_SPAWNER_POOL_H
#define SCHEDD_EXECUTOR_SPAWNER_POOL_H

#include <schedd/log.h>
#include "executor/spawner.h"

struct spawner_pool;

struct spawner_pool_config {
	struct schedd_loop *loop;
	const struct schedd_clock *clock;    /* NULL: the system's */
	const struct schedd_log *log;        /* NULL: silent */
	const struct spawn_inherit *inherit; /* copied; NULL: as this process is now */
	schedd_span limit;    /* after which a start that does not get on has failed; 0: 10 s */
	schedd_span patience; /* after which it is passed over; 0: 200 ms */
	/* Makes all starts, on the loop's thread: spawn() or a test's; NULL: the programs do. */
	void (*make)(const struct spawn *spawn, struct spawn_result *result);
};

int spawner_pool_new(const struct spawner_pool_config *config, struct spawner_pool **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Nothing may be under way any more. NULL is fine. */
void spawner_pool_free(struct spawner_pool *pool);
/*
 * Starts a process; it is this one's child. start->done, which the caller has
 * set, is called once, maybe before this returns. *spawn is copied; start is
 * the caller's and must stay until then. spawn->fds are taken, also on failure
 * (SCHEDD_ENOMEM; done is not called then).
 */
int spawner_pool_start(struct spawner_pool *pool, const struct spawn *spawn,
    struct spawner_start *start, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * True: it will not run, and done is not called. False: it may be running
 * already, and done is called; kill_it: it was sent SIGKILL.
 */
bool spawner_pool_cancel(struct spawner_pool *pool, struct spawner_start *start, bool kill_it);
/* Waits until one of the programs says something, at most that long, and takes it. */
void spawner_pool_turn(struct spawner_pool *pool, schedd_span limit);
/* Reaps a child that is of no use, now or when it has ended. */
void spawner_pool_bury(struct spawner_pool *pool, pid_t pid);
/* Is it one of the programs, or waited for by bury? */
bool spawner_pool_owns(const struct spawner_pool *pool, pid_t pid);

#endif
