/* SPDX-License-Identifier: MIT */
/*
 * The caller was judged where it asked; the node that does it takes that
 * node's word for who it is, as both use the same store.
 */
#include "server/rpc/rpc_forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "server/rpc/connection.h"

/* How long a node is waited for that does not answer. */
#define FORWARD_LIMIT (30 * SCHEDD_SECOND)
/* At whose a job is that nobody has, some seconds. */
#define FORWARD_LOOKS 100
/* For what takes as long as a run does. */
#define FORWARD_WAIT (24 * SCHEDD_HOUR)

/* Which parameter names the job or the run. */
static const struct {
	const char *method;
	const char *param;
	schedd_span limit;
} forward_rows[] = {
    {"job.run", "id", FORWARD_LIMIT},
    {"job.resume", "id", FORWARD_LIMIT},
    {"run.kill", "run", FORWARD_LIMIT},
    {"run.retry", "run", FORWARD_LIMIT},
    {"run.wait", "run", FORWARD_WAIT},
};

/* ---- To another ---- */

/* The job that the call is about, and how long its answer may take; false: it is about none. */
static bool forward_job(const struct rpc_call *call, char id[JOB_ID_MAX + 1], schedd_span *limit)
{
	const char *method = call->method->method->name, *text = NULL;
	size_t length;

	for (size_t i = 0; i < sizeof(forward_rows) / sizeof(forward_rows[0]); i++) {
		if (strcmp(forward_rows[i].method, method) != 0)
			continue;
		text = rpc_call_text(call, forward_rows[i].param);
		*limit = forward_rows[i].limit;
	}
	length = text ? strcspn(text, "/") : 0;
	if (length == 0 || length > JOB_ID_MAX)
		return false;
	memcpy(id, text, length);
	id[length] = '\0';
	return true;
}

static void forward_ask(
    struct rpc_call *call, const char *node, schedd_span limit, struct scheduler_reply reply)
{
	struct value request = value_map();

	value_put(&call->arena, &request, "method", value_string_ref(call->method->method->name));
	value_put(&call->arena, &request, "params", call->params);
	value_put(&call->arena, &request, "uid", value_int(call->actor.uid));
	value_put(&call->arena, &request, "pid", value_int(call->actor.pid));
	if (call->caller) {
		value_put(&call->arena, &request, "role",
		    value_string_ref(users_role_name(call->caller->role)));
		value_put(&call->arena, &request, "account", value_string_ref(call->caller->account));
		value_put(&call->arena, &request, "view", value_string_ref(call->caller->view));
	}
	scheduler_ask_node(call->scheduler, node, &request, limit, reply);
}

void rpc_forward_to(struct rpc_call *call, const char *node, struct scheduler_reply reply)
{
	forward_ask(call, node, FORWARD_LIMIT, reply);
}

/* What asks for a node by its name; its own is left to the handler. */
static bool forward_named(struct rpc_call *call)
{
	const char *method = call->method->method->name, *own;
	const char *node = strcmp(method, "server.status") == 0 || strcmp(method, "server.stats") == 0
			       ? rpc_call_text(call, "node")
			       : NULL;
	struct schedd_error err;

	if (!node)
		return false;
	own = scheduler_node_name(call->scheduler);
	if (own && strcmp(own, node) == 0)
		return false;
	if (own) {
		forward_ask(call, node, FORWARD_LIMIT, rpc_call_reply(call));
		return true;
	}
	schedd_error_set(&err, SCHEDD_ENOTFOUND, "node %s: no store is shared, there are no nodes", node);
	rpc_call_fail(call, &err);
	return true;
}

static void forward_again(void *context)
{
	struct rpc_call *call = context;

	if (!rpc_forward(call) && !rpc_forward_refresh(call))
		call->method->handler(call);
}

/* Nobody has it: one that may takes it in a moment, or none can. */
static bool forward_to_nobody(struct rpc_call *call, const char *id)
{
	struct schedd_error err;
	char why[512];

	/* What another has just changed comes first. */
	if (call->looks == 0 && scheduler_refresh(call->scheduler, id, forward_again, call)) {
		call->looks++;
		return true;
	}
	if (scheduler_job_homeless(call->scheduler, id, why, sizeof(why)))
		schedd_error_set(&err, SCHEDD_ECONFLICT, "job %s: %s", id, why);
	else if (call->looks++ < FORWARD_LOOKS &&
		 scheduler_refresh_later(call->scheduler, forward_again, call))
		return true;
	else
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "job %s has no node for now, one takes it within a lease: try again", id);
	rpc_call_fail(call, &err);
	return true;
}

bool rpc_forward(struct rpc_call *call)
{
	schedd_span limit = FORWARD_LIMIT;
	char id[JOB_ID_MAX + 1];
	struct schedd_error err;
	const char *node;

	if (forward_named(call))
		return true;
	if (!scheduler_is_shared(call->scheduler) || !forward_job(call, id, &limit) ||
	    !scheduler_job_elsewhere(call->scheduler, id, &node))
		return false;
	if (!node)
		return forward_to_nobody(call, id);
	if (connection_peer(call->connection)->forwarded) {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "job %s has just moved to another node: try again", id);
		rpc_call_fail(call, &err);
		return true;
	}
	forward_ask(call, node, limit, rpc_call_reply(call));
	return true;
}

static void forward_replied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	struct scheduler_reply reply = rpc_call_reply(call);

	if (rc == SCHEDD_EFAILED && call->looks++ < FORWARD_LOOKS && rpc_forward(call))
		return;
	reply.call(rc, err, result, reply.context);
}

struct scheduler_reply rpc_forward_reply(struct rpc_call *call)
{
	return (struct scheduler_reply){.call = forward_replied, .context = call};
}

/* ---- Questions ---- */

/* Which parameter names the job; NULL: it is about all of them. */
static const struct {
	const char *method;
	const char *param;
} forward_questions[] = {
    {"job.get", "id"},
    {"job.list", NULL},
    {"job.why", "id"},
    {"trigger.next", "id"},
};

static void forward_fresh(void *context)
{
	struct rpc_call *call = context;

	call->method->handler(call);
}

bool rpc_forward_refresh(struct rpc_call *call)
{
	if (!scheduler_is_shared(call->scheduler))
		return false;
	for (size_t i = 0; i < sizeof(forward_questions) / sizeof(forward_questions[0]); i++) {
		const char *param = forward_questions[i].param;
		const char *id = param ? rpc_call_text(call, param) : NULL;

		if (strcmp(forward_questions[i].method, call->method->method->name) == 0)
			return (!param || id) && scheduler_refresh(call->scheduler, id, forward_fresh, call);
	}
	return false;
}

/* ---- For another ---- */

/* A sink may not close its connection: what was answered is closed when the next one comes. */
struct rpc_forwarded {
	struct rpc_forwarded *next;
	struct connection *connection;
	struct scheduler_asked *asked;
	bool answered;
};

void rpc_forward_sweep(struct rpc_forwarded **all, bool last)
{
	while (*all) {
		struct rpc_forwarded *forward = *all;

		if (!forward->answered && !last) {
			all = &forward->next;
			continue;
		}
		*all = forward->next;
		/* Whoever asked is told so by its limit. */
		if (!forward->answered)
			forward->answered = true, free(forward->asked);
		connection_local_close(forward->connection);
		free(forward);
	}
}

static void forward_answer(uint32_t msgid, const struct value *result, void *context)
{
	struct rpc_forwarded *forward = context;

	(void)msgid;
	if (!forward->answered)
		scheduler_asked_answer(forward->asked, 0, NULL, result);
	forward->answered = true;
}

static void forward_fail(uint32_t msgid, const struct schedd_error *err, void *context)
{
	struct rpc_forwarded *forward = context;

	(void)msgid;
	if (!forward->answered)
		scheduler_asked_answer(forward->asked, err->code, err, NULL);
	forward->answered = true;
}

static void forward_answer_list(uint32_t msgid, const char *key, const struct strbuf *items,
    uint32_t count, const struct value *next, void *context)
{
	struct schedd_error err;

	(void)items;
	(void)count;
	(void)next;
	schedd_error_set(&err, SCHEDD_EINVAL, "a list of %s is not asked of another node", key);
	forward_fail(msgid, &err, context);
}

/* What follows is not for those who asked for one answer. */
static bool forward_notify(const char *method, const struct value *params, void *context)
{
	(void)method;
	(void)params;
	(void)context;
	return true;
}

static const struct connection_sink forward_sink = {
    .answer = forward_answer,
    .answer_list = forward_answer_list,
    .fail = forward_fail,
    .notify = forward_notify,
};

static bool forward_caller(const struct value *request, struct users_caller *caller)
{
	static const enum users_role roles[] = {USERS_USER, USERS_OPERATOR, USERS_ADMIN};
	const char *role = value_get_string(request, "role");
	const char *account = value_get_string(request, "account");
	const char *view = value_get_string(request, "view");

	*caller = (struct users_caller){.uid = (uid_t)value_get_int(request, "uid", -1)};
	for (size_t i = 0; role && i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(users_role_name(roles[i]), role) != 0)
			continue;
		caller->role = roles[i];
		snprintf(caller->account, sizeof(caller->account), "%s", account ? account : "");
		snprintf(caller->view, sizeof(caller->view), "%s", view ? view : "");
		return true;
	}
	return false;
}

static void forward_asked(const struct value *request, struct scheduler_asked *asked, void *context)
{
	struct rpc *rpc = context;
	const char *method = value_get_string(request, "method");
	const struct value *params = value_get(request, "params");
	struct rpc_forwarded *forward = calloc(1, sizeof(*forward));
	struct users_caller caller;
	struct schedd_error err;
	struct value copy;
	struct arena arena;

	rpc_forward_sweep(rpc_forwards(rpc), false);
	if (forward && method && params && forward_caller(request, &caller))
		forward->connection = connection_local_open(rpc, &caller,
		    (pid_t)value_get_int(request, "pid", -1), &forward_sink, forward);
	if (!forward || !forward->connection) {
		schedd_error_set(&err, SCHEDD_EINVAL, "what was asked of this node makes no sense to it");
		scheduler_asked_answer(asked, err.code, &err, NULL);
		free(forward);
		return;
	}
	connection_peer(forward->connection)->forwarded = true;
	forward->asked = asked;
	forward->next = *rpc_forwards(rpc);
	*rpc_forwards(rpc) = forward;
	arena_init(&arena);
	copy = value_copy(&arena, params);
	rpc_local_call(rpc, forward->connection, 0, method, &arena, &copy, 0);
}

void rpc_forward_serve(struct rpc *rpc, struct schedd_scheduler *scheduler)
{
	scheduler_set_asked(scheduler, forward_asked, rpc);
}
