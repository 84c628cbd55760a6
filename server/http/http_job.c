/* SPDX-License-Identifier: MIT */
/*
 * Jobs as resources. The entity tag of a job is its revision; a change that
 * names one (If-Match) is refused with 412 once the job has another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "proto/json_times.h"
#include "server/http/http_cache.h"
#include "server/http/http_handlers.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"
#include "server/http/http_trace.h"

/* ---- Entity tags ---- */

static void http_job_tag(struct http_request *request, const struct value *job)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "\"%lld\"", (long long)value_get_int(job, "revision", 0));
	http_request_set(request, "ETag", tag);
}

/* The revision of If-Match; 0: not sent, or '*'; -1: none of ours. */
static int64_t http_job_if_match(const struct http_request *request)
{
	const char *tag = http_request_header(request, "If-Match");
	char *end;
	long long revision;

	if (!tag || strcmp(tag, "*") == 0)
		return 0;
	if (tag[0] != '"')
		return -1;
	revision = strtoll(tag + 1, &end, 10);
	return revision > 0 && strcmp(end, "\"") == 0 ? revision : -1;
}

static bool http_job_none_match(const struct http_request *request)
{
	const char *tag = http_request_header(request, "If-None-Match");

	return tag && strcmp(tag, "*") == 0;
}

/* Does the list of tags have that revision? '*' has each. */
static bool http_job_tag_listed(const char *tags, int64_t revision)
{
	char tag[32];
	size_t length;

	snprintf(tag, sizeof(tag), "\"%lld\"", (long long)revision);
	for (; *tags; tags += length) {
		tags += strspn(tags, ", \t");
		length = strcspn(tags, ", \t");
		if (strncmp(tags, "*", length) == 0 ||
		    (length == strlen(tag) && strncmp(tags, tag, length) == 0))
			return length > 0;
	}
	return false;
}

/* A conflict is a precondition's where there was one. */
static void http_job_refused(struct http_request *request, const struct schedd_error *err)
{
	bool conditional = http_request_header(request, "If-Match") ||
			   http_job_none_match(request);

	if (conditional && (err->code == SCHEDD_ECONFLICT ||
			       (err->code == SCHEDD_ENOTFOUND &&
				   http_request_header(request, "If-Match"))))
		http_problem_as(request, 412, err);
	else
		http_problem_error(request, err);
}

/* ---- Answers ---- */

static void http_job_send(struct http_request *request, int status, const struct value *job)
{
	http_job_tag(request, job);
	http_request_resource(request, status, job);
}

/* As JSON, unless the client has it already. */
static void http_job_show(
    struct http_request *request, int64_t revision, const char *body, size_t length)
{
	const char *none = http_request_header(request, "If-None-Match");
	char tag[32];

	snprintf(tag, sizeof(tag), "\"%lld\"", (long long)revision);
	http_request_set(request, "ETag", tag);
	if (none && http_job_tag_listed(none, revision))
		http_request_reply(request, 304, NULL, "", 0);
	else
		http_request_reply(request, 200, "application/json", body, length);
}

static void http_job_got(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	int64_t revision = err ? 0 : value_get_int(job, "revision", 0);
	struct strbuf body = STRBUF_EMPTY;

	if (err) {
		http_problem_error(request, err);
		return;
	}
	json_times_write(&body, job);
	if (strbuf_failed(&body)) {
		http_problem(request, 503, "failed", "out of memory");
	} else {
		http_cache_put(request->web, request->identity, request->args[0], revision,
		    body.data, body.length);
		http_job_show(request, revision, body.data, body.length);
	}
	strbuf_clear(&body);
}

static void http_job_changed(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	if (err)
		http_job_refused(request, err);
	else
		http_job_send(request, 200, job);
}

static void http_job_added(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	if (err)
		http_job_refused(request, err);
	else
		http_job_send(request, value_get_int(job, "revision", 0) == 1 ? 201 : 200, job);
}

static void http_job_removed(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	(void)job;
	if (err)
		http_job_refused(request, err);
	else
		http_request_reply(request, 204, NULL, "", 0);
}

/* ---- Requests ---- */

/* The members of the body and the id of the path. False: they cannot go together; answered. */
static bool http_job_params(struct http_request *request, struct value *params)
{
	const struct value *body = &request->body;

	*params = value_map();
	if (body->type != VALUE_MAP && body->type != VALUE_NIL) {
		http_problem(request, 400, "invalid_argument", "the body must be an object, not %s",
		    value_type_name(body->type));
		return false;
	}
	value_put(request->arena, params, "id", value_string_ref(request->args[0]));
	for (uint32_t i = 0; body->type == VALUE_MAP && i < body->map.count; i++) {
		const struct value_member *member = &body->map.members[i];

		if (strcmp(member->key, "id") != 0) {
			value_put(request->arena, params, member->key, member->value);
		} else if (!value_is_text(&member->value, request->args[0])) {
			http_problem(request, 400, "invalid_argument",
			    "the body's id is not that of the path");
			return false;
		}
	}
	return true;
}

/* ---- A change, on condition ---- */

/* In the request's arena. */
struct http_job_change {
	const char *method;
	struct value params;
	void (*answered)(
	    struct http_request *, const struct schedd_error *, const struct value *);
};

/* The job as it is: looked at first, then changed. */
static void http_job_seen(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	const struct http_job_change *change = request->state;

	if (err)
		http_job_refused(request, err);
	else if (!http_job_tag_listed(http_request_header(request, "If-Match"),
		     value_get_int(job, "revision", 0)))
		http_problem(request, 412, "conflict",
		    "the job has revision %lld, which If-Match does not name: it was changed "
		    "meanwhile",
		    (long long)value_get_int(job, "revision", 0));
	else
		http_request_call(request, change->method, &change->params, change->answered);
}

/* Where the method itself takes a revision, nothing can come in between. */
static bool http_job_takes_revision(const char *method)
{
	return strcmp(method, "job.modify") == 0 || strcmp(method, "job.reschedule") == 0;
}

static void http_job_change(struct http_request *request, const char *method, struct value *params,
    void (*answered)(
	struct http_request *, const struct schedd_error *, const struct value *))
{
	const char *tags = http_request_header(request, "If-Match");
	int64_t revision = http_job_if_match(request);
	struct http_job_change *change;
	struct value id = value_map();

	if (!tags) {
		http_request_call(request, method, params, answered);
		return;
	}
	if (revision > 0 && http_job_takes_revision(method) && !value_get(params, "revision")) {
		value_put(request->arena, params, "revision", value_int(revision));
		http_request_call(request, method, params, answered);
		return;
	}
	change = arena_alloc(request->arena, sizeof(*change));
	if (!change) {
		http_problem(request, 503, "failed", "out of memory");
		return;
	}
	*change = (struct http_job_change){method, *params, answered};
	request->state = change;
	value_put(request->arena, &id, "id", value_string_ref(request->args[0]));
	http_request_call(request, "job.get", &id, http_job_seen);
}

/* True: the config wants a condition, and there is none; answered. */
static bool http_job_unconditional(struct http_request *request)
{
	if (!request->web->config->if_match || http_request_header(request, "If-Match") ||
	    http_job_none_match(request))
		return false;
	http_problem(request, 428, "conflict",
	    "send If-Match with the ETag of the job as you know it (or If-None-Match: * for a new "
	    "one): http.if_match of the config wants it");
	return true;
}

void http_job_get(struct http_request *request)
{
	const struct http_cached *cached =
	    http_cache_find(request->web, request->identity, request->args[0]);
	struct value params = value_map();

	if (cached) {
		http_job_show(request, cached->revision, cached->body, cached->length);
		return;
	}
	value_put(request->arena, &params, "id", value_string_ref(request->args[0]));
	http_request_call(request, "job.get", &params, http_job_got);
}

void http_job_put(struct http_request *request)
{
	struct value params;

	if (http_job_unconditional(request) || !http_job_params(request, &params))
		return;
	if (!http_job_none_match(request))
		value_put(request->arena, &params, "replace", value_bool(true));
	http_job_change(request, "job.add", &params, http_job_added);
}

void http_job_patch(struct http_request *request)
{
	struct value params;

	if (!http_job_unconditional(request) && http_job_params(request, &params))
		http_job_change(request, "job.modify", &params, http_job_changed);
}

void http_job_delete(struct http_request *request)
{
	struct value params = value_map();

	if (http_job_unconditional(request) || !http_path_params(request, &params))
		return;
	value_put(request->arena, &params, "id", value_string_ref(request->args[0]));
	http_job_change(request, "job.remove", &params, http_job_removed);
}

void http_job_act(struct http_request *request)
{
	struct value params;

	if (http_job_params(request, &params))
		http_job_change(request, request->route->rpc, &params, http_job_changed);
}

static void http_job_ran(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	const char *run = err ? NULL : value_get_string(result, "run"), *slash;

	if (err) {
		http_job_refused(request, err);
		return;
	}
	slash = run ? strrchr(run, '/') : NULL;
	if (slash)
		http_request_set(request, "Location",
		    arena_printf(request->arena, "/api/v1/runs/%.*s/%s", (int)(slash - run), run,
			slash + 1));
	http_request_resource(request, 202, result);
}

void http_job_run(struct http_request *request)
{
	struct value params;

	if (!http_job_params(request, &params))
		return;
	http_trace_put(request, request->arena, &params);
	http_job_change(request, "job.run", &params, http_job_ran);
}

static void http_job_asked(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	if (err)
		http_problem_error(request, err);
	else
		http_request_resource(request, 200, result);
}

void http_job_query(struct http_request *request)
{
	struct value params = value_map();

	if (!http_path_params(request, &params))
		return;
	value_put(request->arena, &params, "id", value_string_ref(request->args[0]));
	http_request_call(request, request->route->rpc, &params, http_job_asked);
}
