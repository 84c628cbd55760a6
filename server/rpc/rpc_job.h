/* SPDX-License-Identifier: MIT */
/* Handlers of job.*, except job.apply and job.import. See PROTOCOL.md for each. */
#ifndef SCHEDD_SERVER_RPC_RPC_JOB_H
#define SCHEDD_SERVER_RPC_RPC_JOB_H

struct rpc_call;
struct schedd_error;

void rpc_job_add(struct rpc_call *call);
void rpc_job_get(struct rpc_call *call);
void rpc_job_list(struct rpc_call *call);
void rpc_job_export(struct rpc_call *call);
void rpc_job_modify(struct rpc_call *call);
void rpc_job_reschedule(struct rpc_call *call);
void rpc_job_rename(struct rpc_call *call);
void rpc_job_remove(struct rpc_call *call);
void rpc_job_pause(struct rpc_call *call);
void rpc_job_resume(struct rpc_call *call);
void rpc_job_run(struct rpc_call *call);
void rpc_job_why(struct rpc_call *call);

/* "no job 'bakcup', did you mean 'backup'?" Ends the call. */
void rpc_job_missing(struct rpc_call *call, const char *id);

#endif
