/* SPDX-License-Identifier: MIT */
/* Handler of run.log: what a run wrote, and what it goes on writing. */
#ifndef SCHEDD_SERVER_RPC_RPC_LOG_H
#define SCHEDD_SERVER_RPC_RPC_LOG_H

struct rpc_call;

void rpc_log_read(struct rpc_call *call);

#endif
