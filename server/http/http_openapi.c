/* SPDX-License-Identifier: MIT */
/*
 * The OpenAPI 3.1 document, made from the rows of routes and methods, so that
 * a new row is in it without a line more.
 */
#include <string.h>
#include "proto/methods.h"
#include "model/job_fields.h"
#include "server/http/http_accept.h"
#include "server/http/http_handlers.h"
#include "server/http/http_routes.h"
#include "server/http/http_schema.h"

#define HTTP_RPC_PATH "/api/v1/rpc/"

static struct value openapi_text(const char *text)
{
	return value_string_ref(text);
}

/* {"type": name} */
static struct value openapi_type(struct arena *arena, const char *name)
{
	struct value map = value_map();

	value_put(arena, &map, "type", openapi_text(name));
	return map;
}

static struct value openapi_ref(struct arena *arena, const char *name)
{
	struct value map = value_map();

	value_put(arena, &map, "$ref", openapi_text(name));
	return map;
}

/* Either of two types. */
static struct value openapi_either(struct arena *arena, const char *one, const char *other)
{
	struct value map = value_map(), types = value_array();

	value_append(arena, &types, openapi_text(one));
	value_append(arena, &types, openapi_text(other));
	value_put(arena, &map, "type", types);
	return map;
}

static struct value openapi_schema(struct arena *arena, const struct method_param *row)
{
	struct value map;

	switch (row->type) {
	case METHOD_TEXT:
		map = openapi_type(arena, "string");
		break;
	case METHOD_TEXTS:
		map = openapi_type(arena, "array");
		value_put(arena, &map, "items", openapi_type(arena, "string"));
		break;
	case METHOD_BOOL:
		map = openapi_type(arena, "boolean");
		break;
	case METHOD_INT:
		map = openapi_type(arena, "integer");
		value_put(arena, &map, "minimum", value_int(0));
		break;
	case METHOD_TIME:
		map = openapi_either(arena, "integer", "string");
		break;
	case METHOD_SPAN:
		map = openapi_either(arena, "number", "string");
		break;
	case METHOD_MAP:
		map = openapi_type(arena, "object");
		break;
	case METHOD_LIST:
		map = openapi_type(arena, "array");
		break;
	default:
		map = value_map();
		break;
	}
	value_put(arena, &map, "description", openapi_text(row->doc));
	return map;
}

/* ---- Parameters of the path and the query ---- */

static void openapi_parameter(struct arena *arena, struct value *list, const char *name,
    const char *in, bool required, struct value schema)
{
	struct value map = value_map();

	value_put(arena, &map, "name", openapi_text(name));
	value_put(arena, &map, "in", openapi_text(in));
	value_put(arena, &map, "required", value_bool(required));
	value_put(arena, &map, "schema", schema);
	value_append(arena, list, map);
}

/* Texts between braces. */
static void openapi_path_parameters(struct arena *arena, const char *path, struct value *list)
{
	while ((path = strchr(path, '{'))) {
		size_t length = strcspn(++path, "}");
		const char *name = arena_printf(arena, "%.*s", (int)length, path);

		openapi_parameter(
		    arena, list, name ? name : "", "path", true, openapi_type(arena, "string"));
	}
}

/* The path names it already, as id, as job and number, or as a node's name. */
static bool openapi_in_path(const struct http_route *route, const char *name)
{
	if (strcmp(name, "name") == 0)
		return strstr(route->path, "{name}") != NULL;
	if (strcmp(name, "id") == 0 || strcmp(name, "run") == 0)
		return strchr(route->path, '{') != NULL;
	return strcmp(name, "jobs") == 0 && strstr(route->path, "{job}");
}

static void openapi_query_parameters(
    struct arena *arena, const struct http_route *route, struct value *list)
{
	const struct method *method = route->rpc ? methods_find(route->rpc) : NULL;

	for (const struct method_param *row = method ? method->params : NULL; row && row->name;
	     row++) {
		if (row->type == METHOD_FIELDS || row->type == METHOD_MAP ||
		    row->type == METHOD_LIST || row->type == METHOD_ANY ||
		    openapi_in_path(route, row->name))
			continue;
		openapi_parameter(arena, list, row->name, "query",
		    row->required && row->type != METHOD_FIELDS, openapi_schema(arena, row));
	}
}

/* ---- Bodies ---- */

static struct value openapi_content(struct arena *arena, const char *type, struct value schema)
{
	struct value content = value_map(), media = value_map(), map = value_map();

	value_put(arena, &media, "schema", schema);
	value_put(arena, &content, type, media);
	value_put(arena, &map, "content", content);
	return map;
}

static bool openapi_takes_job(const struct method *method)
{
	for (const struct method_param *row = method->params; row && row->name; row++)
		if (row->type == METHOD_FIELDS)
			return true;
	return false;
}

static struct value openapi_params_schema(struct arena *arena, const struct method *method)
{
	struct value map = openapi_type(arena, "object"), members = value_map(),
		     required = value_array();
	bool fields = false;

	for (const struct method_param *row = method->params; row && row->name; row++) {
		if (row->type == METHOD_FIELDS) {
			fields = true;
			continue;
		}
		value_put(arena, &members, row->name, openapi_schema(arena, row));
		if (row->required)
			value_append(arena, &required, openapi_text(row->name));
	}
	value_put(arena, &map, "properties", members);
	if (required.array.count)
		value_put(arena, &map, "required", required);
	if (!fields) {
		value_put(arena, &map, "additionalProperties", value_bool(false));
		return map;
	}
	/* The fields of a job stand beside them. */
	value_put(arena, &map, "description",
	    openapi_text("and the fields of a job, see #/components/schemas/job"));
	return map;
}

/* ---- Answers ---- */

static void openapi_answer(
    struct arena *arena, struct value *answers, const char *status, const char *what, bool body)
{
	struct value map = value_map();

	if (body)
		map = openapi_content(arena, "application/json", value_map());
	value_put(arena, &map, "description", openapi_text(what));
	value_put(arena, answers, status, map);
}

static void openapi_problem(struct arena *arena, struct value *answers, const char *status)
{
	value_put(
	    arena, answers, status, openapi_ref(arena, "#/components/responses/problem"));
}

static struct value openapi_answers(struct arena *arena, const char *status, const char *what,
    const char *type, bool open)
{
	static const char *const problems[] = {
	    "400", "401", "403", "404", "406", "409", "412", "413", "415", "421", "428", "429", "431",
	    "500", "503", "504", NULL};
	struct value answers = value_map(), map;

	if (type && strcmp(type, "application/json") != 0) {
		map = openapi_content(arena, type, openapi_type(arena, "string"));
		value_put(arena, &map, "description", openapi_text(what));
		value_put(arena, &answers, status, map);
	} else {
		openapi_answer(arena, &answers, status, what, type != NULL);
	}
	for (const char *const *name = problems; !open && *name; name++)
		openapi_problem(arena, &answers, *name);
	if (open)
		openapi_problem(arena, &answers, "503");
	return answers;
}

/* ---- Paths ---- */

static const char *openapi_verb(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_POST:
		return "post";
	case EVHTTP_REQ_PUT:
		return "put";
	case EVHTTP_REQ_PATCH:
		return "patch";
	case EVHTTP_REQ_DELETE:
		return "delete";
	default:
		return "get";
	}
}

/* Whom it is for, as a member of its own and in words. */
static void openapi_role(struct arena *arena, const struct method *method,
    enum http_access access, struct value *map)
{
	static const struct {
		const char *role, *words;
	} rows[] = {
	    [METHOD_FOR_USERS] = {"user", "for everybody, with jobs of their own; for operators with all jobs"},
	    [METHOD_FOR_OWNERS] = {"user", "for everybody, with jobs of their own alone; for admins with all jobs"},
	    [METHOD_FOR_ADMINS] = {"admin", "for admins"},
	};
	const char *role = access == HTTP_OPERATOR ? "operator" : "user";

	if (access == HTTP_ANYBODY || access == HTTP_SIGNED)
		return;
	if (!method) {
		value_put(arena, map, "x-schedd-role", openapi_text(role));
		return;
	}
	value_put(arena, map, "x-schedd-role", openapi_text(rows[method->role].role));
	value_put(arena, map, "description",
	    openapi_text(arena_printf(arena, "The method %s, %s. Answers %s.", method->name,
		rows[method->role].words, method->answer)));
}

/* What a webhook is called with, beside its body. */
static void openapi_hook(struct arena *arena, struct value *map, struct value *parameters)
{
	static const char *const headers[] = {
	    "X-Hub-Signature-256", "X-GitHub-Delivery", "Idempotency-Key"};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		openapi_parameter(arena, parameters, headers[i], "header", i == 0,
		    openapi_type(arena, "string"));
	value_put(arena, map, "requestBody", openapi_content(arena, "*/*", value_map()));
	value_put(arena, map, "description",
	    openapi_text("The signature is sha256= and the HMAC-SHA-256 of the body with the "
			 "hook's secret; a delivery that is named begins one run a day."));
}

static void openapi_conditions(
    struct arena *arena, const struct http_route *route, struct value *parameters)
{
	if (strncmp(route->path, "/api/v1/jobs/{id}", 17) != 0)
		return;
	if (route->method != EVHTTP_REQ_GET)
		openapi_parameter(
		    arena, parameters, "If-Match", "header", false, openapi_type(arena, "string"));
	if (route->method == EVHTTP_REQ_GET || route->method == EVHTTP_REQ_PUT)
		openapi_parameter(arena, parameters, "If-None-Match", "header", false,
		    openapi_type(arena, "string"));
}

/* Pieces are put together there: two of the method's are left. */
static void openapi_log_parameters(struct arena *arena, struct value *parameters)
{
	openapi_parameter(
	    arena, parameters, "follow", "query", false, openapi_type(arena, "boolean"));
	openapi_parameter(
	    arena, parameters, "stream", "query", false, openapi_type(arena, "string"));
}

/* Of a job or of the method's other parameters. */
static struct value openapi_body(struct arena *arena, const struct http_route *route)
{
	const struct method *method = methods_find(route->rpc);
	struct value map, *members;

	if (openapi_takes_job(method))
		return openapi_ref(arena, "#/components/schemas/job");
	map = openapi_params_schema(arena, method);
	members = &map.map.members[1].value; /* "properties" */
	for (uint32_t i = 0; i < members->map.count; i++) {
		if (!openapi_in_path(route, members->map.members[i].key))
			continue;
		memmove(&members->map.members[i], &members->map.members[i + 1],
		    (members->map.count - i - 1) * sizeof(members->map.members[0]));
		members->map.count--;
		break;
	}
	for (uint32_t i = 0; i < map.map.count; i++)
		if (strcmp(map.map.members[i].key, "required") == 0)
			map.map.count = i; /* it names what the path has */
	return map;
}

static void openapi_request(struct arena *arena, const struct http_route *route,
    const struct method *method, struct value *map)
{
	struct value parameters = value_array();

	openapi_path_parameters(arena, route->path, &parameters);
	if (route->rpc && strcmp(route->rpc, "run.log") == 0)
		openapi_log_parameters(arena, &parameters);
	else if (route->takes == HTTP_NO_BODY)
		openapi_query_parameters(arena, route, &parameters);
	openapi_conditions(arena, route, &parameters);
	if (route->access == HTTP_SIGNED)
		openapi_hook(arena, map, &parameters);
	if (parameters.array.count)
		value_put(arena, map, "parameters", parameters);
	if (route->takes == HTTP_JSON && method)
		value_put(arena, map, "requestBody",
		    openapi_content(arena, "application/json", openapi_body(arena, route)));
	if (route->takes == HTTP_PACKED)
		value_put(arena, map, "requestBody",
		    openapi_content(arena, "application/msgpack", value_map()));
}

/* Of success. */
static const char *openapi_status(const struct http_route *route)
{
	if (route->method == EVHTTP_REQ_DELETE)
		return "204";
	return route->access == HTTP_SIGNED || (route->rpc && strcmp(route->rpc, "job.run") == 0)
		   ? "202"
		   : "200";
}

static struct value openapi_operation(struct arena *arena, const struct http_route *route)
{
	const struct method *method = route->rpc ? methods_find(route->rpc) : NULL;
	struct value map = value_map(), answers;
	bool open = route->access == HTTP_ANYBODY;

	value_put(arena, &map, "summary", openapi_text(route->doc));
	openapi_role(arena, method, route->access, &map);
	openapi_request(arena, route, method, &map);
	answers = openapi_answers(
	    arena, openapi_status(route), "What was asked for.", http_accept_offer(route), open);
	if (route->method == EVHTTP_REQ_PUT)
		openapi_answer(arena, &answers, "201", "It was not there before.", true);
	if (route->method == EVHTTP_REQ_GET && strcmp(route->path, "/api/v1/jobs/{id}") == 0)
		openapi_answer(arena, &answers, "304", "It is as If-None-Match says.", false);
	value_put(arena, &map, "responses", answers);
	if (open || route->access == HTTP_SIGNED)
		value_put(arena, &map, "security", value_array());
	return map;
}

static void openapi_routes(
    struct arena *arena, const struct http_route *route, struct value *paths)
{
	for (; route->path; route++) {
		struct value operation, *path = NULL;

		if (!route->doc || route->refuse)
			continue;
		operation = openapi_operation(arena, route);
		for (uint32_t i = 0; i < paths->map.count; i++) {
			if (strcmp(paths->map.members[i].key, route->path) == 0)
				path = &paths->map.members[i].value;
		}
		if (!path)
			path = value_put(arena, paths, route->path, value_map());
		if (path)
			value_put(arena, path, openapi_verb(route->method), operation);
	}
}

/* One path a method, beside the resources. */
static void openapi_methods(struct arena *arena, struct value *paths)
{
	for (const struct method *method = methods_all(); method->name; method++) {
		struct value path = value_map(), operation = value_map();
		const char *name = arena_printf(arena, HTTP_RPC_PATH "%s", method->name);

		if (!name || strncmp(method->name, "event.", 6) == 0)
			continue;
		value_put(arena, &operation, "summary", openapi_text(method->doc));
		openapi_role(arena, method, HTTP_USER, &operation);
		value_put(arena, &operation, "operationId", openapi_text(method->name));
		value_put(arena, &operation, "requestBody",
		    openapi_content(
			arena, "application/json", openapi_params_schema(arena, method)));
		value_put(arena, &operation, "responses",
		    openapi_answers(arena, "200", method->answer, "application/json", false));
		value_put(arena, &path, "post", operation);
		value_put(arena, paths, name, path);
	}
}

static struct value openapi_components(struct arena *arena, struct value schemas)
{
	struct value map = value_map(), schemes = value_map(), bearer = value_map(),
		     basic = value_map(), responses = value_map(), problem,
		     schema = openapi_type(arena, "object"), members = value_map();

	value_put(arena, &bearer, "type", openapi_text("http"));
	value_put(arena, &bearer, "scheme", openapi_text("bearer"));
	value_put(arena, &basic, "type", openapi_text("http"));
	value_put(arena, &basic, "scheme", openapi_text("basic"));
	value_put(arena, &schemes, "bearer", bearer);
	value_put(arena, &schemes, "basic", basic);
	value_put(arena, &map, "securitySchemes", schemes);
	value_put(arena, &members, "type", openapi_type(arena, "string"));
	value_put(arena, &members, "title", openapi_type(arena, "string"));
	value_put(arena, &members, "status", openapi_type(arena, "integer"));
	value_put(arena, &members, "error", openapi_type(arena, "string"));
	value_put(arena, &members, "detail", openapi_type(arena, "string"));
	value_put(arena, &schema, "properties", members);
	problem = openapi_content(arena, "application/problem+json", schema);
	value_put(arena, &problem, "description", openapi_text("A problem document (RFC 9457)."));
	value_put(arena, &responses, "problem", problem);
	value_put(arena, &map, "responses", responses);
	value_put(arena, &map, "schemas", schemas);
	return map;
}

void http_openapi_document(struct http_request *request)
{
	struct arena *arena = request->arena;
	struct value map = value_map(), info = value_map(), paths = value_map(),
		     security = value_array(), bearer = value_map(), basic = value_map();

	value_put(arena, &info, "title", openapi_text("schedd"));
	value_put(arena, &info, "version", openapi_text(SCHEDD_VERSION));
	value_put(arena, &info, "description",
	    openapi_text("The job scheduler. Times of resources are RFC 3339; below /api/v1/rpc/ "
			 "they are microseconds since the epoch, as on its socket."));
	value_put(arena, &map, "openapi", openapi_text("3.1.0"));
	value_put(arena, &map, "info", info);
	value_put(arena, &bearer, "bearer", value_array());
	value_put(arena, &basic, "basic", value_array());
	value_append(arena, &security, bearer);
	value_append(arena, &security, basic);
	value_put(arena, &map, "security", security);
	openapi_routes(arena, request->web->routes, &paths);
	openapi_methods(arena, &paths);
	value_put(arena, &map, "paths", paths);
	value_put(arena, &map, "components", openapi_components(arena, http_schema_all(arena)));
	http_request_json(request, 200, &map);
}
