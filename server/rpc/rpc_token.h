/* SPDX-License-Identifier: MIT */
/* token.add, token.list, token.remove. */
#ifndef SCHEDD_SERVER_RPC_RPC_TOKEN_H
#define SCHEDD_SERVER_RPC_RPC_TOKEN_H

struct rpc_call;

void rpc_token_add(struct rpc_call *call);
void rpc_token_list(struct rpc_call *call);
void rpc_token_remove(struct rpc_call *call);

#endif
