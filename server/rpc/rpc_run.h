/* SPDX-License-Identifier: MIT */
/* Handlers of run.list, get, kill, retry and purge. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_RUN_H
#define SCHEDD_SERVER_RPC_RPC_RUN_H

#include "server/rpc/rpc_rows.h"
#include <stdint.h>
#include "base/value.h"

struct rpc_call;

/* run: the run as a map, valid during the call; NULL: the job never ran (asked for without a
 * number). */
typedef void (*rpc_run_fn)(struct rpc_call *call, const struct value *run);
/*
 * Looks up the run that the parameter `run` names, number 0 being the latest.
 * A run that does not exist ends the call, and found is not called.
 */
void rpc_run_find(struct rpc_call *call, rpc_run_fn found);

#endif
