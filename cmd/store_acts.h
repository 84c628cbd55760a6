/* SPDX-License-Identifier: MIT */
/* What schedctl stores does besides showing them: a word each, add, remove, check, … */
#ifndef SCHEDD_CMD_STORE_ACTS_H
#define SCHEDD_CMD_STORE_ACTS_H

#include "cmd/command.h"

/* The options of all acts. */
extern const struct option store_act_options[];
/* What the first word may be, NULL-terminated. */
extern const char *const store_act_words[];
/* What the words behind that one are. */
enum complete store_act_complete(const char *act);
/* No act was named: the stores are to be shown. */
#define STORE_ACTS_NONE (-1)
/* Does what the words of the command say; returns the exit status. */
int store_acts_run(struct command *command);

#endif
