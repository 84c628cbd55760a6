/* SPDX-License-Identifier: MIT */
/*
 * Jobs as resources. The entity tag of a job is its revision; a change that
 * names one (If-Match) is refused with 412 once the job has another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void http_job_got(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	const char *none = http_request_header(request, "If-None-Match");
	char tag[32];

	if (err) {
		http_problem_error(request, err);
		return;
	}
	snprintf(tag, sizeof(tag), "\"%lld\"", (long long)value_get_int(job, "revision", 0));
	if (none && (strcmp(none, tag) == 0 || strcmp(none, "*") == 0)) {
		http_request_set(request, "ETag", tag);
		http_request_reply(request, 304, NULL, "", 0);
		return;
	}
	http_job_send(request, 200, job);
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
	value_put(&request->arena, params, "id", value_string_ref(request->args[0]));
	for (uint32_t i = 0; body->type == VALUE_MAP && i < body->map.count; i++) {
		const struct value_member *member = &body->map.members[i];

		if (strcmp(member->key, "id") != 0) {
			value_put(&request->arena, params, member->key, member->value);
		} else if (!value_is_text(&member->value, request->args[0])) {
			http_problem(request, 400, "invalid_argument",
			    "the body's id is not that of the path");
			return false;
		}
	}
	return true;
}

/* The same with the revision of If-Match. */
static bool http_job_guarded(struct http_request *request, struct value *params)
{
	int64_t revision = http_job_if_match(request);

	if (!http_job_params(request, params))
		return false;
	if (revision < 0) {
		http_problem(request, 412, "conflict",
		    "If-Match is not the ETag of any state of this job");
		return false;
	}
	if (revision > 0 && !value_get(params, "revision"))
		value_put(&request->arena, params, "revision", value_int(revision));
	return true;
}

void http_job_get(struct http_request *request)
{
	struct value params = value_map();

	value_put(&request->arena, &params, "id", value_string_ref(request->args[0]));
	http_request_call(request, "job.get", &params, http_job_got);
}

/* A job that is to be there, as it was: looked at first, then replaced. */
static void http_job_seen(struct http_request *request, const struct schedd_error *err,
    const struct value *job)
{
	int64_t wanted = http_job_if_match(request);
	struct value *params = request->state;

	if (err) {
		http_job_refused(request, err);
		return;
	}
	if (wanted && value_get_int(job, "revision", 0) != wanted) {
		http_problem(request, 412, "conflict",
		    "the job has revision %lld, not %lld: it was changed meanwhile",
		    (long long)value_get_int(job, "revision", 0), (long long)wanted);
		return;
	}
	http_request_call(request, "job.add", params, http_job_added);
}

void http_job_put(struct http_request *request)
{
	struct value *params = arena_alloc(&request->arena, sizeof(*params)), id = value_map();

	if (!params || !http_job_params(request, params))
		return;
	if (http_job_none_match(request) || http_request_header(request, "If-Match") == NULL) {
		if (!http_job_none_match(request))
			value_put(&request->arena, params, "replace", value_bool(true));
		http_request_call(request, "job.add", params, http_job_added);
		return;
	}
	if (http_job_if_match(request) < 0) {
		http_problem(request, 412, "conflict",
		    "If-Match is not the ETag of any state of this job");
		return;
	}
	value_put(&request->arena, params, "replace", value_bool(true));
	value_put(&request->arena, &id, "id", value_string_ref(request->args[0]));
	request->state = params;
	http_request_call(request, "job.get", &id, http_job_seen);
}

void http_job_patch(struct http_request *request)
{
	struct value params;

	if (http_job_guarded(request, &params))
		http_request_call(request, "job.modify", &params, http_job_changed);
}

void http_job_delete(struct http_request *request)
{
	struct value params = value_map();

	if (!http_path_params(request, &params))
		return;
	value_put(&request->arena, &params, "id", value_string_ref(request->args[0]));
	http_request_call(request, "job.remove", &params, http_job_removed);
}

void http_job_act(struct http_request *request)
{
	struct value params;
	bool guarded = strcmp(request->route->rpc, "job.reschedule") == 0;

	if (guarded ? http_job_guarded(request, &params) : http_job_params(request, &params))
		http_request_call(request, request->route->rpc, &params, http_job_changed);
}

static void http_job_ran(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	const char *run = err ? NULL : value_get_string(result, "run"), *slash;

	if (err) {
		http_problem_error(request, err);
		return;
	}
	slash = run ? strrchr(run, '/') : NULL;
	if (slash)
		http_request_set(request, "Location",
		    arena_printf(&request->arena, "/api/v1/runs/%.*s/%s", (int)(slash - run), run,
			slash + 1));
	http_request_resource(request, 202, result);
}

void http_job_run(struct http_request *request)
{
	struct value params;

	if (!http_job_params(request, &params))
		return;
	http_trace_put(request, &request->arena, &params);
	http_request_call(request, "job.run", &params, http_job_ran);
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
	value_put(&request->arena, &params, "id", value_string_ref(request->args[0]));
	http_request_call(request, request->route->rpc, &params, http_job_asked);
}
