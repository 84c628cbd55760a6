/* SPDX-License-Identifier: MIT */
/* Daemons that share a store, as resources: looked at, and taken out of service. */
#include <string.h>
#include "server/http/http_handlers.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"

static void http_node_found(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	for (uint32_t i = 0; !err && i < result->array.count; i++) {
		if (!value_is_text(value_get(&result->array.items[i], "name"), request->args[0]))
			continue;
		http_request_resource(request, 200, &result->array.items[i]);
		return;
	}
	if (err)
		http_problem_error(request, err);
	else
		http_problem(request, 404, "not_found", "node %.64s: no such node", request->args[0]);
}

void http_node_get(struct http_request *request)
{
	struct value params = value_map();

	if (http_path_params(request, &params))
		http_request_call(request, request->route->rpc, &params, http_node_found);
}

static void http_node_acted(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	if (err)
		http_problem_error(request, err);
	else
		http_request_resource(request, 200, result);
}

void http_node_act(struct http_request *request)
{
	const struct value *body = &request->body;
	struct value params = value_map();

	if (body->type != VALUE_MAP && body->type != VALUE_NIL) {
		http_problem(request, 400, "invalid_argument", "the body must be an object, not %s",
		    value_type_name(body->type));
		return;
	}
	value_put(request->arena, &params, "name", value_string_ref(request->args[0]));
	for (uint32_t i = 0; body->type == VALUE_MAP && i < body->map.count; i++) {
		const struct value_member *member = &body->map.members[i];

		if (strcmp(member->key, "name") != 0) {
			value_put(request->arena, &params, member->key, member->value);
		} else if (!value_is_text(&member->value, request->args[0])) {
			http_problem(request, 400, "invalid_argument",
			    "the body's name is not that of the path");
			return;
		}
	}
	http_request_call(request, request->route->rpc, &params, http_node_acted);
}

static void http_node_forgotten(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	(void)result;
	if (err)
		http_problem_error(request, err);
	else
		http_request_reply(request, 204, NULL, "", 0);
}

void http_node_forget(struct http_request *request)
{
	struct value params = value_map();

	if (!http_path_params(request, &params))
		return;
	value_put(request->arena, &params, "name", value_string_ref(request->args[0]));
	http_request_call(request, request->route->rpc, &params, http_node_forgotten);
}
