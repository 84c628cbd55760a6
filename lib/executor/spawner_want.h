/* SPDX-License-Identifier: MIT */
/* A start for those who keep nothing of it: it is told when it executes, or why it does not. */
#ifndef SCHEDD_EXECUTOR_SPAWNER_WANT_H
#define SCHEDD_EXECUTOR_SPAWNER_WANT_H

#include "executor/spawner_pool.h"

struct spawner_wanted;

/* err NULL: pid is a child of this process whose program executes. The asked is gone. */
typedef void (*spawner_wanted_fn)(pid_t pid, const struct schedd_error *err, void *context);

/*
 * Asks for a process; done is called once, later, by the loop. spawn->fds stay the caller's. NULL
 * and *err: it cannot be asked for.
 */
struct spawner_wanted *spawner_want(struct spawner_pool *pool, struct schedd_loop *loop,
    const struct spawn *spawn, spawner_wanted_fn done, void *context, struct schedd_error *err);
/* Nobody waits for it any more, and done is not called: a process that there is already is killed. */
void spawner_want_leave(struct spawner_wanted *asked);

#endif
