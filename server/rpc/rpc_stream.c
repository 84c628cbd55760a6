/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/util.h>
#include "base/json_exact.h"
#include "model/node.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_state.h"

/* A node answers a request for more within 20 s, if it lives. */
#define STREAM_LIMIT (45 * SCHEDD_SECOND)

struct rpc_stream {
	struct rpc_stream *next;
	struct rpc *rpc;
	struct schedd_scheduler *scheduler;
	const struct rpc_stream_ops *ops;
	void *context;
	char node[NODE_NAME_MAX + 1];
	char name[RPC_STREAM_NAME];
	bool opening; /* within rpc_stream_open() */
	bool opened;
	bool quick;   /* it was not idle yet */
	bool asking;  /* an answer is to come */
	bool within;  /* callbacks are being called */
	bool closed;  /* by who opened it */
	bool broken;
	struct arena arena; /* of the notes */
	struct value notes; /* [[method, params]…] */
	uint32_t at;        /* the next of them */
};

static void stream_go(struct rpc_stream *stream);

static void stream_free(struct rpc_stream *stream)
{
	struct rpc_stream **at = rpc_streams(stream->rpc);

	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	arena_clear(&stream->arena);
	free(stream);
}

static void stream_ask(struct rpc_stream *stream, const char *what, scheduler_reply_fn call)
{
	const struct scheduler_reply reply = {.call = call, .context = stream};
	struct value request = value_map();
	struct arena arena;

	arena_init(&arena);
	value_put(&arena, &request, what, value_string_ref(stream->name));
	if (stream->quick)
		value_put(&arena, &request, "quick", value_bool(true));
	stream->asking = call != NULL;
	scheduler_ask_node(stream->scheduler, stream->node, &request, STREAM_LIMIT, reply);
	arena_clear(&arena);
}

/* The end of a callback: what was closed meanwhile goes now. False: it is gone. */
static bool stream_left(struct rpc_stream *stream)
{
	stream->within = false;
	if (!stream->closed || stream->asking)
		return !stream->closed;
	if (stream->opened && !stream->broken)
		stream_ask(stream, "close", NULL);
	stream_free(stream);
	return false;
}

static void stream_broke(struct rpc_stream *stream, const struct schedd_error *err)
{
	stream->broken = true;
	stream->within = true;
	if (!stream->closed)
		stream->ops->broken(err, stream->context);
	(void)stream_left(stream);
}

static void stream_came(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_stream *stream = context;
	const char *text = rc ? NULL : value_get_string(result, "notes");
	bool idle = !rc && value_get_bool(result, "idle", false);
	struct schedd_error broken;

	stream->asking = false;
	if (rc) {
		stream_broke(stream, err);
		return;
	}
	if (!text || json_exact_parse(text, strlen(text), &stream->arena, &stream->notes, NULL)) {
		schedd_error_set(&broken, SCHEDD_EFAILED, "node %s answers nonsense", stream->node);
		stream_broke(stream, &broken);
		return;
	}
	stream->within = true;
	if (idle) {
		stream->quick = false;
		if (!stream->closed)
			stream->ops->idle(stream->context);
	}
	if (stream_left(stream))
		stream_go(stream);
}

/* Hands over what has come, then asks for more. */
static void stream_go(struct rpc_stream *stream)
{
	const struct value *notes = &stream->notes;
	bool taken = true;

	stream->within = true;
	while (taken && !stream->closed && notes->type == VALUE_ARRAY && stream->at < notes->array.count) {
		const struct value *note = &notes->array.items[stream->at];

		if (note->type == VALUE_ARRAY && note->array.count == 2 &&
		    note->array.items[0].type == VALUE_STRING)
			taken = stream->ops->note(
			    note->array.items[0].string.text, &note->array.items[1], stream->context);
		stream->at += taken;
	}
	if (!stream_left(stream) || !taken)
		return;
	arena_clear(&stream->arena);
	arena_init(&stream->arena);
	stream->notes = value_nil();
	stream->at = 0;
	stream_ask(stream, "more", stream_came);
}

static void stream_opened(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_stream *stream = context;

	stream->asking = false;
	if (stream->opening) {
		stream->broken = true; /* at once: who opens it is told so */
		return;
	}
	if (rc) {
		stream_broke(stream, err);
		return;
	}
	stream->opened = true;
	stream->within = true;
	if (!stream->closed)
		stream->ops->opened(result, stream->context);
	if (stream_left(stream))
		stream_go(stream);
}

struct rpc_stream *rpc_stream_open(struct rpc_call *call, const char *node, const struct value *request,
    const struct rpc_stream_ops *ops, void *context)
{
	struct rpc_stream *stream = calloc(1, sizeof(*stream));
	const struct scheduler_reply reply = {.call = stream_opened, .context = stream};
	unsigned long long serial;
	struct arena arena;
	struct value named;

	if (!stream)
		return NULL;
	stream->rpc = connection_rpc(call->connection);
	stream->scheduler = call->scheduler;
	stream->ops = ops;
	stream->context = context;
	stream->notes = value_nil();
	stream->quick = true;
	arena_init(&stream->arena);
	snprintf(stream->node, sizeof(stream->node), "%s", node);
	evutil_secure_rng_get_bytes(&serial, sizeof(serial));
	snprintf(stream->name, sizeof(stream->name), "%016llx", serial);
	stream->next = *rpc_streams(stream->rpc);
	*rpc_streams(stream->rpc) = stream;
	arena_init(&arena);
	named = value_copy(&arena, request);
	value_put(&arena, &named, "stream", value_string_ref(stream->name));
	stream->asking = true;
	stream->opening = true;
	scheduler_ask_node(call->scheduler, node, &named, STREAM_LIMIT, reply);
	stream->opening = false;
	arena_clear(&arena);
	if (!stream->broken)
		return stream;
	stream_free(stream);
	return NULL;
}

void rpc_stream_resume(struct rpc_stream *stream)
{
	if (!stream->within && !stream->asking && !stream->closed && !stream->broken)
		stream_go(stream);
}

void rpc_stream_close(struct rpc_stream *stream)
{
	if (!stream || stream->closed)
		return;
	stream->closed = true;
	if (!stream->within)
		(void)stream_left(stream);
}

void rpc_stream_end(struct rpc_stream **all)
{
	while (*all) {
		struct rpc_stream *stream = *all;

		*all = stream->next;
		arena_clear(&stream->arena);
		free(stream);
	}
}
