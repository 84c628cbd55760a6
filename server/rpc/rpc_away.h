/* SPDX-License-Identifier: MIT */
/* Following what a run writes on another node. */
#ifndef SCHEDD_SERVER_RPC_RPC_AWAY_H
#define SCHEDD_SERVER_RPC_RPC_AWAY_H

#include "server/rpc/rpc_call.h"

/*
 * The call is run.log with follow, of a run of that node's. What the node
 * answers ends it, by reply; then its notifications go to the caller's
 * connection. If the node is lost they go on as soon as it is back, or end with
 * the run, whose end is another's to tell then; what is missing is said.
 */
void rpc_away_follow(
    struct rpc_call *call, const char *node, const struct value *run, struct scheduler_reply reply);

#endif
