/* SPDX-License-Identifier: MIT */
/*
 * A call on another node that goes on: its answer, then its notifications, in
 * order and without a hole, for as long as both nodes live. One request is
 * under way at a time, so that a slow reader holds up what it reads and nothing
 * else.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_STREAM_H
#define SCHEDD_SERVER_RPC_RPC_STREAM_H

#include <stdbool.h>
#include <schedd/error.h>
#include "base/value.h"

struct rpc_call;
struct rpc_stream;

#define RPC_STREAM_NAME 48

struct rpc_stream_ops {
	/* Once. What is answered is valid during the call; after a failure the stream is broken. */
	void (*opened)(const struct value *result, void *context);
	/* False: no more for now, until rpc_stream_resume(): this one will come again. */
	bool (*note)(const char *method, const struct value *params, void *context);
	/* Nothing was left when that was asked; again after each silence. */
	void (*idle)(void *context);
	/* It is over, by its node or on the way there, also before it was opened. */
	void (*broken)(const struct schedd_error *err, void *context);
};

/* A request of rpc_forward_request(), which it copies. NULL: it cannot be asked. */
struct rpc_stream *rpc_stream_open(struct rpc_call *call, const char *node, const struct value *request,
    const struct rpc_stream_ops *ops, void *context);
void rpc_stream_resume(struct rpc_stream *stream);
/* Nothing is called any more; from within a callback too. NULL is fine. */
void rpc_stream_close(struct rpc_stream *stream);
/* The end of the daemon. */
void rpc_stream_end(struct rpc_stream **all);

#endif
