/* SPDX-License-Identifier: MIT */
/* From the bytes of one message to the handler of its method. */
#ifndef SCHEDD_SERVER_RPC_RPC_DISPATCH_H
#define SCHEDD_SERVER_RPC_RPC_DISPATCH_H

#include <schedd/error.h>
#include "server/rpc/rpc_state.h"

/*
 * Finds the handlers of all methods and takes the messages of clients from here
 * on: each is taken apart and checked, and its handler called, or answered what
 * is wrong.
 */
int rpc_dispatch_init(struct rpc *rpc, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
