/* SPDX-License-Identifier: MIT */
/* Handlers of store.*, executor.* and group.*. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_STORE_H
#define SCHEDD_SERVER_RPC_RPC_STORE_H

struct rpc_call;

void rpc_store_list(struct rpc_call *call);
void rpc_store_add(struct rpc_call *call);
void rpc_store_remove(struct rpc_call *call);
void rpc_store_executors(struct rpc_call *call);
void rpc_store_executor_add(struct rpc_call *call);
void rpc_store_executor_remove(struct rpc_call *call);
void rpc_store_executor_restart(struct rpc_call *call);
void rpc_store_groups(struct rpc_call *call);
void rpc_store_group_set(struct rpc_call *call);

#endif
