/* SPDX-License-Identifier: MIT */
/* The way of a request that has come: its host, its path, who asks, its form, then its handler. */
#include "server/http/http_arrival.h"

#include <string.h>
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include "server/http/http_accept.h"
#include "server/http/http_auth.h"
#include "server/http/http_body.h"
#include "server/http/http_guard.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_request.h"
#include "server/http/http_routes.h"

#define ARRIVAL_HEADERS_MAX (16 << 10) /* bytes, with the request line */
#define ARRIVAL_BODY_MAX (4 << 20)

/* True: they are too long; answered. */
static bool http_arrival_overlong(struct http_request *request)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->evhttp);
	size_t length = strlen(evhttp_request_get_uri(request->evhttp));

	for (const struct evkeyval *header = headers->tqh_first; header;
	     header = header->next.tqe_next)
		length += strlen(header->key) + strlen(header->value) + strlen(": \r\n");
	if (length > ARRIVAL_HEADERS_MAX) {
		http_request_set(request, "Connection", "close");
		http_problem(request, 431, "invalid_argument",
		    "the headers are longer than %d bytes, which is the limit", ARRIVAL_HEADERS_MAX);
		return true;
	}
	if (evbuffer_get_length(evhttp_request_get_input_buffer(request->evhttp)) > ARRIVAL_BODY_MAX) {
		http_request_set(request, "Connection", "close");
		http_problem(request, 413, "invalid_argument",
		    "the body is longer than %d bytes, which is the limit", ARRIVAL_BODY_MAX);
		return true;
	}
	return false;
}

static void http_arrival_handle(struct http_request *request)
{
	const struct http_route *route = request->route;

	if (route->access == HTTP_OPERATOR && !http_auth_may(request->identity, "operator"))
		http_problem(request, 403, "permission_denied",
		    "the role %s does not suffice: this needs operator", request->identity->role);
	else if (!http_accept_check(request) || !http_guard_check(request))
		return; /* it was answered */
	else if (route->takes == HTTP_JSON)
		http_body_read(request, route->handle);
	else
		route->handle(request);
}

static void http_arrival_route(struct http_request *request)
{
	const char *segments[HTTP_SEGMENTS_MAX];
	enum evhttp_cmd_type method = evhttp_request_get_command(request->evhttp);
	unsigned allowed = 0;
	char text[96];
	int count;

	count = http_path_split(request, segments);
	if (count < 0)
		return; /* it was answered */
	request->route = http_routes_find(request->web->config, method, segments, (size_t)count,
	    request->args, &allowed);
	if (!request->route && !allowed) {
		http_problem(request, 404, "not_found", "there is nothing at this path");
	} else if (!request->route) {
		http_routes_allow(allowed, text, sizeof(text));
		http_request_set(request, "Allow", text);
		if (method == EVHTTP_REQ_OPTIONS)
			http_request_reply(request, 200, NULL, "", 0);
		else
			http_problem(request, 405, "invalid_argument",
			    "this path has %s and no other method", text);
	} else if (request->route->access == HTTP_ANYBODY || request->route->access == HTTP_SIGNED) {
		http_arrival_handle(request);
	} else {
		http_auth_check(request->web->auth, request, http_arrival_handle);
	}
}

void http_arrival(struct evhttp_request *evhttp, void *context)
{
	struct web *web = context;
	struct http_peer *peer = http_peer_of(web, evhttp);
	struct http_request *request = peer ? http_request_new(peer, evhttp) : NULL;

	web->counters.requests++;
	if (!request)
		evhttp_send_error(evhttp, 503, NULL);
	else if (peer->refused)
		http_problem(request, 503, "failed",
		    "%u connections are open, which is the limit (http.connections)",
		    web->config->connections);
	else if (!http_arrival_overlong(request) && http_guard_host(request))
		http_arrival_route(request);
}

/* Where its identity is not valid any more a stream ends, and a call's answer is a 401. */
static void http_arrival_renew(
    struct http_request *request, http_peer_renew_fn renew, void *context)
{
	if (!request->identity)
		return; /* it is still being asked for, and found in the new lists */
	request->identity = renew(request->identity, context);
	if (request->identity)
		return;
	if (request->streaming) {
		http_request_stream_end(request);
	} else if (request->answered) {
		request->answered = NULL;
		http_problem(request, 401, "permission_denied", "the credentials were changed");
	}
}

const struct http_peer_ops http_arrival_ops = {
    .gone = http_request_gone,
    .tend = http_request_tend,
    .renew = http_arrival_renew,
};
