/* SPDX-License-Identifier: MIT */
/* A start that is waited for, but not for long. */
#ifndef SCHEDD_EXECUTOR_SPAWNER_WAIT_H
#define SCHEDD_EXECUTOR_SPAWNER_WAIT_H

#include "executor/spawner_pool.h"

/*
 * Starts a process through a pool that has no other starts, and waits until its
 * program executes, at most limit; what is not there by then will not be.
 * 0 with *pid, this one's child; SCHEDD_EFAILED says why not. spawn->fds stay the
 * caller's.
 */
int spawner_wait(struct spawner_pool *pool, const struct spawn *spawn, schedd_span limit,
    pid_t *pid, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
