/* SPDX-License-Identifier: MIT */
/* What a run wrote, on stdout, and what it goes on writing: pushed by the daemon, never polled. */
#ifndef SCHEDD_CMD_RUN_OUTPUT_H
#define SCHEDD_CMD_RUN_OUTPUT_H

#include "cmd/command.h"

/* Which of it, and how. */
struct run_output {
	bool raw; /* bytes as they are, whatever a terminal would do on them */
	bool only_stdout;
	bool only_stderr;
	bool timestamps;   /* before each line, when it was written */
	bool follow;       /* go on until the run ends */
	int64_t tail;      /* only so many last lines; -1: all */
	schedd_time since; /* only what was written since; SCHEDD_TIME_NONE: all */
	/* Gets notifications of other kinds that come while it follows; NULL: nobody. */
	void (*other)(
	    struct command *command, const char *method, const struct value *params, void *context);
	void *context;
};

/* Of the run JOB/N, or JOB's latest. Returns an exit status. */
int run_output_show(struct command *command, const char *run, const struct run_output *how);
/*
 * The last lines of a run (as run.get tells it), under a heading and with the way to the
 * others; nothing if it wrote nothing. Returns an exit status.
 */
int run_output_last(struct command *command, const struct value *run);

#endif
