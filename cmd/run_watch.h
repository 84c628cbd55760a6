/* SPDX-License-Identifier: MIT */
/* Waiting for a run: its end is pushed by the daemon, never polled. */
#ifndef SCHEDD_CMD_RUN_WATCH_H
#define SCHEDD_CMD_RUN_WATCH_H

#include "cmd/command.h"

/*
 * Waits for a run (JOB/N, or JOB for its latest or first). follow: shows its
 * output meanwhile. exit_status: returns the job's own status (125 where
 * schedctl itself fails); otherwise 0 for success and 10 for anything else.
 */
int run_watch(struct command *command, const char *run, bool follow, bool exit_status);
/*
 * Waits for the answer to a run.wait about that run or job. What takes longer than a second is
 * explained on stderr: for what the run waits, and for what else when that changes.
 */
int run_watch_answer(struct command *command, const char *run, uint32_t msgid, struct value *result,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Waits until that run (JOB: its latest) has begun or will not, and says likewise for what it
 * waits; that it will be tried again is said at once.
 */
int run_watch_begins(struct command *command, const char *run, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* What schedctl exits with for a run that has ended. */
int run_watch_status(const struct value *run, bool exit_status);
/* "backup/42 failed: exit code 3 after 1.2s", on stderr; the exit status: whether it is an error. */
void run_watch_say(struct command *command, const struct value *run, int status);

#endif
