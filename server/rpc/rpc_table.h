/* SPDX-License-Identifier: MIT */
/* Jobs of cron's tables belong to the files they stand in. */
#ifndef SCHEDD_SERVER_RPC_RPC_TABLE_H
#define SCHEDD_SERVER_RPC_RPC_TABLE_H

#include "server/rpc/rpc_call.h"

/* Is the job of that id one that only its table can change? id may be NULL. SCHEDD_ECONFLICT names
 * the table. */
int rpc_table_check(struct rpc_call *call, const char *id, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The same for a map of fields that are to be a job's: none may pretend to be a table's. */
int rpc_table_check_fields(struct rpc_call *call, const struct value *fields,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
