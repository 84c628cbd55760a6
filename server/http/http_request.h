/* SPDX-License-Identifier: MIT */
/*
 * One request, from evhttp to its answer. A handler answers it exactly once,
 * now or later, by one of the functions that end it; it is gone then. Where the
 * client leaves before, it goes by itself, and what was called for it ends.
 */
#ifndef SCHEDD_SERVER_HTTP_HTTP_REQUEST_H
#define SCHEDD_SERVER_HTTP_HTTP_REQUEST_H

#include "base/value.h"
#include "server/http/http_peer.h"
#include "server/rpc/connection.h"

#define HTTP_ARGS_MAX 2

struct http_route;
struct http_writer;

struct http_request {
	struct web *web;
	struct http_peer *peer;
	struct evhttp_request *evhttp;
	struct arena_kept *memory; /* of all that follows; calls keep it too */
	struct arena *arena;       /* of memory */
	const struct http_route *route;
	const char *args[HTTP_ARGS_MAX]; /* what stood for {…} in the path, decoded */
	struct value query;              /* map of texts; of a doubled name lists */
	struct value body;               /* of JSON; nil: none was sent */
	size_t body_bytes;
	const struct web_identity *identity; /* NULL: none was asked for */
	bool bearer;                         /* a token came */
	bool streaming;                      /* the answer goes on: chunks have begun */
	bool narrows;                        /* it has its connection show the jobs of one account */
	const char *beat;                    /* of a stream: shows now and then that it lives; NULL: nothing does */
	/* A call is under way, and this takes its answer: result, or NULL and err. */
	void (*answered)(struct http_request *request, const struct schedd_error *err,
	    const struct value *result);
	/* Who writes that answer instead if it is long; NULL: answered takes any. */
	const struct http_writer *writer;
	/* Takes all that comes instead, of any number of calls; its context is the request. NULL: none does. */
	const struct connection_sink *sink;
	/* Takes notifications of streams; NULL: none is expected. False: not now. */
	bool (*notified)(
	    struct http_request *request, const char *method, const struct value *params);
	/* Of a stream: all that waited was sent, also where that was nothing; NULL: of no interest. */
	void (*sent)(struct http_request *request);
	void *state; /* the handler's, in the arena */
	struct http_aside *aside; /* works for it; NULL: nothing does */
	/* It ends, however; NULL: of no interest. */
	void (*release)(struct http_request *request);
};

/* One that has come by that peer. NULL: no memory. */
struct http_request *http_request_new(struct http_peer *peer, struct evhttp_request *evhttp);
/* The client has left. */
void http_request_gone(struct http_request *request);
/* A header of the request; NULL: not sent. */
const char *http_request_header(const struct http_request *request, const char *name);
/* A header of the answer to come. */
void http_request_set(struct http_request *request, const char *name, const char *value);
/* A text of the query; NULL: not given, or given several times. */
const char *http_request_query(const struct http_request *request, const char *name);
/* "/healthz" and the like: a request that changes nothing. */
bool http_request_is_safe(const struct http_request *request);

/*
 * Calls a method of the daemon as the request's identity. params lives in the
 * request's arena, and may be changed by the call: nobody else reads it any more.
 * answered is called once, perhaps before this returns.
 */
void http_request_call(struct http_request *request, const char *method,
    const struct value *params,
    void (*answered)(
	struct http_request *, const struct schedd_error *, const struct value *));

/* The same with an answer to the request's sink, which knows it by msgid. False and *err: no memory. */
bool http_request_begin(struct http_request *request, uint32_t msgid, const char *method,
    const struct value *params, struct schedd_error *err);

/* ---- Ending it ---- */

/* type NULL: no body, whatever bytes says. */
void http_request_reply(struct http_request *request, int status, const char *type,
    const char *bytes, size_t length);
/* Hands the memory of body over. */
void http_request_reply_buf(
    struct http_request *request, int status, const char *type, struct strbuf *body);
/* value as JSON, as it is. */
void http_request_json(struct http_request *request, int status, const struct value *value);
/* The same with times as RFC 3339 texts, as resources show them. */
void http_request_resource(struct http_request *request, int status, const struct value *value);

/* ---- Answers that go on ---- */

void http_request_stream(struct http_request *request, const char *type);
/* To be called now and then: tells who could not take more that it can, and beats. */
void http_request_tend(struct http_request *request, bool beat);
/* Waits so much for the client that more of a long answer is made when sent is called? */
bool http_request_is_ahead(const struct http_request *request);
/* A chunk, however much waits for the client. False: no memory. */
bool http_request_add(struct http_request *request, const char *bytes, size_t length);
/* False: so much waits for the client that nothing more may be added. */
bool http_request_chunk(struct http_request *request, const char *bytes, size_t length);
void http_request_stream_end(struct http_request *request);

#endif
