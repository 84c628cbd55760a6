/* SPDX-License-Identifier: MIT */
#include "base/json_library.h"

#include <jansson.h>
#include "base/json.h"

static int json_convert(
    const json_t *json, struct arena *arena, struct value *out, struct schedd_error *err);

static int json_convert_array(
    const json_t *json, struct arena *arena, struct value *out, struct schedd_error *err)
{
	*out = value_array();
	value_reserve(arena, out, (uint32_t)json_array_size(json));
	for (size_t i = 0; i < json_array_size(json); i++) {
		struct value item;
		int rc = json_convert(json_array_get(json, i), arena, &item, err);

		if (rc)
			return rc;
		value_append(arena, out, item);
	}
	return 0;
}

static int json_convert_object(
    const json_t *json, struct arena *arena, struct value *out, struct schedd_error *err)
{
	const char *key;
	json_t *member;

	*out = value_map();
	/* And room for one more, as for the id of a job, which has an action and a trigger at least. */
	value_reserve(arena, out,
	    (uint32_t)json_object_size(json) + (json_object_size(json) > 1));
	/* jansson's iteration takes a non-const object but changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)json, key, member)
	{
		const char *copy = arena_strdup(arena, key);
		struct value item;
		int rc = json_convert(member, arena, &item, err);

		if (rc)
			return rc;
		if (copy)
			value_put(arena, out, copy, item);
	}
	return 0;
}

/* It calls itself for what is within, which json_measure() has bounded. */
static int json_convert(
    const json_t *json, struct arena *arena, struct value *out, struct schedd_error *err)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return json_convert_object(json, arena, out, err);
	case JSON_ARRAY:
		return json_convert_array(json, arena, out, err);
	case JSON_STRING:
		*out = value_string_n(arena, json_string_value(json), json_string_length(json));
		return 0;
	case JSON_INTEGER:
		*out = value_int(json_integer_value(json));
		return 0;
	case JSON_REAL:
		*out = value_real(json_real_value(json));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = value_bool(json_is_true(json));
		return 0;
	case JSON_NULL:
		*out = value_nil();
		return 0;
	}
	return schedd_error_set(err, SCHEDD_EINVAL, "JSON of an unknown type");
}

/* Up to the first mistake it sees what jansson sees. *deep: where it is nested too deep; length: nowhere. */
static size_t json_measure(const char *text, size_t length, size_t *deep)
{
	size_t elements = 1;
	bool quoted = false;
	int depth = 0;

	*deep = length;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted)
			i += text[i] == '\\';
		else if (text[i] == ',' || text[i] == ':')
			elements++;
		else if (text[i] == ']' || text[i] == '}')
			depth--;
		else if (text[i] == '[' || text[i] == '{') {
			depth++;
			elements++;
			if (depth > JSON_DEPTH_MAX && *deep == length)
				*deep = i;
		}
	}
	return elements;
}

size_t json_elements(const char *text, size_t length)
{
	size_t deep;

	return json_measure(text, length, &deep);
}

static int json_refuse_depth(const char *text, size_t at, struct schedd_error *err)
{
	size_t line = 1, begin = 0;

	for (size_t i = 0; i < at; i++)
		if (text[i] == '\n') {
			line++;
			begin = i + 1;
		}
	return schedd_error_at(err, SCHEDD_EINVAL, (int)at,
	    "invalid JSON at line %zu, column %zu: nested deeper than %d", line, at - begin + 1,
	    JSON_DEPTH_MAX);
}

int json_library_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	json_error_t at;
	json_t *json;
	size_t deep;
	int rc;

	/* jansson calls itself for what is within, and a thread's stack is small. */
	json_measure(text, length, &deep);
	if (deep < length)
		return json_refuse_depth(text, deep, err);
	json = json_loadb(
	    text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &at);
	if (!json)
		return schedd_error_at(err, SCHEDD_EINVAL, at.position,
		    "invalid JSON at line %d, column %d: %s", at.line, at.column, at.text);
	rc = json_convert(json, arena, out, err);
	json_decref(json);
	if (!rc && arena_failed(arena))
		rc = schedd_error_nomem(err);
	return rc;
}

