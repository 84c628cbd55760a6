/* SPDX-License-Identifier: MIT */
/*
 * One connection of a client: who it is, what it asks now, and when it began to.
 *
 * evhttp (2.1) says neither how many connections there are nor when one ends
 * before its first request, and limits only silence, not slowness. So each
 * bufferevent is counted when it is made, and looked after until it ends.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_PEER_H
#define SCHEDD_SERVER_HTTP_HTTP_PEER_H

#include <event2/bufferevent.h>
#include "base/value.h"
#include "server/http/http_state.h"

struct connection_sink;
struct http_request;

#define HTTP_REQUEST_SECONDS 30 /* for a client to send a request */
#define HTTP_IDLE_SECONDS 60    /* between requests */

typedef const struct web_identity *(*http_peer_renew_fn)(
    const struct web_identity *old, void *context);

/* What a peer tells of the request that it carries; see http_request.h. */
struct http_peer_ops {
	void (*gone)(struct http_request *request);
	void (*tend)(struct http_request *request, bool beat);
	/* Identities change; renew says what its own is now; NULL: none any more. */
	void (*renew)(struct http_request *request, http_peer_renew_fn renew, void *context);
};

struct http_peer {
	struct web *web;
	struct http_peer *next;         /* in its bucket */
	struct bufferevent *bufferevent; /* one reference until evcon is known */
	struct evhttp_connection *evcon; /* NULL: no request has come yet */
	struct connection *connection;   /* for calls; NULL: none was made */
	const struct web_identity *identity; /* of that connection; see http_auth.h */
	struct http_request *request;    /* being answered; NULL: none */
	int64_t began;                   /* monotonic µs: the first byte of a request came; 0: none did */
	int64_t last;                    /* monotonic µs: made, or last answered */
	struct evhttp_request *ending;   /* its stream is over once all was sent; NULL: none */
	bool patient;                    /* its silence has no end */
	bool quiet;                      /* all had been sent when it was last looked at */
	struct event *end;               /* looks after it; NULL: none was needed yet */
	bool narrowed;                   /* connection shows the jobs of one account: not for the next request */
	bool refused;                    /* beyond the limit: its first request is answered 503 */
};

/* To be called for each new connection of evhttp: counts it. NULL: no memory. */
struct bufferevent *http_peer_make(struct event_base *base, void *web);
/* The peer of a request that has come. NULL: its connection is unknown. */
struct http_peer *http_peer_of(struct web *web, struct evhttp_request *request);
/* Its request is answered: the next one has its own time. */
void http_peer_answered(struct http_peer *peer);
/*
 * A connection for calls in the name of identity, which must outlive it; the
 * one there is, if it is of the same. Answers go to sink, whose context is the
 * peer. NULL and *err: not possible.
 */
struct connection *http_peer_connection(struct http_peer *peer,
    const struct web_identity *identity, const struct connection_sink *sink, struct schedd_error *err);
/*
 * Identities are about to change: each peer goes on as what renew makes of its
 * own; where that is NULL, what it had begun ends.
 */
void http_peer_renew_identities(struct web *web, http_peer_renew_fn renew, void *context);
/* However long it is silent: an answer is on its way. Until the next one is answered. */
void http_peer_be_patient(struct http_peer *peer);
/* The stream that answers a request is over. */
void http_peer_end_stream(struct http_peer *peer, struct evhttp_request *request);
/* The loop ends: sends what waits, as far as it goes at once. */
void http_peer_flush_all(struct web *web);
/* Frees what is left of all, once evhttp is gone. */
void http_peer_free_all(struct web *web);
/* Bytes that wait to be sent to the client. */
size_t http_peer_unsent(const struct http_peer *peer);

#endif
