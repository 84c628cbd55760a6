/* SPDX-License-Identifier: MIT */
/*
 * Flask-APScheduler's routes (1.13): same methods, paths, statuses and members,
 * so that its clients work unchanged. What differs on purpose stands in
 * schedd-http(7).
 */
#include "server/http/flask.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "server/http/flask_form.h"
#include "server/http/flask_json.h"
#include "server/http/http_answer.h"
#include "server/http/http_problem.h"
#include "server/http/http_request.h"
#include "server/http/http_trace.h"

/* ---- Answers ---- */

static void flask_send(struct http_request *request, int status, const struct value *value)
{
	struct strbuf body = STRBUF_EMPTY;

	flask_json_write(&body, value);
	http_request_reply_buf(request, status, "application/json", &body);
}

static void flask_nothing(struct http_request *request)
{
	http_request_set(request, "Content-Type", "text/html; charset=utf-8");
	http_request_reply(request, 204, NULL, "", 0);
}

static void flask_error(struct http_request *request, int status, const char *message)
{
	struct value map = value_map();

	value_put(request->arena, &map, "error_message",
	    value_string(request->arena, message ? message : "out of memory"));
	flask_send(request, status, &map);
}

void flask_refuse(struct http_request *request, int status, const char *detail)
{
	static const char denied[] = "Access Denied";

	if (status != 401) {
		flask_error(request, status, detail);
		return;
	}
	http_request_set(
	    request, "WWW-Authenticate", "Basic realm=\"Authentication Required\"");
	http_request_reply(
	    request, 401, "text/html; charset=utf-8", denied, sizeof(denied) - 1);
}

/* An error of a method, in the words that its clients may look for. */
static void flask_failed(struct http_request *request, const struct schedd_error *err)
{
	switch (err->code) {
	case SCHEDD_ENOTFOUND:
		flask_error(request, 404,
		    arena_printf(request->arena, "Job %s not found",
			request->args[0] ? request->args[0] : "ID"));
		break;
	case SCHEDD_ECONFLICT:
		flask_error(request, 409, err->message);
		break;
	case SCHEDD_EPERM:
		flask_error(request, 403, err->message);
		break;
	default:
		flask_error(request, 500, err->message);
		break;
	}
}

static void flask_job(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	struct value form;

	if (err) {
		flask_failed(request, err);
		return;
	}
	form = flask_form_write(job, request->arena);
	flask_send(request, 200, &form);
}

static void flask_added(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	if (err && err->code == SCHEDD_ECONFLICT)
		flask_error(request, 409,
		    arena_printf(request->arena, "Job %s already exists.",
			value_get_string(&request->body, "id")));
	else if (err && err->code == SCHEDD_ENOTFOUND)
		flask_error(request, 400, err->message); /* of a store or an executor */
	else
		flask_job(request, err, job);
}

static void flask_gone(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	(void)job;
	if (err)
		flask_failed(request, err);
	else
		flask_nothing(request);
}

static struct value flask_id(struct http_request *request)
{
	struct value params = value_map();

	value_put(request->arena, &params, "id", value_string_ref(request->args[0]));
	return params;
}

/* ---- The scheduler ---- */

void flask_info(struct http_request *request)
{
	struct value map = value_map(), hosts = value_array();
	char host[256] = "";

	gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	value_append(request->arena, &hosts, value_string_ref("*"));
	value_put(request->arena, &map, "allowed_hosts", hosts);
	value_put(request->arena, &map, "current_host", value_string(request->arena, host));
	value_put(request->arena, &map, "running", value_bool(true));
	flask_send(request, 200, &map);
}

void flask_pause_all(struct http_request *request)
{
	const struct value none = value_nil();

	http_request_call(request, "scheduler.pause", &none, flask_gone);
}

void flask_resume_all(struct http_request *request)
{
	const struct value none = value_nil();

	http_request_call(request, "scheduler.resume", &none, flask_gone);
}

void flask_start(struct http_request *request)
{
	flask_error(request, 400, "Scheduler is already running");
}

/* There nothing would run any more after a start. */
void flask_shutdown(struct http_request *request)
{
	flask_error(request, 409,
	    "schedd is stopped on its machine (schedctl shutdown); pause holds all jobs");
}

/* ---- Lists ---- */

/* What has been gathered of the pages: '[', then jobs. */
struct flask_list {
	struct strbuf text;
};

static void flask_list_release(struct http_request *request)
{
	struct flask_list *list = request->state;

	strbuf_clear(&list->text);
}

/* The jobs of a page, one behind the other. */
static void flask_page_write(struct strbuf *out, const struct value *result)
{
	const struct value *jobs = value_get(result, "jobs");
	struct arena arena;

	arena_init(&arena);
	for (uint32_t i = 0; jobs && i < jobs->array.count; i++) {
		struct value form = flask_form_write(&jobs->array.items[i], &arena);

		if (i)
			strbuf_add(out, ", ");
		flask_json_write(out, &form);
		out->failed |= arena_failed(&arena);
		arena_reset(&arena);
	}
	arena_clear(&arena);
}

static void flask_page(struct http_request *request, const struct schedd_error *err,
    const struct value *result);

static void flask_ask_page(struct http_request *request, const char *after)
{
	struct value params = value_map();

	value_put(request->arena, &params, "order", value_string_ref("next"));
	value_put(request->arena, &params, "limit", value_int(10000));
	if (after)
		value_put(request->arena, &params, "after", value_string(request->arena, after));
	http_request_call(request, "job.list", &params, flask_page);
}

static void flask_page_written(
    struct http_request *request, struct strbuf *page, const struct value *result)
{
	struct flask_list *list = request->state;
	const char *next = value_get_string(result, "next");
	struct strbuf text;

	if (list->text.length > 1 && page->length)
		strbuf_add(&list->text, ", ");
	strbuf_add_n(&list->text, strbuf_peek(page), page->length);
	list->text.failed |= strbuf_failed(page);
	if (next) {
		flask_ask_page(request, next);
		return;
	}
	strbuf_add_char(&list->text, ']');
	text = list->text;
	list->text = STRBUF_EMPTY;
	if (strbuf_failed(&text)) {
		strbuf_clear(&text);
		flask_error(request, 503, "out of memory");
		return;
	}
	http_request_reply_buf(request, 200, "application/json", &text);
}

static void flask_page(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	struct strbuf page = STRBUF_EMPTY;

	if (err) {
		flask_failed(request, err);
		return;
	}
	flask_page_write(&page, result);
	flask_page_written(request, &page, result);
	strbuf_clear(&page);
}

void flask_list(struct http_request *request)
{
	static const struct http_writer writer = {
	    http_answer_write, flask_page_write, flask_page_written};
	struct flask_list *list = arena_alloc(request->arena, sizeof(*list));

	if (!list) {
		flask_error(request, 503, "out of memory");
		return;
	}
	strbuf_add_char(&list->text, '[');
	request->state = list;
	request->release = flask_list_release;
	request->writer = &writer;
	flask_ask_page(request, NULL);
}

/* ---- Adding and changing ---- */

/* The executor that func goes to: the config's, else the only one of workers. */
static const char *flask_executor(
    const struct http_request *request, const struct value *executors, unsigned *found)
{
	const char *only = NULL;

	*found = 0;
	if (request->web->config->executor)
		return request->web->config->executor;
	for (uint32_t i = 0; executors && i < executors->array.count; i++) {
		const char *type = value_get_string(&executors->array.items[i], "type");

		if (!type || strcmp(type, "worker") != 0)
			continue;
		only = value_get_string(&executors->array.items[i], "name");
		++*found;
	}
	return *found == 1 ? only : NULL;
}

static void flask_put_in(struct http_request *request, const struct schedd_error *err,
    const struct value *executors)
{
	const struct value *now = request->state; /* of the job that changes */
	struct schedd_error wrong;
	struct value fields;
	unsigned found = 0;
	const char *executor = err ? NULL : flask_executor(request, executors, &found);

	if (found > 1) {
		flask_error(request, 400,
		    "there are several executors of workers: set http.executor to the one that "
		    "func goes to");
		return;
	}
	if (flask_form_read(&request->body, now, executor, request->arena, &fields, &wrong)) {
		flask_failed(request, &wrong);
		return;
	}
	if (now && fields.map.count == 0) {
		flask_get(request); /* {} changes nothing */
		return;
	}
	if (now)
		value_put(request->arena, &fields, "id", value_string_ref(request->args[0]));
	else if (value_get_bool(&request->body, "replace_existing", false))
		value_put(request->arena, &fields, "replace", value_bool(true));
	if (!now)
		value_put(request->arena, &fields, "allow_past", value_bool(true));
	http_request_call(request, now ? "job.modify" : "job.add", &fields,
	    now ? flask_job : flask_added);
}

void flask_add(struct http_request *request)
{
	const struct value none = value_nil();

	http_request_call(request, "executor.list", &none, flask_put_in);
}

static void flask_seen(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	struct value *now = arena_alloc(request->arena, sizeof(*now)), form;

	if (err || !now) {
		flask_job(request, err, job);
		return;
	}
	form = flask_form_write(job, request->arena);
	*now = value_copy(request->arena, &form);
	request->state = now;
	flask_add(request);
}

void flask_change(struct http_request *request)
{
	struct value params = flask_id(request);

	http_request_call(request, "job.get", &params, flask_seen);
}

/* ---- One job ---- */

void flask_get(struct http_request *request)
{
	struct value params = flask_id(request);

	http_request_call(request, "job.get", &params, flask_job);
}

void flask_delete(struct http_request *request)
{
	struct value params = flask_id(request);

	http_request_call(request, "job.remove", &params, flask_gone);
}

void flask_pause(struct http_request *request)
{
	struct value params = flask_id(request);

	http_request_call(request, "job.pause", &params, flask_job);
}

void flask_resume(struct http_request *request)
{
	struct value params = flask_id(request);

	http_request_call(request, "job.resume", &params, flask_job);
}

/* The answer comes when the run has ended, as there. */
static void flask_ended(struct http_request *request, const struct schedd_error *err,
    const struct value *run)
{
	const char *state = err ? NULL : value_get_string(run, "state");
	const char *reason = err ? NULL : value_get_string(run, "reason");

	if (err)
		flask_failed(request, err);
	else if (state && strcmp(state, "success") != 0)
		flask_error(request, 500, reason ? reason : state);
	else
		flask_get(request);
}

static void flask_begun(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	struct value params = value_map();

	if (err) {
		flask_failed(request, err);
		return;
	}
	value_put(request->arena, &params, "run",
	    value_string(request->arena, value_get_string(result, "run")));
	http_request_call(request, "run.wait", &params, flask_ended);
}

void flask_run(struct http_request *request)
{
	struct value params = flask_id(request);

	http_trace_put(request, request->arena, &params);
	http_request_call(request, "job.run", &params, flask_begun);
}
