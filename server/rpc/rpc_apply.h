/* SPDX-License-Identifier: MIT */
/* Handlers of job.apply and job.import, also in parts. */
#ifndef SCHEDD_SERVER_RPC_RPC_APPLY_H
#define SCHEDD_SERVER_RPC_RPC_APPLY_H

struct rpc_call;

void rpc_apply_jobs(struct rpc_call *call);
void rpc_apply_import(struct rpc_call *call);

#endif
