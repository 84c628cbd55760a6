/* SPDX-License-Identifier: MIT */
/* One form for all refusals but those of the routes that are compatible with another API. */
#include "server/http/http_problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/json.h"
#include "server/http/http_request.h"
#include "server/http/http_routes.h"
#include "server/http/http_status.h"

int http_problem_status(const struct schedd_error *err)
{
	switch (err->code) {
	case SCHEDD_EINVAL:
	case SCHEDD_EFILE:
		return 400;
	case SCHEDD_EMETHOD:
	case SCHEDD_ENOTFOUND:
		return 404;
	case SCHEDD_EPERM:
		return 403;
	case SCHEDD_ECONFLICT:
		return 409;
	case SCHEDD_ENOMEM:
		return 503;
	case SCHEDD_ETIMEOUT:
		return 504;
	default:
		return 500;
	}
}

static void http_problem_send(
    struct http_request *request, int status, const char *name, const char *detail)
{
	struct value map = value_map();
	struct strbuf body = STRBUF_EMPTY;

	if (request->route && request->route->refuse) {
		request->route->refuse(request, status, detail);
		return;
	}
	value_put(request->arena, &map, "type", value_string_ref("about:blank"));
	value_put(request->arena, &map, "title", value_string_ref(http_status_title(status)));
	value_put(request->arena, &map, "status", value_int(status));
	value_put(request->arena, &map, "error", value_string_ref(name));
	value_put(request->arena, &map, "detail", value_string_ref(detail));
	json_write(&body, &map);
	http_request_reply_buf(request, status, "application/problem+json", &body);
}

void http_problem_as(struct http_request *request, int status, const struct schedd_error *err)
{
	http_problem_send(request, status, schedd_error_name(err->code), err->message);
}

void http_problem_error(struct http_request *request, const struct schedd_error *err)
{
	http_problem_as(request, http_problem_status(err), err);
}

void http_problem_memory(struct http_request *request)
{
	struct schedd_error err;

	schedd_error_nomem(&err);
	http_problem_error(request, &err);
}

void http_problem(
    struct http_request *request, int status, const char *name, const char *format, ...)
{
	char detail[SCHEDD_ERROR_MESSAGE_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(detail, sizeof(detail), format, ap);
	va_end(ap);
	http_problem_send(request, status, name, detail);
}
