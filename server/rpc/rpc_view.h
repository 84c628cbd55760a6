/* SPDX-License-Identifier: MIT */
/* What one account may know of the daemon: its own part of all counts, and what is open to it. */
#ifndef SCHEDD_SERVER_RPC_RPC_VIEW_H
#define SCHEDD_SERVER_RPC_RPC_VIEW_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/value.h"

struct rpc_call;

/* Does the caller see the jobs of one account alone? Then this is that account, otherwise "". */
const char *rpc_view(const struct rpc_call *call);
/* The map of scheduler_status(): where one account is seen, its counts, nil for all others. */
struct value rpc_view_scheduler(struct rpc_call *call);
/* The map of server.status, likewise. */
struct value rpc_view_status(struct rpc_call *call);
/* Lists of maps by name: of a user, what the config opens to users, without counts. */
struct value rpc_view_stores(struct rpc_call *call);
struct value rpc_view_executors(struct rpc_call *call);
struct value rpc_view_groups(struct rpc_call *call);
/* May the caller give an environment to a run of that job (its full id)? */
int rpc_view_check_env(const struct rpc_call *call, const char *job, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
