/* SPDX-License-Identifier: MIT */
/*
 * Calls about a job that another node of a shared store has: what runs there is
 * asked of it there.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_FORWARD_H
#define SCHEDD_SERVER_RPC_RPC_FORWARD_H

#include "server/rpc/rpc_call.h"

/*
 * Is it about what another node may have added a moment ago? Then again is called, with the call, when
 * what the others told was heard; false: it is not.
 */
bool rpc_forward_hear(struct rpc_call *call, scheduler_fresh_fn again);
/* Is it another's? Then it was taken, and will be answered. */
bool rpc_forward(struct rpc_call *call);
/* Has that node do the same call; reply is told what it answers. */
void rpc_forward_to(struct rpc_call *call, const char *node, struct scheduler_reply reply);
/* What asks another node for that in the caller's name; in arena. */
struct value rpc_forward_request(
    struct rpc_call *call, const char *method, const struct value *params, struct arena *arena);
/* Is it a question about jobs of others? Then it is answered when they were looked at anew. */
bool rpc_forward_refresh(struct rpc_call *call);
/* As rpc_call_reply(), of what may have become another node's job before it was begun: then it is asked. */
struct scheduler_reply rpc_forward_reply(struct rpc_call *call);

#endif
