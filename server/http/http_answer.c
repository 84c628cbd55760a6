/* SPDX-License-Identifier: MIT */
#include "server/http/http_answer.h"

#include <stdlib.h>
#include "base/json.h"
#include "base/message.h"
#include "proto/json_times.h"
#include "server/http/http_problem.h"
#include "server/http/http_request.h"

struct http_answer {
	struct http_aside aside; /* first */
	const struct http_writer *writer;
	struct strbuf packed;
	struct arena arena; /* of the message */
	struct message message;
	struct strbuf text;
	int rc;
	struct schedd_error err;
};

static void answer_run(struct http_aside *aside)
{
	struct http_answer *answer = (struct http_answer *)aside;

	answer->rc = message_unpack(answer->packed.data, answer->packed.length, &answer->arena,
	    &answer->message, &answer->err);
	strbuf_clear(&answer->packed);
	if (answer->rc)
		return;
	answer->writer->write(&answer->text, &answer->message.result);
	if (strbuf_failed(&answer->text))
		answer->rc = schedd_error_nomem(&answer->err);
}

static void answer_done(struct http_aside *aside)
{
	struct http_answer *answer = (struct http_answer *)aside;
	struct http_request *request = aside->request;

	if (!request->identity)
		http_problem(request, 401, "permission_denied", "the credentials were changed");
	else if (aside->failed)
		http_problem(request, 503, "failed", "no thread can be had for an answer this long");
	else if (answer->rc)
		http_problem_error(request, &answer->err);
	else
		answer->writer->written(request, &answer->text, &answer->message.result);
}

static void answer_drop(struct http_aside *aside)
{
	struct http_answer *answer = (struct http_answer *)aside;

	strbuf_clear(&answer->packed);
	strbuf_clear(&answer->text);
	arena_clear(&answer->arena);
	free(answer);
}

void http_answer_write(struct http_request *request, struct strbuf *packed)
{
	static const struct http_aside_ops ops = {answer_run, answer_done, answer_drop};
	struct http_answer *answer = calloc(1, sizeof(*answer));

	if (!answer || strbuf_failed(packed)) {
		free(answer);
		strbuf_clear(packed);
		http_problem_memory(request);
		return;
	}
	answer->writer = request->writer;
	answer->packed = *packed;
	*packed = STRBUF_EMPTY;
	http_aside_begin(request, &answer->aside, &ops);
}

/* ---- JSON ---- */

static void answer_send(
    struct http_request *request, struct strbuf *text, const struct value *result)
{
	(void)result;
	http_request_reply_buf(request, 200, "application/json", text);
}

const struct http_writer http_answer_json = {http_answer_write, json_write, answer_send};
const struct http_writer http_answer_resource = {
    http_answer_write, json_times_write, answer_send};
