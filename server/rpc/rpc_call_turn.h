/* SPDX-License-Identifier: MIT */
/* A call whose answer is made in pieces, between which others have their turn. */
#ifndef SCHEDD_SERVER_RPC_RPC_CALL_TURN_H
#define SCHEDD_SERVER_RPC_RPC_CALL_TURN_H

#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_turn.h"

/* It is to end with its connection, whatever is waited for; once. */
void rpc_call_turn_watch(struct rpc_call *call, struct rpc_turn *turn);
/* Waits for its next turn; it fails where its connection ends before. */
void rpc_call_turn_wait(struct rpc_call *call, struct rpc_turn *turn);
/* Fails it, as its connection has ended. */
void rpc_call_turn_cancel(struct rpc_call *call);

#endif
