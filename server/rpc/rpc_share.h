/* SPDX-License-Identifier: MIT */
/* What one account takes of the server: its connections, and its requests that are being worked on. */
#ifndef SCHEDD_SERVER_RPC_RPC_SHARE_H
#define SCHEDD_SERVER_RPC_RPC_SHARE_H

#include <schedd/error.h>
#include "server/rpc/rpc_state.h"
#include "server/users.h"

struct rpc_share;

/*
 * One more connection of the account; *out NULL: the daemon's own and admins, who
 * have no limit. SCHEDD_ECONFLICT: it has as many as it may have.
 */
int rpc_share_join(struct rpc *rpc, const struct users_caller *caller, struct rpc_share **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* The connection is gone; NULL is fine, as in all below. */
void rpc_share_leave(struct rpc_share *share);
/* A request is taken up, or answered (or waits for something without work). */
void rpc_share_begin(struct rpc_share *share);
/* True: it was full until now, so others of the account may go on. */
bool rpc_share_end(struct rpc_share *share);
/* Does the next request have to wait? */
bool rpc_share_full(struct rpc_share *share);
/* At the end, without connections. */
void rpc_share_free(struct rpc *rpc);

#endif
