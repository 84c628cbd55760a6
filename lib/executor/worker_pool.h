/* SPDX-License-Identifier: MIT */
/*
 * The worker processes of one account, and the calls that wait for one. It
 * starts them when needed, replaces and ends them by the rules of the config,
 * and stops starting them for a while when they die one after the other.
 */
#ifndef SCHEDD_EXECUTOR_WORKER_POOL_H
#define SCHEDD_EXECUTOR_WORKER_POOL_H

#include "executor/executor_ops.h"
#include "executor/worker_world.h"

struct worker_pool;

/* user NULL: the one of the config. world and the executor must outlive it. */
struct worker_pool *worker_pool_new(struct executor *executor, struct worker_world *world,
    const char *user, struct schedd_error *err);
/* The account; NULL: that of the config. */
const char *worker_pool_user(const struct worker_pool *pool);
/* Tells the processes to end, without waiting for them; what follows is worker_pool_free(). */
void worker_pool_dismiss(struct worker_pool *pool);
/* Ends the processes: politely, then with force. Nothing may be running any more. NULL is fine. */
void worker_pool_free(struct worker_pool *pool);

/* See executor_start(), executor_signal(), executor_waits(), executor_release() and
 * executor_resume(). */
struct task *worker_pool_start(struct worker_pool *pool, const struct task_request *request);
int worker_pool_signal(struct task *task, int signal, struct schedd_error *err);
const char *worker_pool_waits(const struct task *task);
void worker_pool_release(struct task *task, struct arena *arena, struct value *out);
struct task *worker_pool_resume(struct worker_pool *pool, const struct task_request *request,
    const struct value *from, struct schedd_error *err);

/* Replaces all processes when their calls have ended, and forgets earlier failures. */
void worker_pool_restart(struct worker_pool *pool);
bool worker_pool_owns(const struct worker_pool *pool, pid_t pid);
/* Adds processes, idle, starts, calls, failing, reason. */
void worker_pool_status(const struct worker_pool *pool, struct arena *arena, struct value *map);

#endif
