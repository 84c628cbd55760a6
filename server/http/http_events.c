/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events (HTML Living Standard, 9.2): the id is the event's seq, so
 * a reader that comes back says what it saw last. A comment now and then keeps
 * proxies from taking silence for death.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "proto/json_times.h"
#include "server/http/http_handlers.h"
#include "server/http/http_path.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"

static void http_events_start(struct http_request *request)
{
	static const char hello[] = "retry: 2000\n: events of schedd\n\n";

	http_request_set(request, "X-Accel-Buffering", "no");
	http_request_stream(request, "text/event-stream");
	if (request->streaming)
		http_request_chunk(request, hello, sizeof(hello) - 1);
}

/* Events that happened before come before the answer does. */
static bool http_event_notified(
    struct http_request *request, const char *method, const struct value *params)
{
	struct strbuf text = STRBUF_EMPTY;
	const char *name = value_get_string(params, "event");
	int64_t seq = value_get_int(params, "seq", -1);
	bool sent;

	if (!request->streaming)
		http_events_start(request);
	/* A reader that comes back says where it was among this node's. */
	if (seq >= 0 && !value_get_bool(params, "relayed", false))
		strbuf_printf(&text, "id: %lld\n", (long long)seq);
	strbuf_printf(&text, "event: %s\ndata: ", name ? name : method);
	json_times_write(&text, params);
	strbuf_add(&text, "\n\n");
	sent = !strbuf_failed(&text) && http_request_chunk(request, text.data, text.length);
	strbuf_clear(&text);
	return sent;
}

static void http_events_begun(struct http_request *request, const struct schedd_error *err,
    const struct value *result)
{
	(void)result;
	if (err && request->streaming)
		http_request_stream_end(request);
	else if (err)
		http_problem_error(request, err);
	else if (!request->streaming)
		http_events_start(request);
}

void http_events_follow(struct http_request *request)
{
	const char *last = http_request_header(request, "Last-Event-ID");
	struct value params = value_map();
	char *end;
	long long seq;

	if (evhttp_request_get_command(request->evhttp) == EVHTTP_REQ_HEAD) {
		http_request_stream(request, "text/event-stream");
		return;
	}
	if (!http_path_params(request, &params))
		return;
	if (last && !value_get(&params, "since")) {
		seq = strtoll(last, &end, 10);
		if (*end || end == last || seq < 0) {
			http_problem(request, 400, "invalid_argument",
			    "Last-Event-ID '%.32s' is no seq of an event", last);
			return;
		}
		value_put(request->arena, &params, "since", value_int(seq));
	}
	request->beat = ":\n\n";
	request->notified = http_event_notified;
	http_request_call(request, "event.subscribe", &params, http_events_begun);
}
