/* SPDX-License-Identifier: MIT */
/*
 * evhttp owns its request from the moment it is replied to; until then it goes
 * with its connection, whose end http_peer.c tells. A request that was called
 * for is answered by the sink, or freed by the end, never both.
 */
#include "server/http/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>
#include <event2/http_struct.h>
#include "base/json.h"
#include "base/message.h"
#include "proto/json_times.h"
#include "server/http/http_answer.h"
#include "server/http/http_status.h"

#define HTTP_BODY_USUAL 2048        /* bytes of a job */
#define HTTP_ROWS_LONG 256          /* of an answer that is a list of them */
#define HTTP_AHEAD_MAX (1 << 20)  /* bytes that wait before more is made of an answer */
#define HTTP_STREAM_MAX (8 << 20) /* bytes that may wait for a slow follower */

/* ---- Life ---- */

static void http_request_free(struct http_request *request)
{
	if (request->streaming)
		request->web->counters.streams--;
	if (request->release)
		request->release(request);
	if (request->aside)
		http_aside_leave(request->aside);
	arena_kept_free(request->memory);
	free(request);
}

/* evhttp's half has been sent off, or went with its connection. */
static void http_request_over(struct http_request *request)
{
	http_peer_answered(request->peer);
	request->peer->narrowed |= request->narrows;
	http_request_free(request);
}

struct http_request *http_request_new(struct http_peer *peer, struct evhttp_request *evhttp)
{
	struct http_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->memory = arena_kept_new();
	if (!request->memory) {
		free(request);
		return NULL;
	}
	request->arena = &request->memory->arena;
	request->web = peer->web;
	request->peer = peer;
	request->evhttp = evhttp;
	peer->request = request;
	return request;
}

void http_request_gone(struct http_request *request)
{
	request->peer->request = NULL;
	/* evhttp leaves one whose connection failed under it to its handler. */
	if (!evhttp_request_get_connection(request->evhttp))
		evhttp_request_free(request->evhttp);
	http_request_free(request);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->evhttp), name);
}

void http_request_set(struct http_request *request, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request->evhttp);

	evhttp_remove_header(headers, name);
	evhttp_add_header(headers, name, value);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
	return value_get_string(&request->query, name);
}

bool http_request_is_safe(const struct http_request *request)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(request->evhttp);

	return method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD ||
	       method == EVHTTP_REQ_OPTIONS;
}

/* ---- Answers ---- */

static bool http_request_is_head(const struct http_request *request)
{
	return evhttp_request_get_command(request->evhttp) == EVHTTP_REQ_HEAD;
}

static void http_request_common(struct http_request *request, const char *type)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request->evhttp);

	if (type)
		evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (!evhttp_find_header(headers, "Cache-Control"))
		evhttp_add_header(headers, "Cache-Control", "no-store");
}

/* evhttp leaves the length of what HEAD does not send to us. */
static void http_request_length(struct http_request *request, size_t length)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", length);
	http_request_set(request, "Content-Length", text);
}

static void http_request_send(
    struct http_request *request, int status, const char *type, struct evbuffer *body)
{
	struct evhttp_request *evhttp = request->evhttp;

	http_request_common(request, type);
	if (type && http_request_is_head(request)) {
		http_request_length(request, evbuffer_get_length(body));
		evbuffer_drain(body, evbuffer_get_length(body));
	}
	if (request->peer->refused)
		http_request_set(request, "Connection", "close");
	http_request_over(request);
	evhttp_send_reply(evhttp, status, http_status_title(status), body);
}

static void http_request_free_bytes(const void *bytes, size_t length, void *context)
{
	(void)length;
	(void)context;
	free((void *)(uintptr_t)bytes);
}

void http_request_reply_buf(
    struct http_request *request, int status, const char *type, struct strbuf *body)
{
	struct evbuffer *buffer = evbuffer_new();
	size_t length = body->length;
	char *bytes = strbuf_take(body);

	if (!bytes || !buffer ||
	    evbuffer_add_reference(buffer, bytes, length, http_request_free_bytes, NULL) < 0) {
		free(bytes);
		/* What was done stays done, and is said to be. */
		if (status >= 300 || http_request_is_safe(request))
			status = 503;
		type = NULL;
	}
	http_request_send(request, status, type, buffer);
	if (buffer)
		evbuffer_free(buffer);
}

void http_request_reply(struct http_request *request, int status, const char *type,
    const char *bytes, size_t length)
{
	struct evbuffer *buffer = evbuffer_new();

	if (buffer && type)
		evbuffer_add(buffer, bytes, length);
	http_request_send(request, buffer ? status : 503, type, buffer);
	if (buffer)
		evbuffer_free(buffer);
}

void http_request_json(struct http_request *request, int status, const struct value *value)
{
	struct strbuf body = STRBUF_EMPTY;

	strbuf_reserve(&body, HTTP_BODY_USUAL);
	json_write(&body, value);
	http_request_reply_buf(request, status, "application/json", &body);
}

void http_request_resource(struct http_request *request, int status, const struct value *value)
{
	struct strbuf body = STRBUF_EMPTY;

	strbuf_reserve(&body, HTTP_BODY_USUAL);
	json_times_write(&body, value);
	http_request_reply_buf(request, status, "application/json", &body);
}

/* ---- Answers that go on ---- */

void http_request_stream(struct http_request *request, const char *type)
{
	struct evhttp_request *evhttp = request->evhttp;

	http_request_common(request, type);
	if (http_request_is_head(request)) {
		http_request_over(request);
		evhttp_send_reply(evhttp, 200, "OK", NULL);
		return;
	}
	request->streaming = true;
	request->web->counters.streams++;
	http_peer_be_patient(request->peer);
	evhttp_send_reply_start(evhttp, 200, "OK");
}

bool http_request_chunk(struct http_request *request, const char *bytes, size_t length)
{
	return http_peer_unsent(request->peer) <= HTTP_STREAM_MAX &&
	       http_request_add(request, bytes, length);
}

static void http_request_sent(struct evhttp_connection *evcon, void *context)
{
	struct http_peer *peer = context;
	struct http_request *request = peer->request;

	(void)evcon;
	if (request && request->streaming && request->sent && http_peer_unsent(peer) == 0)
		request->sent(request);
}

bool http_request_add(struct http_request *request, const char *bytes, size_t length)
{
	struct evbuffer *buffer = evbuffer_new();

	if (!buffer || evbuffer_add(buffer, bytes, length) < 0) {
		if (buffer)
			evbuffer_free(buffer);
		return false;
	}
	evhttp_send_reply_chunk_with_cb(request->evhttp, buffer, http_request_sent, request->peer);
	evbuffer_free(buffer);
	return true;
}

bool http_request_is_ahead(const struct http_request *request)
{
	return http_peer_unsent(request->peer) > HTTP_AHEAD_MAX;
}

void http_request_tend(struct http_request *request, bool beat)
{
	struct http_peer *peer = request->peer;

	if (!peer->patient)
		http_peer_be_patient(peer);
	if (!request->streaming || http_peer_unsent(peer) > 0)
		return;
	if (peer->connection && !request->web->host->drained(peer->connection)) {
		http_request_stream_end(request);
		return;
	}
	/* What could be told now may have been the end of it. */
	if (peer->request != request)
		return;
	if (beat && request->beat)
		http_request_chunk(request, request->beat, strlen(request->beat));
	if (request->sent)
		request->sent(request);
}

void http_request_stream_end(struct http_request *request)
{
	struct evhttp_request *evhttp = request->evhttp;
	struct http_peer *peer = request->peer;

	http_request_over(request);
	http_peer_end_stream(peer, evhttp);
}

/* ---- Calls ---- */

static void http_sink_answered(
    struct http_peer *peer, const struct schedd_error *err, const struct value *result)
{
	struct http_request *request = peer->request;
	void (*answered)(
	    struct http_request *, const struct schedd_error *, const struct value *) =
	    request ? request->answered : NULL;

	if (!answered)
		return;
	request->answered = NULL;
	answered(request, err, result);
}

/* Who takes all that comes; NULL: nobody does. */
static const struct connection_sink *http_sink_own(void *context)
{
	const struct http_request *request = ((struct http_peer *)context)->request;

	return request ? request->sink : NULL;
}

/* True: it is written beside the loop. packed: the answer, taken over then. */
static bool http_sink_writes(struct http_peer *peer, struct strbuf *packed)
{
	struct http_request *request = peer->request;

	if (!request || !request->answered || !request->writer || strbuf_failed(packed))
		return false;
	request->answered = NULL;
	request->writer->begin(request, packed);
	return true;
}

static void http_sink_answer(uint32_t msgid, const struct value *result, void *context)
{
	struct http_peer *peer = context;
	struct strbuf packed = STRBUF_EMPTY;

	if (http_sink_own(peer)) {
		http_sink_own(peer)->answer(msgid, result, peer->request);
		return;
	}
	if (result->type == VALUE_ARRAY && result->array.count > HTTP_ROWS_LONG)
		message_pack_response(&packed, 0, result);
	if (!packed.length || !http_sink_writes(peer, &packed))
		http_sink_answered(peer, NULL, result);
	strbuf_clear(&packed);
}

static void http_sink_fail(uint32_t msgid, const struct schedd_error *err, void *context)
{
	struct http_peer *peer = context;

	if (http_sink_own(peer))
		http_sink_own(peer)->fail(msgid, err, peer->request);
	else
		http_sink_answered(peer, err, NULL);
}

/* Long lists come packed; they are taken apart for JSON. */
static void http_sink_list(uint32_t msgid, const char *key, const struct strbuf *items,
    uint32_t count, const struct value *rest, void *context)
{
	struct http_peer *peer = context;
	struct strbuf packed = STRBUF_EMPTY;
	struct schedd_error err;
	struct message message;
	struct arena arena;

	if (http_sink_own(peer)) {
		http_sink_own(peer)->answer_list(msgid, key, items, count, rest, peer->request);
		return;
	}
	arena_init(&arena);
	message_pack_list(&packed, 0, key, items, count, rest);
	if (packed.length > HTTP_ASIDE_BYTES && http_sink_writes(peer, &packed))
		return;
	if (strbuf_failed(&packed)) {
		schedd_error_nomem(&err);
		http_sink_answered(peer, &err, NULL);
	} else if (message_unpack(packed.data, packed.length, &arena, &message, &err)) {
		http_sink_answered(peer, &err, NULL);
	} else {
		http_sink_answered(peer, NULL, &message.result);
	}
	strbuf_clear(&packed);
	arena_clear(&arena);
}

static bool http_sink_notify(const char *method, const struct value *params, void *context)
{
	struct http_peer *peer = context;

	if (http_sink_own(peer))
		return http_sink_own(peer)->notify(method, params, peer->request);
	return !peer->request || !peer->request->notified ||
	       peer->request->notified(peer->request, method, params);
}

static const struct connection_sink http_request_sink = {
    .answer = http_sink_answer,
    .answer_list = http_sink_list,
    .fail = http_sink_fail,
    .notify = http_sink_notify,
};

bool http_request_begin(struct http_request *request, uint32_t msgid, const char *method,
    const struct value *params, struct schedd_error *err)
{
	const struct web_host *host = request->web->host;
	struct connection *connection =
	    http_peer_connection(request->peer, request->identity, &http_request_sink, err);
	struct arena arena;

	if (!connection)
		return false;
	/* What was read of it may lack something: a job without its id would be another one. */
	if (arena_failed(request->arena)) {
		schedd_error_nomem(err);
		return false;
	}
	request->narrows |= strcmp(method, "server.hello") == 0 && value_get(params, "account");
	arena_init(&arena);
	arena_lend(&arena, request->memory);
	host->call(connection, msgid, method, &arena, params, request->body_bytes);
	return true;
}

void http_request_call(struct http_request *request, const char *method,
    const struct value *params,
    void (*answered)(
	struct http_request *, const struct schedd_error *, const struct value *))
{
	struct schedd_error err;

	request->answered = answered;
	if (http_request_begin(request, 0, method, params, &err))
		return; /* it may be over, and gone */
	request->answered = NULL;
	answered(request, &err, NULL);
}
