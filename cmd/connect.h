/* SPDX-License-Identifier: MIT */
/* Which daemon? The user's own first, then the system's; or the one that was named. */
#ifndef SCHEDD_CMD_CONNECT_H
#define SCHEDD_CMD_CONNECT_H

#include "base/arena.h"
#include "proto/rpc_client.h"

/*
 * socket (NULL: SCHEDD_SOCKET, else look around). *reached, in the arena, is
 * the path that answered. SCHEDD_EUNREACHABLE names every path that was tried.
 */
int connect_daemon(struct arena *arena, const char *socket, schedd_span timeout,
    struct rpc_client **out, const char **reached, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
