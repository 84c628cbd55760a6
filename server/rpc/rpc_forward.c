/* SPDX-License-Identifier: MIT */
/*
 * The caller was judged where it asked; the node that does it takes that
 * node's word for who it is, as both use the same store.
 */
#include "server/rpc/rpc_forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "base/duration.h"
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
	const char *only; /* where that is asked for as well; NULL: always */
} forward_rows[] = {
    {"job.run", "id", FORWARD_LIMIT, NULL},
    {"job.resume", "id", FORWARD_LIMIT, NULL},
    {"job.remove", "id", FORWARD_LIMIT, "kill"},
    {"run.kill", "run", FORWARD_LIMIT, NULL},
    {"run.retry", "run", FORWARD_LIMIT, NULL},
    {"run.wait", "run", FORWARD_WAIT, NULL},
};

/* ---- To another ---- */

/* The job that the call is about, and how long its answer may take; false: it is about none. */
static bool forward_job(const struct rpc_call *call, char id[JOB_ID_MAX + 1], schedd_span *limit)
{
	const char *method = call->method->method->name, *text = NULL;
	uint32_t number;
	size_t length;

	for (size_t i = 0; i < sizeof(forward_rows) / sizeof(forward_rows[0]); i++) {
		if (strcmp(forward_rows[i].method, method) != 0 ||
		    (forward_rows[i].only && !rpc_call_bool(call, forward_rows[i].only)))
			continue;
		text = rpc_call_text(call, forward_rows[i].param);
		*limit = forward_rows[i].limit;
	}
	if (text && run_parse_id(text, id, &number))
		return true;
	length = text ? strcspn(text, "/") : 0;
	if (length == 0 || length > JOB_ID_MAX)
		return false;
	memcpy(id, text, length);
	id[length] = '\0';
	return true;
}

struct value rpc_forward_request(
    struct rpc_call *call, const char *method, const struct value *params, struct arena *arena)
{
	struct value request = value_map();

	value_put(arena, &request, "method", value_string(arena, method));
	value_put(arena, &request, "params", value_copy(arena, params));
	value_put(arena, &request, "uid", value_int(call->actor.uid));
	value_put(arena, &request, "pid", value_int(call->actor.pid));
	if (call->caller) {
		value_put(arena, &request, "role", value_string_ref(users_role_name(call->caller->role)));
		value_put(arena, &request, "account", value_string(arena, call->caller->account));
		value_put(arena, &request, "view", value_string(arena, call->caller->view));
	}
	return request;
}

static void forward_ask(
    struct rpc_call *call, const char *node, schedd_span limit, struct scheduler_reply reply)
{
	struct value request =
	    rpc_forward_request(call, call->method->method->name, &call->params, &call->arena);

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
	if (scheduler_node_check(call->scheduler, node, &err))
		rpc_call_fail(call, &err);
	else
		forward_ask(call, node, FORWARD_LIMIT, rpc_call_reply(call));
	return true;
}

/* Nobody reads the answer, perhaps as all ends here: nothing is begun for it. */
static bool forward_left(struct rpc_call *call)
{
	struct value nil = value_nil();

	if (connection_is_open(call->connection))
		return false;
	rpc_call_answer(call, &nil);
	return true;
}

static void forward_again(void *context)
{
	struct rpc_call *call = context;

	if (!forward_left(call) && !rpc_forward(call) && !rpc_forward_refresh(call))
		call->method->handler(call);
}

/* ---- What another has just told ---- */

/*
 * Which parameters are about a job that may have been added elsewhere a moment ago. That an id is given
 * once is seen to by the store.
 */
static const struct {
	const char *method;
	const char *params[4];
} forward_hearing[] = {
    {"job.add", {"group", "after", "replace", "if_absent"}},
    {"job.apply", {"jobs"}},
    {"job.modify", {"id", "group", "after"}},
    {"job.reschedule", {"id"}},
    {"job.rename", {"id"}},
    {"job.remove", {"id", "purge", "kill"}},
    {"job.pause", {"id"}},
    {"job.resume", {"id"}},
    {"job.run", {"id"}},
    {"group.set", {"parallel"}},
    {"run.kill", {"run"}},
    {"run.retry", {"run"}},
    {"run.wait", {"run"}},
};

/* Anything but the id of a job that is known here, with or without a run behind it. */
static bool forward_is_news(struct rpc_call *call, const char *param)
{
	const char *text = rpc_call_text(call, param);
	char id[JOB_ID_MAX + 1];
	size_t length = text ? strcspn(text, "/") : 0;

	if (!text || length > JOB_ID_MAX || (strcmp(param, "id") != 0 && strcmp(param, "run") != 0))
		return rpc_call_param(call, param) != NULL;
	memcpy(id, text, length);
	id[length] = '\0';
	return !scheduler_job_peek(call->scheduler, id);
}

bool rpc_forward_hear(struct rpc_call *call, scheduler_fresh_fn again)
{
	const char *method = call->method->method->name;

	/* Of what comes in parts the last one is what counts. */
	if (!scheduler_is_shared(call->scheduler) ||
	    (rpc_call_text(call, "apply") && !rpc_call_bool(call, "last")))
		return false;
	for (size_t i = 0; i < sizeof(forward_hearing) / sizeof(forward_hearing[0]); i++) {
		bool news = false;

		if (strcmp(forward_hearing[i].method, method) != 0)
			continue;
		for (size_t k = 0; k < 4 && forward_hearing[i].params[k]; k++)
			news |= forward_is_news(call, forward_hearing[i].params[k]);
		return news && scheduler_refresh(call->scheduler, "", again, call);
	}
	return false;
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

/* ---- Waiting outlives the node that was asked ---- */

/* Until another node has what a dead one had, in µs. */
#define FORWARD_AGAIN 300000

struct forward_wait {
	struct rpc_call *call;
	struct event *again;
};

static struct rpc_call *forward_wait_end(struct forward_wait *wait)
{
	struct rpc_call *call = wait->call;

	event_free(wait->again);
	call->state = NULL;
	connection_detach(&call->hook);
	return call;
}

static void forward_wait_cancelled(struct rpc_call *call)
{
	struct value nil = value_nil();

	(void)forward_wait_end(call->state);
	rpc_call_answer(call, &nil);
}

/* What is left of the time that the client gives it, for whoever waits next. False: nothing, the call was ended. */
static bool forward_wait_time(struct rpc_call *call)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t now = clock->mono(clock->context).us;
	struct schedd_error err;
	schedd_span limit;

	if (!rpc_call_span(call, "timeout", SCHEDD_SPAN_NONE, &limit))
		return false;
	if (limit == SCHEDD_SPAN_NONE)
		return true;
	/* Without any time left, too, what is known already is told. */
	if (!call->until.us) {
		call->until.us = now + limit;
		return true;
	}
	for (uint32_t i = 0; i < call->params.map.count; i++)
		if (strcmp(call->params.map.members[i].key, "timeout") == 0)
			call->params.map.members[i].value = duration_to_value(call->until.us - now);
	if (call->until.us > now)
		return true;
	schedd_error_set(&err, SCHEDD_ETIMEOUT, "%s is not %s yet", rpc_call_text(call, "run"),
	    rpc_call_text(call, "for") ? rpc_call_text(call, "for") : "done");
	rpc_call_fail(call, &err);
	return false;
}

static bool forward_wait_later(struct rpc_call *call);

/* Nobody has the job: a run of it that has ended is told from the store, and so is one that never was. */
static void forward_wait_found(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	const struct value *runs = rc ? NULL : value_get(result, "runs");
	bool found = runs && runs->type == VALUE_ARRAY && runs->array.count;
	const char *name = found ? value_get_string(&runs->array.items[0], "state") : NULL;
	struct schedd_error failed;
	enum run_state state = RUN_QUEUED;
	char job[JOB_ID_MAX + 1];
	uint32_t number;

	if (forward_left(call))
		return;
	if (rc) {
		rpc_call_fail(call, err);
	} else if ((name && run_state_parse(name, &state) && run_ended(state)) ||
		   (!found && run_parse_id(rpc_call_text(call, "run"), job, &number))) {
		call->method->handler(call);
	} else if (!forward_wait_later(call)) {
		schedd_error_nomem(&failed);
		rpc_call_fail(call, &failed);
	}
}

static void forward_wait_look(struct rpc_call *call, const char *id)
{
	struct store_run_query query = {
	    .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 1};
	const struct scheduler_reply reply = {.call = forward_wait_found, .context = call};
	const char **patterns = arena_alloc(&call->arena, 2 * sizeof(patterns[0]));
	char job[JOB_ID_MAX + 1];

	/* What nobody has is idle. */
	if (!patterns || value_is_text(rpc_call_param(call, "for"), "idle")) {
		call->method->handler(call);
		return;
	}
	patterns[0] = arena_strdup(&call->arena, id);
	patterns[1] = NULL;
	query.jobs = patterns;
	(void)run_parse_id(rpc_call_text(call, "run"), job, &query.number);
	scheduler_query_runs(call->scheduler, &query, reply);
}

static void forward_wait_again(evutil_socket_t fd, short what, void *context)
{
	struct rpc_call *call = forward_wait_end(context);

	(void)fd;
	(void)what;
	if (!forward_left(call) && !rpc_forward(call))
		call->method->handler(call);
}

/* False: no memory, the call is to be ended. */
static bool forward_wait_later(struct rpc_call *call)
{
	static const struct timeval span = {.tv_usec = FORWARD_AGAIN};
	struct forward_wait *wait = arena_alloc(&call->arena, sizeof(*wait));

	if (!wait)
		return false;
	wait->call = call;
	wait->again =
	    event_new(rpc_base(connection_rpc(call->connection)), -1, 0, forward_wait_again, wait);
	if (!wait->again)
		return false;
	if (event_add(wait->again, &span)) {
		event_free(wait->again);
		return false;
	}
	call->state = wait;
	rpc_call_on_cancel(call, forward_wait_cancelled);
	return true;
}

static void forward_waited(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	char id[JOB_ID_MAX + 1], why[80];
	const char *node = NULL;
	schedd_span limit;

	if (!rc) {
		rpc_call_answer(call, result);
		return;
	}
	if (forward_left(call))
		return;
	/* It went with its node: whoever has the job then knows how the run ended. */
	if (rc != SCHEDD_ETIMEOUT && forward_job(call, id, &limit) &&
	    (!scheduler_job_elsewhere(call->scheduler, id, &node) || !node ||
		!scheduler_node_lives(call->scheduler, node, why, sizeof(why))) &&
	    forward_wait_later(call))
		return;
	rpc_call_fail(call, err);
}

bool rpc_forward(struct rpc_call *call)
{
	bool waits = strcmp(call->method->method->name, "run.wait") == 0;
	bool removes = strcmp(call->method->method->name, "job.remove") == 0;
	const struct scheduler_reply waited = {.call = forward_waited, .context = call};

	schedd_span limit = FORWARD_LIMIT;
	char id[JOB_ID_MAX + 1];
	struct schedd_error err;
	const char *node;

	if (forward_named(call))
		return true;
	if (!scheduler_is_shared(call->scheduler) || !forward_job(call, id, &limit) ||
	    !scheduler_job_elsewhere(call->scheduler, id, &node))
		return false;
	if (waits && !forward_wait_time(call))
		return true;
	if (!node && waits) {
		forward_wait_look(call, id);
		return true;
	}
	/* What nobody has runs nowhere. */
	if (!node && removes)
		return false;
	if (!node)
		return forward_to_nobody(call, id);
	if (connection_peer(call->connection)->forwarded) {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "job %s has just moved to another node: try again", id);
		rpc_call_fail(call, &err);
		return true;
	}
	forward_ask(call, node, limit, waits ? waited : rpc_call_reply(call));
	return true;
}

static void forward_replied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	struct scheduler_reply reply = rpc_call_reply(call);

	if (rc == SCHEDD_EFAILED && connection_is_open(call->connection) &&
	    call->looks++ < FORWARD_LOOKS && rpc_forward(call))
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

	if (!forward_left(call))
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
