/* SPDX-License-Identifier: MIT */
/*
 * A browser sends simple requests anywhere without asking. What it cannot send
 * to another site unasked is a body of type application/json, a header of its
 * own making, or a token that it does not have.
 */
#include "server/http/http_guard.h"

#include <string.h>
#include <strings.h>
#include <event2/buffer.h>
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"

/* ---- Host ---- */

/* Without its port; brackets of an IPv6 address stay. */
static size_t http_host_length(const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

	return end ? (size_t)(end + 1 - host) : strcspn(host, ":");
}

static bool http_host_is(const char *host, const char *name)
{
	size_t length = http_host_length(host);

	return strlen(name) == length && strncasecmp(host, name, length) == 0;
}

static bool http_host_listed(const struct web_config *config, const char *host)
{
	for (const char *const *name = config->allow_hosts; name && *name; name++) {
		if (http_host_is(host, *name) || strcasecmp(host, *name) == 0)
			return true;
	}
	/* Literal addresses cannot be rebound; names that we listen on are our own. */
	for (const char *const *name = config->listen; name && *name; name++) {
		if (strncmp(*name, "unix:", 5) != 0 &&
		    strncasecmp(*name, host, http_host_length(*name)) == 0 &&
		    http_host_length(*name) == http_host_length(host))
			return true;
	}
	return http_host_is(host, "localhost") || http_host_is(host, "127.0.0.1") ||
	       http_host_is(host, "[::1]");
}

static bool http_peer_is_unix(const struct http_peer *peer)
{
	char *address = NULL;
	uint16_t port = 0;

	/* evhttp knows no address of a Unix socket's peer. */
	evhttp_connection_get_peer(peer->evcon, &address, &port);
	return !address || !address[0] || port == 0;
}

bool http_guard_host(struct http_request *request)
{
	const char *host = http_request_header(request, "Host");

	if (host && (http_host_listed(request->web->config, host)))
		return true;
	if (http_peer_is_unix(request->peer))
		return true;
	if (!host)
		http_problem(request, 400, "invalid_argument", "the request names no Host");
	else
		http_problem(request, 421, "permission_denied",
		    "'%.100s' is no name of this server (http.allow_hosts)", host);
	return false;
}

/* ---- On purpose ---- */

/* Does an Origin name the host that was asked? */
static bool http_origin_is_own(const struct http_request *request, const char *origin)
{
	const char *host = http_request_header(request, "Host");
	const char *name = strstr(origin, "://");

	return name && host && strcasecmp(name + 3, host) == 0;
}

static bool http_guard_site(struct http_request *request)
{
	const char *origin = http_request_header(request, "Origin");
	const char *site = http_request_header(request, "Sec-Fetch-Site");

	if ((!origin || http_origin_is_own(request, origin)) &&
	    (!site || strcmp(site, "cross-site") != 0))
		return true;
	http_problem(request, 403, "permission_denied",
	    "a page of another origin may not change anything here");
	return false;
}

static bool http_type_is(const char *type, const char *wanted)
{
	size_t length = type ? strcspn(type, "; \t") : 0;

	return length == strlen(wanted) && strncasecmp(type, wanted, length) == 0;
}

static bool http_guard_form(struct http_request *request, size_t bytes)
{
	const char *type = http_request_header(request, "Content-Type");
	/* A Bearer token cannot come from a page of another site. What clients send that were
	 * told no type (curl -d, urllib) is then no obstacle. */
	bool untold = !type || http_type_is(type, "application/x-www-form-urlencoded");
	bool json = http_type_is(type, "application/json") || (request->bearer && untold);

	/* Clients of the other API send what they like; a browser would send an Origin. */
	if (request->route->refuse && !http_request_header(request, "Origin"))
		return true;
	if (request->route->takes == HTTP_PACKED && http_type_is(type, "application/msgpack"))
		return true;
	if (request->route->takes == HTTP_PACKED) {
		http_problem(request, 415, "invalid_argument",
		    "send the message with Content-Type: application/msgpack");
		return false;
	}
	if (bytes && !json && (request->route->takes || !request->bearer)) {
		http_problem(request, 415, "invalid_argument",
		    "send the body with Content-Type: application/json");
		return false;
	}
	if (!bytes && !request->bearer && !json &&
	    !http_request_header(request, "X-Schedd")) {
		http_problem(request, 403, "permission_denied",
		    "a request without a body and without a Bearer token needs the header "
		    "X-Schedd: 1");
		return false;
	}
	return true;
}

bool http_guard_check(struct http_request *request)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
	size_t bytes = evbuffer_get_length(input);

	request->body = value_nil();
	request->body_bytes = bytes;
	if (request->route->access == HTTP_SIGNED)
		return true; /* it proves itself by its content */
	return http_request_is_safe(request) ||
	       (http_guard_site(request) && http_guard_form(request, bytes));
}
