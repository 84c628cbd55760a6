/* SPDX-License-Identifier: MIT */
/* Long answers become text beside the loop: ten thousand jobs are ten megabytes of JSON. */
#ifndef SCHEDD_SERVER_HTTP_HTTP_ANSWER_H
#define SCHEDD_SERVER_HTTP_HTTP_ANSWER_H

#include "base/strbuf.h"
#include "base/value.h"

struct http_request;

struct http_writer {
	void (*begin)(struct http_request *request, struct strbuf *packed);
	/* On a thread: touches nothing else. */
	void (*write)(struct strbuf *out, const struct value *result);
	/* On the loop: takes the text over, and ends the request or calls once more. */
	void (*written)(
	    struct http_request *request, struct strbuf *text, const struct value *result);
};

/* JSON as it is, and with times as resources show them; each ends the request. */
extern const struct http_writer http_answer_json, http_answer_resource;

/*
 * The begin of all writers. packed: the message of an answer; taken over. It is
 * written by the request's writer, who is told; what goes wrong is answered.
 */
void http_answer_write(struct http_request *request, struct strbuf *packed);

#endif
