/* SPDX-License-Identifier: MIT */
/*
 * A bare evhttp server: each request is answered by the same bytes. What the
 * daemon's HTTP side is measured against.
 *   bench_http PORT FILE      FILE has the body
 */
#include <stdio.h>
#include <stdlib.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#define BODY_MAX 65536

struct bare {
	char body[BODY_MAX];
	size_t length;
};

static void bare_answer(struct evhttp_request *request, void *context)
{
	const struct bare *bare = context;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(headers, "Content-Type", "application/json");
	evbuffer_add(body, bare->body, bare->length);
	evhttp_send_reply(request, 200, "OK", body);
	evbuffer_free(body);
}

int main(int argc, char **argv)
{
	static struct bare bare;
	struct event_base *base = event_base_new();
	struct evhttp *http = base ? evhttp_new(base) : NULL;
	FILE *file = argc == 3 ? fopen(argv[2], "re") : NULL;

	if (!http || !file) {
		fputs("usage: bench_http PORT FILE\n", stderr);
		return 2;
	}
	bare.length = fread(bare.body, 1, sizeof(bare.body), file);
	fclose(file);
	evhttp_set_gencb(http, bare_answer, &bare);
	if (evhttp_bind_socket(http, "127.0.0.1", (unsigned short)atoi(argv[1])) != 0) {
		perror("bench_http");
		return 1;
	}
	event_base_dispatch(base);
	return 0;
}
