/* SPDX-License-Identifier: MIT */
/*
 * One request on its way: its parameters, who asked, and where the answer goes.
 *
 * A handler answers its call exactly once, now or later, by one of the
 * functions that end it; the call is gone then. A handler that answers later
 * and must know when nobody waits any more sets call->cancelled.
 */
#ifndef SCHEDD_SERVER_RPC_RPC_CALL_H
#define SCHEDD_SERVER_RPC_RPC_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/value.h"
#include "core/scheduler.h"
#include "proto/methods.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_state.h"

struct rpc_call;

/* A method and what answers it. */
typedef void (*rpc_handler_fn)(struct rpc_call *call);
struct rpc_method {
	const struct method *method;
	rpc_handler_fn handler;
	bool heavy; /* the answer may be large */
};

struct rpc_call {
	struct connection_hook hook;        /* first; attached once cancelled is set */
	struct daemon *daemon;              /* borrowed */
	struct schedd_scheduler *scheduler; /* the daemon's */
	struct connection *connection;      /* one reference */
	const struct rpc_method *method;
	struct arena arena;  /* parameters, and what handlers build */
	struct value params; /* checked against the method's row; a map or nil */
	struct scheduler_actor actor;
	const struct users_caller *caller; /* who asks; in the arena */
	size_t bytes; /* of its message */
	uint32_t msgid;
	uint32_t looks; /* at whose the job is that it is about */
	struct schedd_mono until; /* how long it waits for what nodes answer; 0: not known, or for ever */
	bool silent;  /* a notification: no answer */
	bool pending; /* its answer comes without the client's doing: a stop waits for it */
	/* The connection ended: end the call if nothing else is pending; where it goes is the same.
	 */
	void (*cancelled)(struct rpc_call *call);
	/* The call ends, however: frees what hangs on state. NULL: nothing. */
	void (*release)(struct rpc_call *call);
	void *state;         /* the handler's own */
	struct value answer; /* for rpc_call_reply_with() */
};

/* NULL: no memory. params and actor are still to be filled. */
struct rpc_call *rpc_call_new(struct connection *connection, const struct rpc_method *method);
/* Calls cancelled if the connection ends before the answer. */
void rpc_call_on_cancel(struct rpc_call *call, void (*cancelled)(struct rpc_call *call));
/* The same for an answer that is on its way without the client's doing: a stop waits for it. */
void rpc_call_on_leave(struct rpc_call *call, void (*cancelled)(struct rpc_call *call));

/*
 * Who asks, to ask again in his name: caller, actor, scheduler, connection and parameters, in an
 * arena of its own. False: no memory; that arena is to be cleared all the same.
 */
bool rpc_call_copy(const struct rpc_call *call, struct rpc_call *asker);

/* ---- Ending it ---- */

/* No method answers nil: where that, or part of the result, is all there was memory for, the
 * connection ends, and one that has no end is told that it is not known whether it was done. */
void rpc_call_answer(struct rpc_call *call, const struct value *result);
void rpc_call_fail(struct rpc_call *call, const struct schedd_error *err);
/* Of what has not been done: out of memory where the arena it was built in has failed. */
void rpc_call_answer_built(struct rpc_call *call, const struct value *result);
/*
 * {key: [items], …rest} from packed items, rest a map, or [items] where key is NULL; out of memory where
 * they have failed. May take the items, which are to be cleared in any case.
 */
void rpc_call_answer_list(struct rpc_call *call, const char *key, struct strbuf *items,
    uint32_t count, const struct value *rest);
/* For a call of the scheduler that takes a reply: ends the call with what comes. */
struct scheduler_reply rpc_call_reply(struct rpc_call *call);
/* The same, but what is answered once it has been done is known already: built in the call's arena.
 */
struct scheduler_reply rpc_call_reply_with(struct rpc_call *call, struct value answer);

/* ---- Parameters ---- */

/* NULL: not given (nil counts as that). */
const struct value *rpc_call_param(const struct rpc_call *call, const char *name);
const char *rpc_call_text(const struct rpc_call *call, const char *name);
bool rpc_call_bool(const struct rpc_call *call, const char *name);
int64_t rpc_call_int(const struct rpc_call *call, const char *name, int64_t fallback);
/* A NULL-terminated list in the arena; NULL: not given, or empty. */
const char *const *rpc_call_texts(struct rpc_call *call, const char *name);
/* fallback where it is not given. False: it makes no sense, and the call was ended. */
bool rpc_call_time(struct rpc_call *call, const char *name, schedd_time fallback, schedd_time *out);
/* The same, a text without a zone of its own read in the one given. */
bool rpc_call_time_in(struct rpc_call *call, const char *name, const struct zone *zone,
    schedd_time fallback, schedd_time *out);
bool rpc_call_span(struct rpc_call *call, const char *name, schedd_span fallback, schedd_span *out);
/* from 1 to max; false: it is not, and the call was ended. */
bool rpc_call_limit(
    struct rpc_call *call, const char *name, uint64_t fallback, uint64_t max, uint64_t *out);
/* "backup/42" or "backup" (number 0) into its parts; false: neither, and the call was ended. */
bool rpc_call_run(struct rpc_call *call, char id[JOB_ID_MAX + 1], uint32_t *number);
/* env of job.run and run.retry, with TRACEPARENT where traceparent is given. */
bool rpc_call_run_env(struct rpc_call *call, const struct job_pairs **out);

#endif
