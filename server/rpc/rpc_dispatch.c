/* SPDX-License-Identifier: MIT */
/* The other half of proto/methods.c: which function answers which row. */
#include "server/rpc/rpc_dispatch.h"

#include "proto/methods_address.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/suggest.h"
#include "base/message.h"
#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_forward.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_parts.h"
#include "server/rpc/rpc_rows.h"

#define RPC_ROW_LISTED(name, handler, heavy) {name, handler, heavy},

static const struct {
	const char *name;
	rpc_handler_fn handler;
	bool heavy;
} rpc_handlers[] = {RPC_ROWS(RPC_ROW_LISTED)};

static bool rpc_dispatch_handler(const char *name, struct rpc_method *out)
{
	for (size_t i = 0; i < sizeof(rpc_handlers) / sizeof(rpc_handlers[0]); i++) {
		if (strcmp(rpc_handlers[i].name, name) == 0) {
			out->handler = rpc_handlers[i].handler;
			out->heavy = rpc_handlers[i].heavy;
			return true;
		}
	}
	return false;
}

static void rpc_dispatch(struct connection *connection, const char *bytes, size_t length);
static void rpc_dispatch_local(struct connection *connection, uint32_t msgid,
    const char *method, struct arena *arena, const struct value *params, size_t bytes);

/* ---- The index ---- */

static int rpc_compare_names(const void *a, const void *b)
{
	const struct rpc_method *left = a, *right = b;

	return strcmp(left->method->name, right->method->name);
}

static int rpc_compare_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct rpc_method *)row)->method->name);
}

static const struct rpc_method *rpc_method(const struct rpc *rpc, const char *name)
{
	return bsearch(
	    name, rpc->methods, rpc->method_count, sizeof(*rpc->methods), rpc_compare_name);
}

int rpc_dispatch_init(struct rpc *rpc, struct schedd_error *err)
{
	const struct method *row;
	size_t count = 0;

	for (row = methods_all(); row->name; row++)
		count++;
	rpc->methods = calloc(count, sizeof(*rpc->methods));
	if (!rpc->methods)
		return schedd_error_nomem(err);
	for (row = methods_all(); row->name; row++) {
		struct rpc_method *method = &rpc->methods[rpc->method_count++];

		if (!rpc_dispatch_handler(row->name, method))
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "no handler for the method %s", row->name);
		method->method = row;
	}
	qsort(rpc->methods, rpc->method_count, sizeof(*rpc->methods), rpc_compare_names);
	rpc->on_message = rpc_dispatch;
	rpc->on_local = rpc_dispatch_local;
	return 0;
}

/* ---- A message ---- */

static int rpc_unknown(const char *name, struct schedd_error *err)
{
	const struct method *row;
	struct suggest suggest;
	const char *closest;

	suggest_init(&suggest, name);
	for (row = methods_all(); row->name; row++)
		suggest_offer(&suggest, row->name);
	closest = suggest_result(&suggest);
	if (!closest)
		return schedd_error_set(err, SCHEDD_EMETHOD, "unknown method '%.64s'", name);
	return schedd_error_set(
	    err, SCHEDD_EMETHOD, "unknown method '%.64s', did you mean '%s'?", name, closest);
}

/* A request that is no call: there is none to end. */
static void rpc_reject(
    struct connection *connection, const struct message *message, const struct schedd_error *err)
{
	rpc_counters(connection_rpc(connection))->failed++;
	if (message->type == MESSAGE_REQUEST)
		connection_fail(connection, message->msgid, err);
}

/* Here, or on the node that it is a matter of. */
static void rpc_dispatch_go(struct rpc_call *call)
{
	if (!rpc_parts(call) && !rpc_forward(call) && !rpc_forward_refresh(call))
		call->method->handler(call);
}

static void rpc_dispatch_heard(void *context)
{
	struct rpc_call *call = context;
	struct value nil = value_nil();

	if (connection_is_open(call->connection))
		rpc_dispatch_go(call);
	else
		rpc_call_answer(call, &nil);
}

static void rpc_dispatch_call(struct connection *connection, struct arena *arena,
    const struct message *message, const struct rpc_method *method, size_t length)
{
	struct peer *peer = connection_peer(connection);
	struct users_caller *copy;
	struct schedd_error err;
	struct rpc_call *call;

	if (connection_judge(connection, &err)) {
		rpc_reject(connection, message, &err);
		connection_dismiss(connection);
		return;
	}
	call = rpc_call_new(connection, method);
	if (!call) {
		schedd_error_nomem(&err);
		rpc_reject(connection, message, &err);
		return;
	}
	call->arena = *arena; /* with the parameters in it */
	arena_init(arena);
	call->bytes = length;
	call->msgid = message->msgid;
	call->silent = message->type == MESSAGE_NOTIFICATION;
	call->params = message->params;
	methods_address(method->method, &call->params, &call->arena);
	log_debug(daemon_log(call->daemon), "request %s of uid %lld, pid %lld", call->actor.method,
	    (long long)call->actor.uid, (long long)call->actor.pid);
	copy = arena_alloc(&call->arena, sizeof(*copy));
	if (copy)
		*copy = peer->caller;
	call->caller = copy;
	if (copy && copy->role != USERS_ADMIN && copy->account[0])
		call->actor.account = copy->account;
	/* Handlers see all that was given, or nothing of it. */
	if (arena_failed(&call->arena)) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
	} else if (rpc_names_admit(copy, method->method, &err) ||
		   methods_check(method->method, &call->params, &err) ||
		   rpc_names_in(copy, method->method, call->scheduler, &call->params, &call->arena,
		       &err)) {
		rpc_call_fail(call, &err);
	} else if (!rpc_forward_hear(call, rpc_dispatch_heard)) {
		rpc_dispatch_go(call);
	}
}

static void rpc_dispatch(struct connection *connection, const char *bytes, size_t length)
{
	struct rpc *rpc = connection_rpc(connection);
	const struct rpc_method *method;
	struct schedd_error err;
	struct message message;
	struct arena arena;
	int rc;

	rpc_counters(rpc)->requests++;
	arena_init(&arena);
	rc = connection_unpack(connection, bytes, length, &arena, &message, &err);
	if (!rc && message.type == MESSAGE_RESPONSE)
		goto out; /* the server asks nothing */
	method = rc ? NULL : rpc_method(rpc, message.method);
	if (!rc && !method)
		rc = rpc_unknown(message.method, &err);
	if (rc)
		rpc_reject(connection, &message, &err);
	else
		rpc_dispatch_call(connection, &arena, &message, method, length);
	/* There may be a password in it, and the bytes lie there until others come. */
	if (method && strncmp(method->method->name, "store.", 6) == 0)
		explicit_bzero((char *)(uintptr_t)bytes, length);
out:
	arena_clear(&arena);
}

static void rpc_dispatch_local(struct connection *connection, uint32_t msgid, const char *name,
    struct arena *arena, const struct value *params, size_t bytes)
{
	struct rpc *rpc = connection_rpc(connection);
	const struct rpc_method *method = rpc_method(rpc, name);
	struct message message = {.type = MESSAGE_REQUEST,
	    .msgid = msgid,
	    .method = name,
	    .params = params ? *params : value_nil()};
	struct schedd_error err;

	rpc_counters(rpc)->requests++;
	if (method) {
		rpc_dispatch_call(connection, arena, &message, method, bytes);
	} else {
		rpc_unknown(name, &err);
		rpc_reject(connection, &message, &err);
	}
	arena_clear(arena);
}
