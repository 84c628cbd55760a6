/* SPDX-License-Identifier: MIT */
/* Handlers of job.*, except job.apply and job.import. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_JOB_H
#define SCHEDD_SERVER_RPC_RPC_JOB_H

#include "server/rpc/rpc_rows.h"

struct rpc_call;
struct schedd_error;

/* "no job 'bakcup', did you mean 'backup'?" Ends the call. */
void rpc_job_missing(struct rpc_call *call, const char *id);

#endif
