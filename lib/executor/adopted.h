/* SPDX-License-Identifier: MIT */
/*
 * A process of a run whose daemon died: not our child, so that its exit status
 * is lost, but its end can be seen and it can be signalled. A pid alone does
 * not name it, since pids are given anew: pid and start time do.
 */
#ifndef SCHEDD_EXECUTOR_ADOPTED_H
#define SCHEDD_EXECUTOR_ADOPTED_H

#include <stdint.h>
#include <sys/types.h>
#include <schedd/error.h>
#include <schedd/loop.h>

struct adopted;

/* Called once, on the loop's thread, when the process is gone. The adopted may be freed inside. */
typedef void (*adopted_fn)(void *context);

/*
 * run: for sentences; invocation: its SCHEDD_INVOCATION; both copied. NULL
 * with SCHEDD_ENOTFOUND: it has ended, or the pid belongs to another by now.
 */
struct adopted *adopted_new(struct schedd_loop *loop, pid_t pid, uint64_t pid_start,
    const char *run, const char *invocation, adopted_fn ended, void *context, struct schedd_error *err);
/* The process goes on. NULL is fine. */
void adopted_free(struct adopted *adopted);
pid_t adopted_pid(const struct adopted *adopted);
/* To it and to all it started. SCHEDD_ENOTFOUND: nothing was left. */
int adopted_signal(struct adopted *adopted, int signal, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
