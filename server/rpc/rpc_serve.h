/* SPDX-License-Identifier: MIT */
/* What other nodes ask of this one, in the name of who asked there. */
#ifndef SCHEDD_SERVER_RPC_RPC_SERVE_H
#define SCHEDD_SERVER_RPC_RPC_SERVE_H

struct rpc;
struct rpc_served;
struct schedd_scheduler;

void rpc_serve(struct rpc *rpc, struct schedd_scheduler *scheduler);
/* Nothing is answered any more. */
void rpc_serve_end(struct rpc_served **all);

#endif
