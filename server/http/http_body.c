/* SPDX-License-Identifier: MIT */
/*
 * Three megabytes of numbers take a third of a second to be read, in which nobody
 * else would be answered. Who asks may have lost the right to meanwhile.
 */
#include "server/http/http_body.h"

#include <stdlib.h>
#include <event2/buffer.h>
#include "base/json.h"
#include "base/message.h"
#include "server/http/http_problem.h"
#include "server/http/http_request.h"

#define BODY_ELEMENTS_MAX ((size_t)1 << 20) /* keys and values; each costs memory */

struct http_body {
	struct http_aside aside; /* first */
	void (*next)(struct http_request *request);
	char *text;
	size_t bytes;
	struct arena arena;
	struct value value;
	int rc;
	struct schedd_error err;
};

/* Members are looked for by their names, one by one: no map is larger than one of the socket. */
static int body_check_maps(const struct value *value, struct schedd_error *err)
{
	int rc = 0;

	if (value->type == VALUE_MAP && value->map.count > MESSAGE_MAP_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the body has an object of %u members, at most %d are taken",
		    value->map.count, MESSAGE_MAP_MAX);
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count && !rc; i++)
		rc = body_check_maps(&value->array.items[i], err);
	for (uint32_t i = 0; value->type == VALUE_MAP && i < value->map.count && !rc; i++)
		rc = body_check_maps(&value->map.members[i].value, err);
	return rc;
}

static int body_parse(const char *text, size_t bytes, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	int rc;

	if (json_elements(text, bytes) > BODY_ELEMENTS_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "the body has more than %zu elements", BODY_ELEMENTS_MAX);
	rc = json_parse(text, bytes, arena, out, err);
	if (rc)
		schedd_error_prefix(err, "the body is no JSON");
	return rc ? rc : body_check_maps(out, err);
}

static void body_refuse(struct http_request *request, const struct schedd_error *err)
{
	http_problem_as(request, err->code == SCHEDD_ENOMEM ? 503 : 400, err);
}

/* ---- Beside the loop ---- */

static void body_run(struct http_aside *aside)
{
	struct http_body *body = (struct http_body *)aside;

	body->rc = body_parse(body->text, body->bytes, &body->arena, &body->value, &body->err);
	free(body->text);
	body->text = NULL;
}

static void body_done(struct http_aside *aside)
{
	struct http_body *body = (struct http_body *)aside;
	struct http_request *request = aside->request;

	if (!request->identity) {
		http_problem(request, 401, "permission_denied", "the credentials were changed");
	} else if (aside->failed) {
		http_request_set(request, "Retry-After", "1");
		http_problem(request, 503, "failed", "no thread can be had for a body this large");
	} else if (body->rc) {
		body_refuse(request, &body->err);
	} else {
		arena_join(request->arena, &body->arena);
		request->body = body->value;
		body->next(request);
	}
}

static void body_drop(struct http_aside *aside)
{
	struct http_body *body = (struct http_body *)aside;

	arena_clear(&body->arena);
	free(body->text);
	free(body);
}

static void body_begin(struct http_request *request, struct evbuffer *input, size_t bytes,
    void (*next)(struct http_request *request))
{
	static const struct http_aside_ops ops = {body_run, body_done, body_drop};
	struct http_body *body = calloc(1, sizeof(*body));

	if (body)
		body->text = malloc(bytes);
	if (!body || !body->text) {
		free(body);
		http_problem_memory(request);
		return;
	}
	evbuffer_remove(input, body->text, bytes);
	body->bytes = bytes;
	body->next = next;
	http_aside_begin(request, &body->aside, &ops);
}

/* ---- At once ---- */

void http_body_read(struct http_request *request, void (*next)(struct http_request *request))
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
	size_t bytes = evbuffer_get_length(input);
	struct schedd_error err;
	const char *text;

	if (bytes > HTTP_ASIDE_BYTES) {
		body_begin(request, input, bytes, next);
		return;
	}
	text = bytes ? (const char *)evbuffer_pullup(input, -1) : NULL;
	if (!bytes)
		next(request);
	else if (!text)
		http_problem_memory(request);
	else if (body_parse(text, bytes, request->arena, &request->body, &err))
		body_refuse(request, &err);
	else
		next(request);
}
