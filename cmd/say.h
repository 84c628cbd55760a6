/* SPDX-License-Identifier: MIT */
/* The voice to people: sentences, errors and questions, all of them on stderr. */
#ifndef SCHEDD_CMD_SAY_H
#define SCHEDD_CMD_SAY_H

#include "cmd/command.h"

/* Says the error on stderr as --json or people want it; returns the exit status. */
int say_error(struct command *command, const struct schedd_error *err);
/* A sentence to a person on stderr, unless -q. */
void say(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A sentence that goes with an error: none with --json, where an error is one line. */
void say_hint(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What was waited for ended badly: a sentence, an error's line with --json; nothing with -q. */
void say_ended(struct command *command, int status, const char *text);
/* Shorthand for a usage error. */
int say_usage(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Asks on a terminal; without one needs -y. True: go on. *status gets the exit status otherwise. */
bool say_confirm(struct command *command, int *status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
