/* SPDX-License-Identifier: MIT */
/* Handlers of event.subscribe and event.unsubscribe. */
#ifndef SCHEDD_SERVER_RPC_RPC_EVENT_H
#define SCHEDD_SERVER_RPC_RPC_EVENT_H

struct rpc_call;

void rpc_event_subscribe(struct rpc_call *call);
void rpc_event_unsubscribe(struct rpc_call *call);

#endif
