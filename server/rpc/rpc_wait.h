/* SPDX-License-Identifier: MIT */
/* Handler of run.wait. */
#ifndef SCHEDD_SERVER_RPC_RPC_WAIT_H
#define SCHEDD_SERVER_RPC_RPC_WAIT_H

struct rpc_call;

void rpc_wait_run(struct rpc_call *call);

#endif
