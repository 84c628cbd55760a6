/* SPDX-License-Identifier: MIT */
/* From the bytes of one message to the handler of its method. */
#ifndef SCHEDD_SERVER_RPC_RPC_DISPATCH_H
#define SCHEDD_SERVER_RPC_RPC_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include "server/rpc/connection.h"
#include "server/rpc/rpc.h"

/* Takes one whole message apart, checks it and calls the handler, or answers what is wrong. */
void rpc_dispatch(struct connection *connection, const char *bytes, size_t length);
/* Fills handler and heavy of the method; false: there is no handler of that name. */
bool rpc_dispatch_handler(const char *name, struct rpc_method *out);

#endif
