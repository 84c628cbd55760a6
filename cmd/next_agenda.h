/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CMD_NEXT_AGENDA_H
#define SCHEDD_CMD_NEXT_AGENDA_H

#include "cmd/command.h"

/* The coming runs of all jobs in the order of their times, by --from, --until and -n. */
int next_agenda(struct command *command);

#endif
