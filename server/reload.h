/* SPDX-License-Identifier: MIT */
/* Taking over a changed config while running: all of it or nothing. */
#ifndef SCHEDD_SERVER_RELOAD_H
#define SCHEDD_SERVER_RELOAD_H

#include "core/scheduler.h"
#include "server/daemon.h"

/* What daemon_reload() does. */
void reload_config(
    struct daemon *daemon, const struct scheduler_actor *actor, reload_fn done, void *context);

#endif
