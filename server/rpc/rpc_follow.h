/* SPDX-License-Identifier: MIT */
/* run.log with follow: notifications run.output and run.end. */
#ifndef SCHEDD_SERVER_RPC_RPC_FOLLOW_H
#define SCHEDD_SERVER_RPC_RPC_FOLLOW_H

#include <stdint.h>
#include <schedd/error.h>
#include "executor/output.h"

struct rpc_call;
struct rpc_follow;

/*
 * Follows the output from now on, for the call's connection. stream: of enum
 * output_stream, -1: all. The follower belongs to its connection and to the
 * run: it goes when one of them ends.
 */
int rpc_follow_new(struct rpc_call *call, struct output *output, const char *job, uint32_t run,
    int stream, struct rpc_follow **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* How it is called in notifications. */
int64_t rpc_follow_number(const struct rpc_follow *follow);
/* After the answer was queued: waits for the end of the run, which may have come (then it is gone).
 */
void rpc_follow_start(struct rpc_follow *follow);
/* When a piece was written; nil: nobody knows. */
struct value rpc_follow_time(schedd_time when);
/* "stdout", "stderr", "gap" */
const char *rpc_follow_stream(enum output_stream stream);

#endif
