/* SPDX-License-Identifier: MIT */
/* The row of each verb, defined in its verb_<name>.c. */
#ifndef SCHEDD_CMD_VERB_ROWS_H
#define SCHEDD_CMD_VERB_ROWS_H

#include "cmd/verbs.h"

extern const struct verb verb_complete;
extern const struct verb verb_help;
extern const struct verb verb_ping;
extern const struct verb verb_version;

#endif
