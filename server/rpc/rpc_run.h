/* SPDX-License-Identifier: MIT */
/* Handlers of run.list, get, kill, retry and purge. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_RUN_H
#define SCHEDD_SERVER_RPC_RPC_RUN_H

#include <stdint.h>
#include "base/value.h"

struct rpc_call;

void rpc_run_list(struct rpc_call *call);
void rpc_run_get(struct rpc_call *call);
void rpc_run_kill(struct rpc_call *call);
void rpc_run_retry(struct rpc_call *call);
void rpc_run_purge(struct rpc_call *call);

/* run: the run as a map, valid during the call; NULL: the job never ran (asked for without a
 * number). */
typedef void (*rpc_run_fn)(struct rpc_call *call, const struct value *run);
/*
 * Looks up the run that the parameter `run` names, number 0 being the latest.
 * A run that does not exist ends the call, and found is not called.
 */
void rpc_run_find(struct rpc_call *call, rpc_run_fn found);

#endif
