/* SPDX-License-Identifier: MIT */
/* The protocol over HTTP: parameters and results are what they are on the socket, as JSON. */
#include <string.h>
#include "proto/methods.h"
#include "server/http/http_answer.h"
#include "server/http/http_handlers.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"

/* Methods that speak of the connection they came by: here there is none that lasts. */
static const char *http_rpc_instead(const char *method)
{
	if (strncmp(method, "event.", 6) == 0)
		return "GET /api/v1/events follows events";
	return NULL;
}

static void http_rpc_answered(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	if (err)
		http_problem_error(request, err);
	else
		http_request_json(request, 200, result);
}

void http_rpc_call(struct http_request *request)
{
	const char *method = request->args[0], *instead = http_rpc_instead(method);
	const struct value *body = &request->body, *apply = value_get(body, "apply");

	if (instead) {
		http_problem(request, 404, "unknown_method", "%s is of the socket: %s", method, instead);
	} else if (body->type != VALUE_MAP && body->type != VALUE_NIL) {
		http_problem(request, 400, "invalid_argument",
		    "the body must be one object of parameters, not %s",
		    value_type_name(body->type));
	} else if (apply || value_get(body, "import")) {
		http_problem(request, 400, "invalid_argument",
		    "parts of a file belong to one connection of the socket; send it whole");
	} else if (value_get_bool(body, "follow", false)) {
		http_problem(request, 400, "invalid_argument",
		    "GET /api/v1/runs/JOB/N/log?follow=1 follows output");
	} else {
		request->writer = &http_answer_json;
		http_request_call(request, method, body, http_rpc_answered);
	}
}

static void http_rpc_listed(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	if (err)
		http_problem_error(request, err);
	else
		http_request_resource(request, 200, result);
}

void http_rpc_query(struct http_request *request)
{
	struct value params = value_map();

	if (!http_path_params(request, &params))
		return;
	request->writer = &http_answer_resource;
	http_request_call(request, request->route->rpc, &params, http_rpc_listed);
}
