/* SPDX-License-Identifier: MIT */
#include "server/http/http_accept.h"

#include <string.h>
#include <strings.h>
#include "server/http/http_problem.h"
#include "server/http/http_request.h"
#include "server/http/http_routes.h"

const char *http_accept_offer(const struct http_route *route)
{
	if (route->access == HTTP_ANYBODY || route->access == HTTP_OPERATOR ||
	    (route->rpc && strcmp(route->rpc, "run.log") == 0))
		return "text/plain; charset=utf-8";
	if (route->rpc && strcmp(route->rpc, "event.subscribe") == 0)
		return "text/event-stream";
	if (route->takes == HTTP_PACKED)
		return "application/msgpack";
	return route->method == EVHTTP_REQ_DELETE ? NULL : "application/json";
}

/* How well a range of that length fits: 3 exactly, 2 by its type, 1 as any; 0: not. */
static int http_accept_fit(const char *range, size_t length, const char *type)
{
	size_t slash = strcspn(type, "/") + 1, whole = strcspn(type, ";");

	if (length == 3 && strncmp(range, "*/*", 3) == 0)
		return 1;
	if (length == slash + 1 && strncasecmp(range, type, slash) == 0 && range[slash] == '*')
		return 2;
	return length == whole && strncasecmp(range, type, whole) == 0 ? 3 : 0;
}

/* Is its weight 0, in any of the ways to write that? */
static bool http_accept_refuses(const char *parameters, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++) {
		size_t zero;

		if (parameters[i] != ';')
			continue;
		i += 1 + strspn(parameters + i + 1, " \t");
		if (strncasecmp(parameters + i, "q=0", 3) != 0)
			continue;
		zero = i + 3;
		if (parameters[zero] == '.')
			zero += 1 + strspn(parameters + zero + 1, "0");
		return zero >= length || strchr(" \t;,", parameters[zero]) != NULL;
	}
	return false;
}

bool http_accept_takes(const char *accept, const char *type)
{
	int best = 0;
	bool takes = false;

	if (!accept || !accept[strspn(accept, " \t,")])
		return true;
	while (*accept) {
		size_t item, range;
		int fit;

		accept += strspn(accept, " \t,");
		item = strcspn(accept, ",");
		range = strcspn(accept, "; \t,");
		fit = http_accept_fit(accept, range, type);
		if (fit > best) {
			best = fit;
			takes = !http_accept_refuses(accept + range, item - range);
		}
		accept += item;
	}
	return takes;
}

bool http_accept_check(struct http_request *request)
{
	const struct http_route *route = request->route;
	const char *accept = http_request_header(request, "Accept");
	const char *type = http_accept_offer(route);

	/* Clients of the other API were never asked; who looks whether it lives takes any word. */
	if (route->access == HTTP_ANYBODY || route->refuse || !type ||
	    http_accept_takes(accept, type) ||
	    (route->access == HTTP_OPERATOR &&
		http_accept_takes(accept, "application/openmetrics-text")))
		return true;
	http_problem(request, 406, "invalid_argument", "this is %s, which Accept does not take", type);
	return false;
}
