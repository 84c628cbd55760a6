/* SPDX-License-Identifier: MIT */
/* For load balancers and supervisors: one word, no data. */
#include <string.h>
#include "server/http/http_handlers.h"
#include "server/http/http_request.h"

static void http_health_say(struct http_request *request, int status, const char *text)
{
	http_request_reply(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

void http_health_alive(struct http_request *request)
{
	http_health_say(request, 200, "ok\n");
}

void http_health_ready(struct http_request *request)
{
	const struct web_host *host = request->web->host;
	const char *reason = "not ready\n";

	if (host->ready(host->context, &reason))
		http_health_say(request, 200, "ok\n");
	else
		http_health_say(request, 503, reason);
}
