/* SPDX-License-Identifier: MIT */
/*
 * The protocol itself over HTTP: requests of it as the body, what comes of them
 * as the answer, message for message, for as long as messages can come. Nothing
 * is lost on the way through JSON, and whoever speaks the protocol on a socket
 * can do so here; schedctl --url does.
 */
#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>
#include "base/frame.h"
#include "base/message.h"
#include "server/http/http_handlers.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"
#include "server/http/http_trace.h"

#define PACKED_ELEMENTS (1 << 20) /* of all containers of a message */
#define PACKED_REQUESTS 256       /* of a body */
#define PACKED_HELLO UINT32_MAX   /* msgid of our own */

/* In the request's arena. */
struct http_packed {
	struct message *messages; /* requests */
	uint32_t count;
	uint32_t open;   /* calls that are not answered */
	uint32_t follows; /* outputs whose end is to come */
	bool lasting;    /* notifications come until the client leaves */
	bool narrowing;  /* its own call comes first */
};

/* Only what waits for something later keeps the answer open. */
static bool packed_lasts(const char *method)
{
	return strcmp(method, "event.subscribe") == 0 || strcmp(method, "server.shutdown") == 0;
}

/* Did all come that can? It is over then. */
static void packed_settle(struct http_request *request)
{
	const struct http_packed *packed = request->state;

	if (!packed->open && !packed->follows && !packed->lasting)
		http_request_stream_end(request);
}

static void packed_send(struct http_request *request, struct strbuf *message)
{
	if (!strbuf_failed(message))
		http_request_add(request, message->data, message->length);
	strbuf_clear(message);
}

/* ---- What comes ---- */

static void packed_begin(struct http_request *request);

static void packed_answer(uint32_t msgid, const struct value *result, void *context)
{
	struct http_request *request = context;
	struct http_packed *packed = request->state;
	struct strbuf message = STRBUF_EMPTY;

	if (packed->narrowing) {
		packed->narrowing = false;
		packed_begin(request);
		return;
	}
	message_pack_response(&message, msgid, result);
	packed->follows += result->type == VALUE_MAP && value_get_int(result, "follow", 0) > 0;
	packed->open--;
	packed_send(request, &message);
	packed_settle(request);
}

static void packed_list(uint32_t msgid, const char *key, const struct strbuf *items,
    uint32_t count, const struct value *rest, void *context)
{
	struct http_request *request = context;
	struct http_packed *packed = request->state;
	struct strbuf message = STRBUF_EMPTY;

	message_pack_list(&message, msgid, key, items, count, rest);
	packed->open--;
	packed_send(request, &message);
	packed_settle(request);
}

static void packed_fail(uint32_t msgid, const struct schedd_error *err, void *context)
{
	struct http_request *request = context;
	struct http_packed *packed = request->state;
	struct strbuf message = STRBUF_EMPTY;

	if (packed->narrowing) {
		/* None of them is to be done for all accounts. */
		for (uint32_t i = 0; i < packed->count; i++)
			message_pack_error(&message, packed->messages[i].msgid, err);
		packed->open = 0;
		packed->lasting = false;
	} else {
		message_pack_error(&message, msgid, err);
		packed->open--;
		for (uint32_t i = 0; i < packed->count; i++)
			if (packed->messages[i].msgid == msgid &&
			    packed_lasts(packed->messages[i].method))
				packed->lasting = false;
	}
	packed_send(request, &message);
	packed_settle(request);
}

static bool packed_notify(const char *method, const struct value *params, void *context)
{
	struct http_request *request = context;
	struct http_packed *packed = request->state;
	struct strbuf message = STRBUF_EMPTY;
	bool sent;

	message_pack_notification(&message, method, params);
	sent = !strbuf_failed(&message) &&
	       http_request_chunk(request, message.data, message.length);
	strbuf_clear(&message);
	if (sent && packed->follows && strcmp(method, "run.end") == 0) {
		packed->follows--;
		packed_settle(request);
	}
	return sent;
}

static const struct connection_sink packed_sink = {
    .answer = packed_answer,
    .answer_list = packed_list,
    .fail = packed_fail,
    .notify = packed_notify,
};

/* ---- Calls ---- */

static void packed_call(
    struct http_request *request, uint32_t msgid, const char *method, const struct value *params)
{
	struct schedd_error err;

	if (!http_request_begin(request, msgid, method, params, &err))
		packed_fail(msgid, &err, request);
}

/* In order. One that is answered at once may not be the end of all. */
static void packed_begin(struct http_request *request)
{
	struct http_packed *packed = request->state;

	packed->open++;
	for (uint32_t i = 0; i < packed->count; i++) {
		struct message *message = &packed->messages[i];

		if (message->params.type == VALUE_NIL)
			message->params = value_map();
		if (message->params.type == VALUE_MAP && strcmp(message->method, "job.run") == 0)
			http_trace_put(request, &request->arena, &message->params);
		packed_call(request, message->msgid, message->method, &message->params);
	}
	packed->open--;
	packed_settle(request);
}

/* ---- The body ---- */

/* The message at bytes; *length: of the body from there, then of the message. */
static int packed_message(struct http_request *request, const char *bytes, size_t *length,
    struct message *out, struct schedd_error *err)
{
	const struct frame_limits limits = {
	    .bytes = *length, .depth = FRAME_DEPTH_MAX, .elements = PACKED_ELEMENTS};
	struct frame_scan scan = {0};
	int rc = frame_scan(&scan, bytes, *length, &limits, err);

	if (rc == 0)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "it ends within a message");
	if (rc < 0)
		return rc;
	*length = scan.offset;
	rc = message_unpack(bytes, scan.offset, &request->arena, out, err);
	if (!rc && out->type != MESSAGE_REQUEST)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "a message is no request");
	return rc;
}

static int packed_read(
    struct http_request *request, struct http_packed *packed, struct schedd_error *err)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
	const char *bytes = (const char *)evbuffer_pullup(input, -1);
	size_t left = evbuffer_get_length(input), length;
	int rc = 0;

	if (!left)
		return schedd_error_set(err, SCHEDD_EINVAL, "it is empty: send requests");
	while (!rc && left) {
		if (packed->count == PACKED_REQUESTS)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "at most %d requests may be in one", PACKED_REQUESTS);
		length = left;
		rc = packed_message(request, bytes, &length, &packed->messages[packed->count], err);
		if (rc)
			break;
		packed->lasting |= packed_lasts(packed->messages[packed->count++].method);
		bytes += length;
		left -= length;
	}
	return rc;
}

void http_packed_call(struct http_request *request)
{
	struct http_packed *packed = arena_alloc(&request->arena, sizeof(*packed));
	const char *account = http_request_header(request, "X-Schedd-Account");
	struct value params = value_map();
	struct schedd_error err;

	if (packed)
		packed->messages = arena_alloc(
		    &request->arena, PACKED_REQUESTS * sizeof(*packed->messages));
	if (!packed || !packed->messages) {
		http_problem(request, 503, "failed", "out of memory");
		return;
	}
	if (packed_read(request, packed, &err)) {
		schedd_error_prefix(&err, "the body is no MessagePack-RPC");
		http_problem_as(request, 400, &err);
		return;
	}
	packed->open = packed->count;
	request->state = packed;
	request->sink = &packed_sink;
	request->beat = "\xc0"; /* nil is no message */
	http_request_stream(request, "application/msgpack");
	if (!account) {
		packed_begin(request);
		return;
	}
	packed->narrowing = true;
	value_put(&request->arena, &params, "account", value_string_ref(account));
	packed_call(request, PACKED_HELLO, "server.hello", &params);
}
