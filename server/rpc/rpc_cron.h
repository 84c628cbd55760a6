/* SPDX-License-Identifier: MIT */
/* cron.table_*: an account's own table, for crontab(1). */
#ifndef SCHEDD_SERVER_RPC_RPC_CRON_H
#define SCHEDD_SERVER_RPC_RPC_CRON_H

#include "server/rpc/rpc_call.h"

void rpc_cron_get(struct rpc_call *call);
void rpc_cron_set(struct rpc_call *call);
void rpc_cron_remove(struct rpc_call *call);

#endif
