/* SPDX-License-Identifier: MIT */
#include "server/http/http_trace.h"

#include "proto/traceparent.h"

void http_trace_put(
    const struct http_request *request, struct arena *arena, struct value *params)
{
	const char *header = http_request_header(request, "traceparent");

	if (header && traceparent_valid(header) && !value_get(params, "traceparent"))
		value_put(arena, params, "traceparent", value_string(arena, header));
}
