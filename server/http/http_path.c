/* SPDX-License-Identifier: MIT */
#include "server/http/http_path.h"

#include <string.h>
#include "base/utf8.h"
#include "proto/methods.h"
#include "server/http/http_problem.h"
#include "server/http/http_routes.h"

static int http_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decoded into the arena; NULL: a bad escape, a NUL, or no UTF-8. plus: '+' is a space. */
static const char *http_decode(
    struct arena *arena, const char *text, size_t length, bool plus)
{
	char *out = arena_alloc(arena, length + 1);
	size_t used = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '%') {
			int high = i + 2 < length ? http_hex(text[i + 1]) : -1;
			int low = i + 2 < length ? http_hex(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return NULL;
		out[used++] = c;
	}
	out[used] = '\0';
	return utf8_valid(out, used) ? out : NULL;
}

static int http_path_bad(struct http_request *request, const char *what)
{
	if (arena_failed(request->arena)) {
		http_problem_memory(request);
		return -1;
	}
	http_problem(request, 400, "invalid_argument",
	    "the %s is not percent-encoded UTF-8 text without NUL", what);
	return -1;
}

static bool http_query_add(struct http_request *request, const char *name, const char *text)
{
	struct arena *arena = request->arena;
	struct value item = value_string_ref(text);

	for (uint32_t i = 0; i < request->query.map.count; i++) {
		struct value *there = &request->query.map.members[i].value;
		struct value list = value_array();

		if (strcmp(request->query.map.members[i].key, name) != 0)
			continue;
		if (there->type == VALUE_ARRAY)
			return value_append(arena, there, item) != NULL;
		value_append(arena, &list, *there);
		value_append(arena, &list, item);
		*there = list;
		return !arena_failed(arena);
	}
	return value_put(arena, &request->query, name, item) != NULL;
}

static bool http_query_split(struct http_request *request, const char *query)
{
	while (*query) {
		size_t length = strcspn(query, "&"), name = 0;
		const char *key, *text;

		while (name < length && query[name] != '=')
			name++;
		key = http_decode(request->arena, query, name, true);
		text = name < length
			   ? http_decode(request->arena, query + name + 1, length - name - 1, true)
			   : "";
		if (!key || !text)
			return false;
		if (length && !http_query_add(request, key, text))
			return false;
		query += length;
		query += *query == '&';
	}
	return true;
}

int http_path_split(struct http_request *request, const char *segments[HTTP_SEGMENTS_MAX])
{
	const char *uri = evhttp_request_get_uri(request->evhttp), *scheme = strstr(uri, "://");
	int count = 0;

	request->query = value_map();
	if (uri[0] != '/' && scheme)
		uri = strchr(scheme + 3, '/') ? strchr(scheme + 3, '/') : "/"; /* absolute form */
	if (uri[0] != '/')
		return http_path_bad(request, "path");
	while (*uri == '/') {
		size_t length = strcspn(++uri, "/?#");

		if (length == 0 && (*uri == '\0' || *uri == '?') && count == 0)
			break; /* the root */
		if (count == HTTP_SEGMENTS_MAX)
			break; /* no route is so long */
		segments[count] = http_decode(request->arena, uri, length, false);
		if (!segments[count++])
			return http_path_bad(request, "path");
		uri += length;
	}
	uri += strcspn(uri, "?");
	if (*uri == '?' && !http_query_split(request, uri + 1))
		return http_path_bad(request, "query");
	return count;
}

/* ---- As parameters ---- */

static const struct method_param *http_param(const struct method *method, const char *name)
{
	for (const struct method_param *row = method->params; row && row->name; row++) {
		if (row->type != METHOD_FIELDS && strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

/* Commas separate the texts of a list, as does naming it several times. */
static struct value http_param_texts(struct arena *arena, const struct value *given)
{
	struct value list = value_array();
	uint32_t count = given->type == VALUE_ARRAY ? given->array.count : 1;

	for (uint32_t i = 0; i < count; i++) {
		const char *text = given->type == VALUE_ARRAY ? given->array.items[i].string.text
							      : given->string.text;

		while (*text) {
			size_t length = strcspn(text, ",");

			if (length)
				value_append(arena, &list, value_string_n(arena, text, length));
			text += length + (text[length] == ',');
		}
	}
	return list;
}

static bool http_param_bool(const char *text, struct value *out)
{
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || text[0] == '\0';
	bool no = strcmp(text, "false") == 0 || strcmp(text, "0") == 0;

	*out = value_bool(yes);
	return yes || no;
}

static bool http_param_int(const char *text, struct value *out)
{
	int64_t number = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 18 || text[digits])
		return false;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (text[i] - '0');
	*out = value_int(number);
	return true;
}

/* NULL, or what the text should have been. */
static const char *http_param_convert(struct http_request *request,
    const struct method_param *row, const struct value *given, struct value *out)
{
	if (row->type == METHOD_TEXTS) {
		*out = http_param_texts(request->arena, given);
		return NULL;
	}
	if (given->type != VALUE_STRING)
		return "given once";
	*out = *given;
	if (row->type == METHOD_BOOL && !http_param_bool(given->string.text, out))
		return "true or false";
	if (row->type == METHOD_INT && !http_param_int(given->string.text, out))
		return "an integer, 0 or more";
	if (row->type == METHOD_MAP || row->type == METHOD_LIST)
		return "in the body, not in the query";
	return NULL;
}

bool http_path_params(struct http_request *request, struct value *params)
{
	const struct method *method = methods_find(request->route->rpc);

	for (uint32_t i = 0; i < request->query.map.count; i++) {
		const struct value_member *member = &request->query.map.members[i];
		const struct method_param *row = http_param(method, member->key);
		struct value value = member->value;
		const char *wanted =
		    row ? http_param_convert(request, row, &member->value, &value) : NULL;

		if (!row || wanted) {
			http_problem(request, 400, "invalid_argument", "'%.64s' %s%s", member->key,
			    row ? "must be " : "is no parameter of this query",
			    wanted ? wanted : "");
			return false;
		}
		value_put(request->arena, params, member->key, value);
	}
	return true;
}
