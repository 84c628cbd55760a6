/* SPDX-License-Identifier: MIT */
/* Jobs that are not there, or not any more: a one-shot that has run is removed, its history stays.
 */
#ifndef SCHEDD_CMD_GONE_H
#define SCHEDD_CMD_GONE_H

#include "cmd/command.h"

/* Has a job of that id left runs? */
bool gone_has_runs(struct command *command, const char *id);
/* If it has: says where they are. */
void gone_say(struct command *command, const char *id);
/* Is there a job of that id? If not, says so, with what may be meant and where its runs are. */
bool gone_check(struct command *command, const char *id);

#endif
