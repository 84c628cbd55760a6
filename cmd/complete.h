/* SPDX-License-Identifier: MIT */
/*
 * What could stand at the cursor. The scripts under completions/ hand over the
 * words as the user typed them and show what comes back; all knowledge is
 * here, in the rows of verbs and options.
 *
 * The answer is lines. The first tells what to do: ":words" (candidates
 * follow), ":files", ":directories", or ":command N" (word N begins a command
 * line of its own). A candidate may be followed by a tab and a description.
 */
#ifndef SCHEDD_CMD_COMPLETE_H
#define SCHEDD_CMD_COMPLETE_H

#include "base/strbuf.h"
#include "cmd/command.h"

/* words[0] is the program, words[at] the word at the cursor (may be ""). */
void complete_line(
    struct command *command, const char *const *words, int count, int at, struct strbuf *out);

/* One candidate, if it begins with prefix; never one with control characters. */
void complete_offer(
    struct strbuf *out, const char *prefix, const char *candidate, const char *description);

/* Candidates of a kind that begin with prefix, asked of the daemon where it knows them. */
void complete_values(struct command *command, enum complete kind, const struct option *option,
    const char *prefix, struct strbuf *out);

#endif
