/* SPDX-License-Identifier: MIT */
/* Waiting for a run and following its output: pushed by the daemon, never polled. */
#ifndef SCHEDD_CMD_RUN_WATCH_H
#define SCHEDD_CMD_RUN_WATCH_H

#include "cmd/command.h"

/*
 * Waits for a run (JOB/N, or JOB for its latest or first). follow: shows its
 * output meanwhile. exit_status: returns the job's own status (125 where
 * schedctl itself fails); otherwise 0 for success and 10 for anything else.
 */
int run_watch(struct command *command, const char *run, bool follow, bool exit_status);
/* What schedctl exits with for a run that has ended. */
int run_watch_status(const struct value *run, bool exit_status);
/* "backup/42 failed: exit code 3 after 1.2s", on stderr. */
void run_watch_say(struct command *command, const struct value *run);

/* How output is shown. */
struct run_output {
	bool raw; /* bytes as they are, whatever a terminal would do on them */
	bool only_stdout;
	bool only_stderr;
};
/*
 * Shows what was kept of the run's output and, with follow, what comes until
 * it ends; *ended (may be NULL) gets the run then. Returns an exit status.
 */
int run_watch_output(struct command *command, const char *run, const struct run_output *how,
    bool follow, struct value *ended);

#endif
