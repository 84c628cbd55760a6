/* SPDX-License-Identifier: MIT */
/* The start of a worker process: its account is looked up, which may take its time, then it is asked for. */
#ifndef SCHEDD_EXECUTOR_WORKER_LAUNCH_H
#define SCHEDD_EXECUTOR_WORKER_LAUNCH_H

#include "executor/spawner_want.h"
#include "executor/worker_world.h"

struct worker_launch;

/*
 * A process with these descriptors as 3, 1 and 2; they stay the caller's. user NULL: the one of the
 * config. done is called once, later, by the loop; the launch is gone then. NULL and *err:
 * it cannot be asked for.
 */
struct worker_launch *worker_launch_new(struct worker_world *world, const char *user,
    const int fds[3], spawner_wanted_fn done, void *context, struct schedd_error *err);
/* Nobody waits for it any more: see spawner_want_leave(). NULL is fine. */
void worker_launch_leave(struct worker_launch *launch);

#endif
