/* SPDX-License-Identifier: MIT */
/* Taking over a changed config while running: all of it or nothing. */
#ifndef SCHEDD_SERVER_RELOAD_H
#define SCHEDD_SERVER_RELOAD_H

#include <schedd/error.h>
#include "base/value.h"

struct daemon;

/*
 * Reads the config again (SIGHUP, server.reload). *changed and *restart, in the
 * arena: keys that are in force now, and keys that need a restart. SCHEDD_EFILE:
 * the new config is wrong and nothing has changed.
 */
int reload_config(struct daemon *daemon, struct arena *arena, struct value *changed,
    struct value *restart, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
