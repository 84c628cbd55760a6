/* SPDX-License-Identifier: MIT */
/*
 * What the HTTP side consists of; for the files of server/http/ alone.
 *
 * web: what is configured and listens. http_peer: one TCP or Unix connection.
 * http_request: one request of it, until it is answered. A peer calls methods
 * of the daemon over a connection without a socket (see rpc/connection.h).
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_STATE_H
#define SCHEDD_SERVER_HTTP_HTTP_STATE_H

#include <event2/event.h>
#include <event2/http.h>
#include "server/http/http_aside.h"
#include "server/web.h"

#define HTTP_LISTENERS_MAX 16
#define HTTP_PEER_BUCKETS 1024

struct http_auth;
struct http_cache;
struct http_hooks;
struct http_peer;
struct http_peer_ops;
struct http_route;
struct http_tls;

struct http_listener {
	struct evhttp_bound_socket *bound;
	char *address; /* as the config had it; owned */
	char *path;    /* of a unix: address, to be removed; owned; NULL: none */
};

/* Since the start. */
struct http_counters {
	uint64_t accepted;
	uint64_t refused;       /* beyond the limit of connections */
	uint64_t requests;
	uint64_t unauthorized;  /* answered 401 */
	unsigned connections;   /* now */
	unsigned streams;       /* of these, followers of events or output */
};

struct web {
	const struct web_config *config;
	const struct web_host *host;
	struct evhttp *evhttp;
	struct http_listener listeners[HTTP_LISTENERS_MAX];
	size_t listener_count;
	struct http_auth *auth;
	struct http_cache *cache;                    /* NULL: nothing was answered yet */
	struct http_aside_line asides;               /* long work that is under way */
	struct http_hooks *hooks;                    /* NULL: no webhook was called yet */
	struct http_tls *tls;                        /* NULL: plain */
	struct http_peer *peers[HTTP_PEER_BUCKETS]; /* by their bufferevent */
	const struct http_peer_ops *peer_ops;
	const struct http_route *routes; /* all rows, for the OpenAPI document */
	struct event *sweep;                         /* looks after slow peers while there are peers */
	bool sweeping;
	struct http_counters counters;
};

#endif
