/* SPDX-License-Identifier: MIT */
/* Handler of trigger.next. */
#ifndef SCHEDD_SERVER_RPC_RPC_TRIGGER_H
#define SCHEDD_SERVER_RPC_RPC_TRIGGER_H

struct rpc_call;

void rpc_trigger_next(struct rpc_call *call);

#endif
