/* SPDX-License-Identifier: MIT */
/*
 * Which jobs a verb acts on: ids, quoted globs, -t, -g, --state, --all, or ids
 * on standard input for "-". The daemon matches; an id typed out is taken at
 * its word, so that a wrong one is reported.
 */
#ifndef SCHEDD_CMD_TARGETS_H
#define SCHEDD_CMD_TARGETS_H

#include "cmd/command.h"

/*
 * A list of ids in the command's arena, without doubles. Nothing named at all
 * is a usage error; a glob or filter that matches nothing gives an empty list.
 */
int targets_resolve(struct command *command, struct value *ids, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Appends the ids of all jobs that params (filters of job.list) choose. */
int targets_query_ids(struct command *command, struct value *params, struct value *ids,
    struct schedd_error *err) __attribute__((warn_unused_result));

/*
 * Puts the lines of standard input in the place of each word "-". False: none came, or
 * they cannot be read, and that is all there is to do; *status is how it ends then.
 */
bool targets_input(struct command *command, int *status);

/* Were jobs chosen by more than typing their ids out? (Then bulk acts ask.) */
bool targets_are_bulk(const struct command *command);

/* Likewise by the words alone: a glob or standard input. */
bool targets_are_glob(const struct command *command);

/* Puts patterns, tags, group, states into the params of job.list. */
void targets_filters(struct command *command, struct value *params);

/*
 * Calls method once for each id with {"id": ID} and the members of extra (NULL:
 * none), says each failure, and hands each result to done (NULL: nobody).
 * With --json the results are printed: an object for one id typed out, else an array.
 * Returns the exit status: of the failure if there is one target, 1 for some of many.
 */
typedef void (*targets_done_fn)(
    struct command *command, const char *id, const struct value *result, void *context);
int targets_call(struct command *command, const struct value *ids, const char *method,
    const struct value *extra, targets_done_fn done, void *context);

#endif
