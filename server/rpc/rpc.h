/* SPDX-License-Identifier: MIT */
/* The server's side of the protocol: accepts clients and has their messages answered. */
#ifndef SCHEDD_SERVER_RPC_RPC_H
#define SCHEDD_SERVER_RPC_RPC_H

#include <schedd/error.h>
#include "server/rpc/rpc_state.h"

/*
 * Serves clients of the listening descriptor, which stays the caller's. daemon
 * is what the handlers work on.
 */
int rpc_new(struct daemon *daemon, struct event_base *base, int listening,
    const struct rpc_limits *limits, struct rpc **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Takes up no client and no request any more; answers under way still go out. */
void rpc_finish(struct rpc *rpc);
/* Answers that somebody still waits for, and that come by themselves. */
bool rpc_is_busy(const struct rpc *rpc);
/* Closes all connections: nothing calls the scheduler any more, but its answers may still come. */
void rpc_close(struct rpc *rpc);
/* After the scheduler. NULL is fine. */
void rpc_free(struct rpc *rpc);

#endif
