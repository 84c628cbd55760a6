/* SPDX-License-Identifier: MIT */
/* Calls hold a reference to their connection, so an answer never meets a freed one. */
#include "server/rpc/rpc_call.h"

#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "proto/traceparent.h"
#include "server/daemon.h"
#include "server/rpc/rpc_names.h"
#include "server/users.h"
#include "trigger/when.h"

struct rpc_call *rpc_call_new(struct connection *connection, const struct rpc_method *method)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->daemon = rpc_daemon(connection_rpc(connection));
	call->scheduler = daemon_scheduler(call->daemon);
	call->connection = connection_ref(connection);
	call->method = method;
	call->actor.uid = connection_peer(connection)->caller.uid;
	call->actor.pid = connection_peer(connection)->pid;
	call->actor.method = method->method->name;
	arena_init(&call->arena);
	connection_call_begin(connection, method->heavy);
	call->pending = true;
	rpc_pend(connection_rpc(connection), 1);
	connection_work_begin(connection);
	return call;
}

static void rpc_call_unpend(struct rpc_call *call)
{
	if (!call->pending)
		return;
	rpc_pend(connection_rpc(call->connection), -1);
	connection_work_end(call->connection);
	call->pending = false;
}

static void rpc_call_free(struct rpc_call *call)
{
	struct connection *connection = call->connection;

	connection_detach(&call->hook);
	if (call->release)
		call->release(call);
	rpc_call_unpend(call);
	connection_call_end(connection, call->method->heavy);
	arena_clear(&call->arena);
	free(call);
	connection_unref(connection);
}

static void rpc_call_closed(struct connection_hook *hook)
{
	struct rpc_call *call = (struct rpc_call *)hook;

	call->cancelled(call);
}

void rpc_call_on_cancel(struct rpc_call *call, void (*cancelled)(struct rpc_call *call))
{
	rpc_call_unpend(call);
	rpc_call_on_leave(call, cancelled);
}

void rpc_call_on_leave(struct rpc_call *call, void (*cancelled)(struct rpc_call *call))
{
	call->cancelled = cancelled;
	call->hook.closed = rpc_call_closed;
	connection_attach(call->connection, &call->hook);
}

static const char *rpc_call_view(const struct rpc_call *call)
{
	return call->caller ? call->caller->view : "";
}

/* Better no connection than a wrong answer; one that has no end is told so. */
static void rpc_call_drop(struct rpc_call *call)
{
	struct schedd_error err;

	/* The call is over: its own end of the connection must not end it once more. */
	connection_detach(&call->hook);
	if (!connection_is_local(call->connection)) {
		connection_close(call->connection);
		return;
	}
	schedd_error_set(
	    &err, SCHEDD_ENOMEM, "out of memory: whether it was done is not known");
	connection_fail(call->connection, call->msgid, &err);
}

void rpc_call_answer(struct rpc_call *call, const struct value *result)
{
	struct value named;

	if (rpc_call_view(call)[0] && !call->silent) {
		named = value_copy(&call->arena, result);
		rpc_names_out(call->caller->view, &named, &call->arena);
		result = &named;
	}
	if (!call->silent && (arena_failed(&call->arena) || result->type == VALUE_NIL))
		rpc_call_drop(call);
	else if (!call->silent)
		connection_answer(call->connection, call->msgid, result);
	rpc_call_free(call);
}

void rpc_call_fail(struct rpc_call *call, const struct schedd_error *err)
{
	rpc_counters(connection_rpc(call->connection))->failed++;
	if (!call->silent) {
		struct schedd_error named = *err;

		rpc_names_out_text(rpc_call_view(call), named.message);
		connection_fail(call->connection, call->msgid, &named);
	}
	rpc_call_free(call);
}

void rpc_call_answer_built(struct rpc_call *call, const struct value *result)
{
	struct schedd_error err;

	if (!arena_failed(&call->arena)) {
		rpc_call_answer(call, result);
		return;
	}
	schedd_error_nomem(&err);
	rpc_call_fail(call, &err);
}

void rpc_call_answer_list(struct rpc_call *call, const char *key, struct strbuf *items,
    uint32_t count, const struct value *rest)
{
	struct schedd_error err;

	if (strbuf_failed(items) || arena_failed(&call->arena)) {
		schedd_error_nomem(&err);
		rpc_call_fail(call, &err);
		return;
	}
	if (!call->silent)
		connection_answer_list(call->connection, call->msgid, key, items, count, rest);
	rpc_call_free(call);
}

static void rpc_call_replied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	if (rc)
		rpc_call_fail(context, err);
	else
		rpc_call_answer(context, result);
}

struct scheduler_reply rpc_call_reply(struct rpc_call *call)
{
	return (struct scheduler_reply){.call = rpc_call_replied, .context = call};
}

static void rpc_call_done(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;

	(void)result;
	if (rc)
		rpc_call_fail(call, err);
	else
		rpc_call_answer(call, &call->answer);
}

struct scheduler_reply rpc_call_reply_with(struct rpc_call *call, struct value answer)
{
	call->answer = answer;
	return (struct scheduler_reply){.call = rpc_call_done, .context = call};
}

/* ---- Parameters ---- */

const struct value *rpc_call_param(const struct rpc_call *call, const char *name)
{
	const struct value *value = value_get(&call->params, name);

	return value && value->type != VALUE_NIL ? value : NULL;
}

const char *rpc_call_text(const struct rpc_call *call, const char *name)
{
	return value_get_string(&call->params, name);
}

bool rpc_call_bool(const struct rpc_call *call, const char *name)
{
	return value_get_bool(&call->params, name, false);
}

int64_t rpc_call_int(const struct rpc_call *call, const char *name, int64_t fallback)
{
	return value_get_int(&call->params, name, fallback);
}

const char *const *rpc_call_texts(struct rpc_call *call, const char *name)
{
	const struct value *value = rpc_call_param(call, name);
	uint32_t count = 1;
	const char **list;

	if (!value)
		return NULL;
	if (value->type == VALUE_ARRAY)
		count = value->array.count;
	if (count == 0)
		return NULL;
	list = arena_alloc(&call->arena, (count + 1) * sizeof(*list));
	for (uint32_t i = 0; list && i < count; i++)
		list[i] = value->type == VALUE_ARRAY ? value->array.items[i].string.text
						     : value->string.text;
	return list;
}

static bool rpc_call_refuse(struct rpc_call *call, const char *name, struct schedd_error *err)
{
	schedd_error_prefix(err, "%s: %s", call->method->method->name, name);
	rpc_call_fail(call, err);
	return false;
}

bool rpc_call_time(struct rpc_call *call, const char *name, schedd_time fallback, schedd_time *out)
{
	return rpc_call_time_in(
	    call, name, scheduler_trigger_context(call->scheduler)->zone, fallback, out);
}

bool rpc_call_time_in(struct rpc_call *call, const char *name, const struct zone *zone,
    schedd_time fallback, schedd_time *out)
{
	const struct trigger_context *context = scheduler_trigger_context(call->scheduler);
	const struct value *value = rpc_call_param(call, name);
	struct when_context when = {.zones = context->zones, .zone = zone, .now = context->now};
	struct schedd_error err;

	*out = fallback;
	if (value && when_from_value(value, &when, out, &err))
		return rpc_call_refuse(call, name, &err);
	return true;
}

bool rpc_call_span(struct rpc_call *call, const char *name, schedd_span fallback, schedd_span *out)
{
	const struct value *value = rpc_call_param(call, name);
	struct schedd_error err;

	*out = fallback;
	if (value && duration_from_value(value, out, &err))
		return rpc_call_refuse(call, name, &err);
	return true;
}

bool rpc_call_limit(
    struct rpc_call *call, const char *name, uint64_t fallback, uint64_t max, uint64_t *out)
{
	int64_t number = rpc_call_int(call, name, (int64_t)fallback);
	struct schedd_error err;

	if (number >= 1 && (uint64_t)number <= max) {
		*out = (uint64_t)number;
		return true;
	}
	schedd_error_set(&err, SCHEDD_EINVAL, "%lld is out of 1-%llu", (long long)number,
	    (unsigned long long)max);
	return rpc_call_refuse(call, name, &err);
}

bool rpc_call_run(struct rpc_call *call, char id[JOB_ID_MAX + 1], uint32_t *number)
{
	const char *text = rpc_call_text(call, "run");
	struct schedd_error err;

	*number = 0;
	if (text && run_parse_id(text, id, number))
		return true;
	if (text && job_id_known(text)) {
		memcpy(id, text, strlen(text) + 1);
		return true;
	}
	/* Another's, before which the caller's own account was put: there is none here. */
	if (text && job_id_account(text) && (run_parse_id(job_id_plain(text), id, number) || job_id_valid(job_id_plain(text)))) {
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "no run '%.140s'", text);
		rpc_call_fail(call, &err);
		return false;
	}
	schedd_error_set(&err, SCHEDD_EINVAL,
	    "'%.140s' is no run: write JOB/N, as backup/42, or the id of a job", text ? text : "");
	return rpc_call_refuse(call, "run", &err);
}

/* Texts by name in the arena, with room for more behind them; NULL: none were given and none are to
 * follow. */
static bool rpc_call_read_pairs(
    struct rpc_call *call, const char *name, uint32_t more, struct job_pairs **out)
{
	const struct value *map = rpc_call_param(call, name);
	uint32_t count = map ? map->map.count : 0;
	struct job_pairs *pairs;
	struct schedd_error err;

	*out = NULL;
	if (!map && !more)
		return true;
	pairs = arena_alloc(&call->arena, sizeof(*pairs));
	if (pairs)
		pairs->items =
		    arena_alloc(&call->arena, (count + more) * sizeof(*pairs->items) + 1);
	for (uint32_t i = 0; pairs && pairs->items && i < count; i++) {
		const struct value_member *member = &map->map.members[i];

		if (member->value.type != VALUE_STRING ||
		    strlen(member->value.string.text) != member->value.string.length ||
		    !member->key[0] || strchr(member->key, '=')) {
			schedd_error_set(&err, SCHEDD_EINVAL,
			    "'%.64s' must be a name without '=' with a text", member->key);
			return rpc_call_refuse(call, name, &err);
		}
		pairs->items[i].name = arena_strdup(&call->arena, member->key);
		pairs->items[i].text = arena_strdup(&call->arena, member->value.string.text);
		pairs->count++;
	}
	if (arena_failed(&call->arena)) {
		schedd_error_nomem(&err);
		return rpc_call_refuse(call, name, &err);
	}
	*out = pairs;
	return true;
}

bool rpc_call_run_env(struct rpc_call *call, const struct job_pairs **out)
{
	static char name[] = "TRACEPARENT";
	const char *trace = rpc_call_text(call, "traceparent");
	struct job_pairs *pairs;
	struct schedd_error err;

	*out = NULL;
	if (trace && !traceparent_valid(trace)) {
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "'%.64s' is not of the form 00-TRACE-PARENT-FLAGS of W3C's Trace Context", trace);
		return rpc_call_refuse(call, "traceparent", &err);
	}
	if (!rpc_call_read_pairs(call, "env", trace ? 1 : 0, &pairs))
		return false;
	if (trace && !job_pairs_get(pairs, name)) {
		pairs->items[pairs->count].name = name;
		pairs->items[pairs->count].text = arena_strdup(&call->arena, trace);
		pairs->count += pairs->items[pairs->count].text != NULL;
	}
	*out = pairs;
	return true;
}

bool rpc_call_copy(const struct rpc_call *call, struct rpc_call *asker)
{
	struct users_caller *caller;

	arena_init(&asker->arena);
	caller = arena_alloc(&asker->arena, sizeof(*caller));
	if (caller && call->caller)
		*caller = *call->caller;
	asker->caller = call->caller ? caller : NULL;
	asker->actor = call->actor;
	asker->connection = call->connection;
	asker->scheduler = call->scheduler;
	asker->params = value_copy(&asker->arena, &call->params);
	return !arena_failed(&asker->arena);
}
