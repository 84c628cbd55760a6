/* SPDX-License-Identifier: MIT */
/* Calls about a job on all nodes: what they do is done with its parts, on their nodes. */
#ifndef SCHEDD_SERVER_RPC_RPC_PARTS_H
#define SCHEDD_SERVER_RPC_RPC_PARTS_H

#include "server/rpc/rpc_call.h"

/* Is it such a call? Then it was taken, and will be answered. */
bool rpc_parts(struct rpc_call *call);

#endif
