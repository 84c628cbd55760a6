/* SPDX-License-Identifier: MIT */
/* The rows of the HTTP side: which path and method is answered by what. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_ROUTES_H
#define SCHEDD_SERVER_HTTP_HTTP_ROUTES_H

#include <event2/http.h>
#include "server/http/http_request.h"

/* Who may ask, before the method that is called asks for its own role. */
enum http_access {
	HTTP_ANYBODY,  /* it shows no data */
	HTTP_SIGNED,   /* the request itself carries its proof: a webhook */
	HTTP_USER,     /* a token or password */
	HTTP_OPERATOR, /* of that role at least */
};

/* What its body is read as. */
enum http_takes {
	HTTP_NO_BODY,
	HTTP_JSON,
	HTTP_PACKED, /* a message of the protocol */
};

struct http_route {
	enum evhttp_cmd_type method;
	const char *path; /* "/api/v1/jobs/{id}": {…} is one segment; "{prefix}" the config's */
	enum http_access access;
	void (*handle)(struct http_request *request);
	const char *rpc; /* the method it calls, for its parameters; NULL: none */
	const char *doc; /* one line, for the OpenAPI document; NULL: not in it */
	/* Refusals have a form of their own; NULL: problem documents. */
	void (*refuse)(struct http_request *request, int status, const char *detail);
	enum http_takes takes;
};

/* All of them, ended by a NULL path. */
const struct http_route *http_routes_all(void);
/*
 * The route of a path that was split into decoded segments. NULL: none; then
 * *allowed is the set of methods that the path has (0: there is no such path).
 */
const struct http_route *http_routes_find(const struct web_config *config,
    enum evhttp_cmd_type method, const char *const *segments, size_t count,
    const char *args[HTTP_ARGS_MAX], unsigned *allowed);
/* "GET, HEAD, OPTIONS" of a set. */
void http_routes_allow(unsigned methods, char *text, size_t size);

#endif
