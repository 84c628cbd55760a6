/* SPDX-License-Identifier: MIT */
/*
 * The page at /: one file with its style and script, which its policy names by
 * their hashes. It asks nobody but this server.
 */
#include <string.h>
#include "server/http/http_handlers.h"
#include "server/http/http_page_text.h"
#include "server/http/http_request.h"
#include "server/http/http_sha256.h"

/* The hash of what stands between two tags of the page. */
static void http_page_hash(const char *open, const char *close, char text[HTTP_SHA256_BASE64])
{
	const char *begin = strstr(http_page_text, open), *end = begin ? strstr(begin, close) : NULL;

	text[0] = '\0';
	if (!end)
		return;
	begin += strlen(open);
	http_sha256_base64(begin, (size_t)(end - begin), text);
}

void http_page_show(struct http_request *request)
{
	char style[HTTP_SHA256_BASE64], script[HTTP_SHA256_BASE64];
	const char *policy;

	http_page_hash("<style>", "</style>", style);
	http_page_hash("<script>", "</script>", script);
	policy = arena_printf(request->arena,
	    "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; "
	    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'",
	    style, script);
	if (policy)
		http_request_set(request, "Content-Security-Policy", policy);
	http_request_set(request, "Referrer-Policy", "no-referrer");
	http_request_set(request, "X-Frame-Options", "DENY");
	http_request_set(request, "Cross-Origin-Opener-Policy", "same-origin");
	http_request_reply(
	    request, 200, "text/html; charset=utf-8", http_page_text, strlen(http_page_text));
}

/* A browser asks for it by itself: nothing, rather than an error in its console. */
void http_page_icon(struct http_request *request)
{
	http_request_set(request, "Cache-Control", "max-age=86400");
	http_request_reply(request, 204, NULL, "", 0);
}

void http_page_who(struct http_request *request)
{
	struct value map = value_map();

	value_put(request->arena, &map, "name", value_string_ref(request->identity->name));
	value_put(request->arena, &map, "role", value_string_ref(request->identity->role));
	value_put(request->arena, &map, "account", value_string_ref(request->identity->account));
	value_put(request->arena, &map, "version", value_string_ref(SCHEDD_VERSION));
	http_request_json(request, 200, &map);
}
