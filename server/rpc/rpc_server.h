/* SPDX-License-Identifier: MIT */
/* Handlers of server.*, scheduler.* and config.get. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_SERVER_H
#define SCHEDD_SERVER_RPC_RPC_SERVER_H

struct rpc_call;

void rpc_server_hello(struct rpc_call *call);
void rpc_server_ping(struct rpc_call *call);
void rpc_server_status(struct rpc_call *call);
void rpc_server_stats(struct rpc_call *call);
void rpc_server_reload(struct rpc_call *call);
void rpc_server_backup(struct rpc_call *call);
void rpc_server_shutdown(struct rpc_call *call);
void rpc_server_pause(struct rpc_call *call);
void rpc_server_resume(struct rpc_call *call);
void rpc_server_config(struct rpc_call *call);

#endif
