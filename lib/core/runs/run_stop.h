/* SPDX-License-Identifier: MIT */
/* Ending runs before their time: by request, by time-out, for one that takes their place. */
#ifndef SCHEDD_CORE_RUNS_RUN_STOP_H
#define SCHEDD_CORE_RUNS_RUN_STOP_H

#include "core/runs/run_live.h"

/*
 * Ends it: taken out of its queue, or signalled. signal 0: kill_signal, then
 * KILL after kill_after. 0 or why it cannot be ended. live may be gone after it.
 */
int run_stop(struct run_live *live, enum run_live_stop stop, int signal, const char *reason,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* SIGKILL then, unless it has ended. SCHEDD_ENOMEM. */
int run_stop_kill_later(struct run_live *live, struct schedd_mono when)
    __attribute__((warn_unused_result));
/* Ends the oldest runs so that one more has room. */
void run_stop_replace(struct entry *entry, const char *by);
/* Ends it, or logs why not. live may be gone after it. */
void run_stop_or_say(struct run_live *live, enum run_live_stop stop, const char *reason);
/*
 * Ends all runs of the job that have not begun, and the waiting for further
 * attempts. reason: "its job was removed". Returns how many go on.
 */
uint32_t run_stop_waiting(struct entry *entry, const char *reason);

#endif
