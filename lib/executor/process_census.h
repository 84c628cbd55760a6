/* SPDX-License-Identifier: MIT */
/*
 * Which processes say that they belong to a run: those with its
 * SCHEDD_INVOCATION, a value that none but its own account and root can know.
 */
#ifndef SCHEDD_EXECUTOR_PROCESS_CENSUS_H
#define SCHEDD_EXECUTOR_PROCESS_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_INVOCATION 32 /* hexadecimal digits */

struct process_census;

/* Of all processes that lead a session. NULL: no memory, or no /proc. */
struct process_census *process_census_new(void);
void process_census_free(struct process_census *census);
/* The oldest with that value; false: there is none. */
bool process_census_find(const struct process_census *census, const char *invocation, pid_t *pid,
    uint64_t *start);

/* Whose it is; false: it is gone. */
bool process_uid(pid_t pid, uid_t *uid);
/* Does the process, which must be that user's, carry the value? */
bool process_invoked(pid_t pid, const char *invocation, uid_t uid);

#endif
