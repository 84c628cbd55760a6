/* SPDX-License-Identifier: MIT */
/* Taking over a changed config while running: all of it or nothing. */
#ifndef SCHEDD_SERVER_RELOAD_H
#define SCHEDD_SERVER_RELOAD_H

#include <schedd/error.h>
#include "base/value.h"
#include "core/scheduler.h"

struct daemon;

/*
 * What a reload came to. changed and restart, valid during the call: keys that
 * are in force now, and keys that need a restart. SCHEDD_EFILE: the new config
 * or a job file of it is wrong and nothing has changed.
 */
typedef void (*reload_fn)(int rc, const struct schedd_error *err, const struct value *changed,
    const struct value *restart, void *context);

/*
 * Reads the config again (SIGHUP, server.reload) and applies the jobs it names.
 * done (NULL: nobody asks) is called in any case, now or when the jobs are there.
 */
void reload_config(
    struct daemon *daemon, const struct scheduler_actor *actor, reload_fn done, void *context);

#endif
