/* SPDX-License-Identifier: MIT */
/* What server.status answers. */
#ifndef SCHEDD_SERVER_STATUS_H
#define SCHEDD_SERVER_STATUS_H

#include "base/value.h"

struct daemon;

/* The map of PROTOCOL.md, in the arena. */
struct value status_value(struct daemon *daemon, struct arena *arena);
/* "running", "paused", "stopping" */
const char *status_state(struct daemon *daemon);

#endif
