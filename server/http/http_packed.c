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
	uint32_t next;   /* the first that was not called */
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
		packed->next = packed->count;
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

/* As many as a client of the socket could have under way: the others wait until what was answered is sent. */
static void packed_more(struct http_request *request)
{
	struct http_packed *packed = request->state;

	if (packed->narrowing || packed->next == packed->count)
		return;
	/* One that is answered at once may not be the end of all. */
	packed->open++;
	while (packed->next < packed->count && !http_request_is_ahead(request) &&
	       !(request->peer->connection && request->web->host->full(request->peer->connection))) {
		struct message *message = &packed->messages[packed->next++];

		if (message->params.type == VALUE_NIL)
			message->params = value_map();
		if (message->params.type == VALUE_MAP && strcmp(message->method, "job.run") == 0)
			http_trace_put(request, request->arena, &message->params);
		packed_call(request, message->msgid, message->method, &message->params);
	}
	packed->open--;
	packed_settle(request);
}

static void packed_begin(struct http_request *request)
{
	request->sent = packed_more;
	packed_more(request);
}

/* ---- The body ---- */

/* Its requests; a large one is taken apart beside the loop. */
struct packed_body {
	struct http_aside aside; /* first */
	char *bytes;
	size_t length;
	struct arena arena; /* of all that follows */
	struct message *messages;
	uint32_t count;
	int rc;
	struct schedd_error err;
};

/* The message at bytes; *length: of the body from there, then of the message. elements: of those before it. */
static int packed_message(struct arena *arena, const char *bytes, size_t *length,
    uint64_t *elements, struct message *out, struct schedd_error *err)
{
	const struct frame_limits limits = {
	    .bytes = *length, .depth = FRAME_DEPTH_MAX, .elements = PACKED_ELEMENTS};
	struct frame_scan scan = {.elements = *elements};
	int rc = frame_scan(&scan, bytes, *length, &limits, err);

	if (rc == 0)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "it ends within a message");
	if (rc < 0)
		return rc;
	*length = scan.offset;
	*elements = scan.elements;
	rc = message_unpack(bytes, scan.offset, arena, out, err);
	if (!rc && out->type != MESSAGE_REQUEST)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "a message is no request");
	return rc;
}

static int packed_read(struct packed_body *body, struct schedd_error *err)
{
	const char *bytes = body->bytes;
	size_t left = body->length, length;
	uint64_t elements = 0;
	int rc = 0;

	if (!left)
		return schedd_error_set(err, SCHEDD_EINVAL, "it is empty: send requests");
	body->messages = arena_alloc(&body->arena, PACKED_REQUESTS * sizeof(*body->messages));
	if (!body->messages)
		return schedd_error_nomem(err);
	while (!rc && left) {
		if (body->count == PACKED_REQUESTS)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "at most %d requests may be in one", PACKED_REQUESTS);
		length = left;
		rc = packed_message(&body->arena, bytes, &length, &elements,
		    &body->messages[body->count], err);
		body->count += rc == 0;
		bytes += length;
		left -= length;
	}
	return rc;
}

static void packed_run(struct http_aside *aside)
{
	struct packed_body *body = (struct packed_body *)aside;

	body->rc = packed_read(body, &body->err);
}

static void packed_drop(struct http_aside *aside)
{
	struct packed_body *body = (struct packed_body *)aside;

	arena_clear(&body->arena);
	free(body->bytes);
	free(body);
}

/* They are called, and the answer begins. */
static void packed_take(struct http_request *request, struct packed_body *body)
{
	struct http_packed *packed = arena_alloc(request->arena, sizeof(*packed));
	const char *account = http_request_header(request, "X-Schedd-Account");
	struct value params = value_map();

	if (!packed) {
		http_problem_memory(request);
		return;
	}
	arena_join(request->arena, &body->arena);
	packed->messages = body->messages;
	packed->count = packed->open = body->count;
	for (uint32_t i = 0; i < packed->count; i++)
		packed->lasting |= packed_lasts(packed->messages[i].method);
	request->state = packed;
	request->sink = &packed_sink;
	request->beat = "\xc0"; /* nil is no message */
	http_request_stream(request, "application/msgpack");
	if (!account) {
		packed_begin(request);
		return;
	}
	packed->narrowing = true;
	value_put(request->arena, &params, "account", value_string(request->arena, account));
	packed_call(request, PACKED_HELLO, "server.hello", &params);
}

static void packed_done(struct http_aside *aside)
{
	struct packed_body *body = (struct packed_body *)aside;
	struct http_request *request = aside->request;

	if (!request->identity) {
		http_problem(request, 401, "permission_denied", "the credentials were changed");
	} else if (aside->failed) {
		http_problem(request, 503, "failed", "no thread can be had for a body this large");
	} else if (body->rc) {
		schedd_error_prefix(&body->err, "the body is no MessagePack-RPC");
		http_problem_as(request, body->err.code == SCHEDD_ENOMEM ? 503 : 400, &body->err);
	} else {
		packed_take(request, body);
	}
}

void http_packed_call(struct http_request *request)
{
	static const struct http_aside_ops ops = {packed_run, packed_done, packed_drop};
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
	struct packed_body *body = calloc(1, sizeof(*body));

	if (body) {
		body->length = evbuffer_get_length(input);
		body->bytes = malloc(body->length + 1);
	}
	if (!body || !body->bytes) {
		free(body);
		http_problem_memory(request);
		return;
	}
	evbuffer_remove(input, body->bytes, body->length);
	if (body->length > HTTP_ASIDE_BYTES) {
		http_aside_begin(request, &body->aside, &ops);
		return;
	}
	body->aside.request = request;
	packed_run(&body->aside);
	packed_done(&body->aside);
	packed_drop(&body->aside);
}
