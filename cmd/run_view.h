/* SPDX-License-Identifier: MIT */
/* One run in full for people, by the rows of run fields, with its attempts. */
#ifndef SCHEDD_CMD_RUN_VIEW_H
#define SCHEDD_CMD_RUN_VIEW_H

#include "cmd/command.h"

/* Is the word a run, JOB/N, or at least meant as one? No job's id has a slash. */
bool run_view_names(const char *word);
/* The run with its attempts, as run.get answers it, in the command's arena. */
int run_view_get(struct command *command, const char *id, struct value *run,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Is it the name of something a run can have, or a path into it? SCHEDD_EINVAL. */
int run_view_check_field(const char *path, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * "name: value" lines of all its fields, then its attempts; asks the daemon
 * whether its output is still there. Returns the exit status.
 */
int run_view(struct command *command, const struct value *run);

#endif
