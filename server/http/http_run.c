/* SPDX-License-Identifier: MIT */
/* Runs as resources, and what they wrote: the bytes as they are, or as they come. */
#include <stdio.h>
#include <string.h>
#include "server/http/http_answer.h"
#include "server/http/http_handlers.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"
#include "server/http/http_trace.h"

/* {"run": "JOB/N"} of the path. */
static struct value http_run_params(struct http_request *request)
{
	struct value params = value_map();
	const char *id =
	    arena_printf(request->arena, "%s/%s", request->args[0], request->args[1]);

	value_put(request->arena, &params, "run", value_string_ref(id));
	return params;
}

static void http_run_answered(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	if (err)
		http_problem_error(request, err);
	else
		http_request_resource(request, 200, result);
}

void http_run_of_job(struct http_request *request)
{
	struct value params = value_map();

	if (!http_path_params(request, &params))
		return;
	value_put(request->arena, &params, "jobs", value_string_ref(request->args[0]));
	request->writer = &http_answer_resource;
	http_request_call(request, "run.list", &params, http_run_answered);
}

void http_run_get(struct http_request *request)
{
	struct value params = http_run_params(request);

	http_request_call(request, "run.get", &params, http_run_answered);
}

void http_run_act(struct http_request *request)
{
	struct value params = http_run_params(request);
	const struct value *body = &request->body;

	if (body->type != VALUE_MAP && body->type != VALUE_NIL) {
		http_problem(request, 400, "invalid_argument", "the body must be an object, not %s",
		    value_type_name(body->type));
		return;
	}
	for (uint32_t i = 0; body->type == VALUE_MAP && i < body->map.count; i++)
		value_put(request->arena, &params, body->map.members[i].key,
		    body->map.members[i].value);
	if (strcmp(request->route->rpc, "run.retry") == 0)
		http_trace_put(request, request->arena, &params);
	http_request_call(request, request->route->rpc, &params, http_run_answered);
}

/* ---- Output ---- */

static void http_log_piece(struct strbuf *out, const struct value *piece)
{
	const struct value *data = value_get(piece, "data");

	if (data && data->type == VALUE_STRING)
		strbuf_add_n(out, data->string.text, data->string.length);
	else
		strbuf_printf(out, "\n[%lld bytes were not kept]\n",
		    (long long)value_get_int(piece, "dropped", 0));
}

static bool http_log_notified(
    struct http_request *request, const char *method, const struct value *params)
{
	struct strbuf text = STRBUF_EMPTY;
	bool sent = true;

	if (strcmp(method, "run.end") == 0) {
		http_request_stream_end(request);
		return true;
	}
	if (strcmp(method, "run.note") == 0)
		strbuf_printf(&text, "\n[%s]\n", value_get_string(params, "note"));
	else
		http_log_piece(&text, params);
	if (text.length)
		sent = http_request_chunk(request, text.data, text.length);
	strbuf_clear(&text);
	return sent;
}

static void http_log_more(struct http_request *request, const struct schedd_error *err,
    const struct value *result);

/* In the request's arena. */
struct http_log {
	int64_t next; /* where the kept output goes on that was not asked for yet; 0: nowhere */
};

/* Asks for the next piece of kept output, behind offset. */
static void http_log_ask(struct http_request *request, int64_t offset)
{
	struct value params = http_run_params(request);
	const char *stream = http_request_query(request, "stream");

	if (stream)
		value_put(request->arena, &params, "stream", value_string_ref(stream));
	if (offset)
		value_put(request->arena, &params, "offset", value_int(offset));
	value_put(request->arena, &params, "follow", value_bool(request->notified != NULL));
	http_request_call(request, "run.log", &params, http_log_more);
}

/* Nothing is lost for a client that reads slowly: the next piece waits until it has the others. */
static void http_log_sent(struct http_request *request)
{
	struct http_log *log = request->state;
	int64_t next = log->next;

	if (!next || http_request_is_ahead(request))
		return;
	log->next = 0;
	http_log_ask(request, next);
}

static void http_log_more(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	struct http_log *log = request->state;
	const struct value *pieces = err ? NULL : value_get(result, "pieces");
	int64_t next = err ? 0 : value_get_int(result, "next", 0);
	struct strbuf text = STRBUF_EMPTY;

	if (err && request->streaming) {
		http_request_stream_end(request); /* it was cleared away meanwhile */
		return;
	}
	if (err) {
		http_problem_error(request, err);
		return;
	}
	if (!request->streaming) {
		http_request_set(
		    request, "X-Schedd-Run", value_get_string(result, "run"));
		http_request_stream(request, "text/plain; charset=utf-8");
		if (!request->streaming)
			return; /* HEAD: it is over */
	}
	if (value_get_string(result, "note"))
		strbuf_printf(&text, "[%s]\n", value_get_string(result, "note"));
	for (uint32_t i = 0; pieces && i < pieces->array.count; i++)
		http_log_piece(&text, &pieces->array.items[i]);
	if (text.length)
		http_request_add(request, text.data, text.length);
	strbuf_clear(&text);
	log->next = next;
	if (next)
		http_log_sent(request);
	else if (value_get_int(result, "follow", 0) == 0)
		http_request_stream_end(request);
}

void http_run_log(struct http_request *request)
{
	const char *follow = http_request_query(request, "follow");
	struct http_log *log = arena_alloc(request->arena, sizeof(*log));

	if (!log) {
		http_problem_memory(request);
		return;
	}
	request->state = log;
	request->sent = http_log_sent;
	for (uint32_t i = 0; i < request->query.map.count; i++) {
		const char *key = request->query.map.members[i].key;

		if (strcmp(key, "follow") == 0 || strcmp(key, "stream") == 0)
			continue;
		http_problem(request, 400, "invalid_argument",
		    "'%.64s' is no parameter of the query: follow and stream are", key);
		return;
	}
	if (follow && strcmp(follow, "0") != 0 && strcmp(follow, "false") != 0)
		request->notified = http_log_notified;
	http_log_ask(request, 0);
}
