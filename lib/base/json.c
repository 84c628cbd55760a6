/* SPDX-License-Identifier: MIT */
/* JSON reading through jansson; writing straight into the buffer, without a tree in between. */
#include "base/json_known.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"

#define JSON_DEPTH_MAX 64

/* What all of a text is read into. */
struct json_target {
	struct arena *arena;
	struct json_known *known;
};

static int json_convert(const json_t *json, const struct json_target *target, struct value *out,
    struct schedd_error *err);

static const char *json_key(const struct json_target *target, const char *key)
{
	uint32_t hash = 2166136261u;
	const char **slot;

	for (const char *c = key; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	slot = &target->known->keys[hash % JSON_KNOWN];
	if (!*slot || strcmp(*slot, key) != 0)
		*slot = arena_strdup(target->arena, key);
	return *slot;
}

static int json_convert_array(const json_t *json, const struct json_target *target,
    struct value *out, struct schedd_error *err)
{
	*out = value_array();
	value_reserve(target->arena, out, (uint32_t)json_array_size(json));
	for (size_t i = 0; i < json_array_size(json); i++) {
		struct value item;
		int rc = json_convert(json_array_get(json, i), target, &item, err);

		if (rc)
			return rc;
		value_append(target->arena, out, item);
	}
	return 0;
}

static int json_convert_object(const json_t *json, const struct json_target *target,
    struct value *out, struct schedd_error *err)
{
	const char *key;
	json_t *member;

	*out = value_map();
	/* And room for one more, as for the id of a job, which has an action and a trigger at least. */
	value_reserve(target->arena, out,
	    (uint32_t)json_object_size(json) + (json_object_size(json) > 1));
	/* jansson's iteration takes a non-const object but changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)json, key, member)
	{
		const char *copy = json_key(target, key);
		struct value item;
		int rc = json_convert(member, target, &item, err);

		if (rc)
			return rc;
		if (copy)
			value_put(target->arena, out, copy, item);
	}
	return 0;
}

/* It calls itself for what is within, which json_measure() has bounded. */
static int json_convert(const json_t *json, const struct json_target *target, struct value *out,
    struct schedd_error *err)
{
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return json_convert_object(json, target, out, err);
	case JSON_ARRAY:
		return json_convert_array(json, target, out, err);
	case JSON_STRING:
		*out = value_string_n(
		    target->arena, json_string_value(json), json_string_length(json));
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

int json_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	struct json_known known = {{NULL}};

	return json_known_parse(text, length, arena, &known, out, err);
}

int json_known_parse(const char *text, size_t length, struct arena *arena, struct json_known *known,
    struct value *out, struct schedd_error *err)
{
	const struct json_target target = {arena, known};
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
	rc = json_convert(json, &target, out, err);
	json_decref(json);
	if (!rc && arena_failed(arena))
		rc = schedd_error_nomem(err);
	return rc;
}

static void json_write_escape(struct strbuf *out, unsigned char c)
{
	static const char *const shorts[] = {['\b'] = "\\b",
	    ['\t'] = "\\t",
	    ['\n'] = "\\n",
	    ['\f'] = "\\f",
	    ['\r'] = "\\r",
	    ['"'] = "\\\"",
	    ['\\'] = "\\\\"};

	if (c < sizeof(shorts) / sizeof(shorts[0]) && shorts[c])
		strbuf_add(out, shorts[c]);
	else
		strbuf_printf(out, "\\u%04x", c);
}

/* What stands for the bytes at text in JSON, where they cannot stay; how many they are. */
static size_t json_write_changed(
    struct strbuf *out, const unsigned char *text, size_t size, uint32_t harmful)
{
	if (size == 0)
		strbuf_add(out, "\xef\xbf\xbd");
	else if (harmful)
		strbuf_printf(out, "\\u%04x", harmful);
	else
		json_write_escape(out, *text);
	return size ? size : 1;
}

void json_write_string(struct strbuf *out, const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t plain = 0; /* start of the run that needs no change */

	strbuf_add_char(out, '"');
	for (size_t i = 0; i < length;) {
		uint32_t harmful = 0;
		size_t size = 1;

		if (bytes[i] >= 0x80) {
			size = utf8_decode(text + i, length - i, &harmful);
			harmful = size && utf8_harmful(harmful) ? harmful : 0;
		}
		if (size > 0 && !harmful && bytes[i] >= 0x20 && bytes[i] != '"' &&
		    bytes[i] != '\\' && bytes[i] != 0x7f) {
			i += size;
			continue;
		}
		strbuf_add_n(out, text + plain, i - plain);
		i += json_write_changed(out, bytes + i, size, harmful);
		plain = i;
	}
	strbuf_add_n(out, text + plain, length - plain);
	strbuf_add_char(out, '"');
}

static void json_write_real(struct strbuf *out, double real)
{
	char text[40];

	if (!isfinite(real)) {
		strbuf_add(out, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, real);
		if (strtod(text, NULL) == real)
			break;
	}
	strbuf_add(out, text);
	if (!strpbrk(text, ".e"))
		strbuf_add(out, ".0");
}

/* Decimal, as printf writes it; lists have many. */
static void json_write_integer(struct strbuf *out, int64_t integer)
{
	uint64_t left = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (integer < 0)
		strbuf_add_char(out, '-');
	strbuf_add_n(out, digits + at, sizeof(digits) - at);
}

/* indent < 0: compact. */
static void json_write_break(struct strbuf *out, int indent)
{
	if (indent >= 0)
		strbuf_printf(out, "\n%*s", indent * 2, "");
}

static void json_write_at(struct strbuf *out, const struct value *value, int indent)
{
	int inner = indent < 0 ? indent : indent + 1;

	switch (value->type) {
	case VALUE_NIL:
		strbuf_add_n(out, "null", 4);
		break;
	case VALUE_BOOL:
		strbuf_add_n(out, value->boolean ? "true" : "false", value->boolean ? 4 : 5);
		break;
	case VALUE_INT:
		json_write_integer(out, value->integer);
		break;
	case VALUE_REAL:
		json_write_real(out, value->real);
		break;
	case VALUE_STRING:
		json_write_string(out, value->string.text, value->string.length);
		break;
	case VALUE_ARRAY:
		strbuf_add_char(out, '[');
		for (uint32_t i = 0; i < value->array.count; i++) {
			if (i > 0)
				strbuf_add_char(out, ',');
			json_write_break(out, inner);
			json_write_at(out, &value->array.items[i], inner);
		}
		if (value->array.count > 0)
			json_write_break(out, indent);
		strbuf_add_char(out, ']');
		break;
	case VALUE_MAP:
		strbuf_add_char(out, '{');
		for (uint32_t i = 0; i < value->map.count; i++) {
			const struct value_member *member = &value->map.members[i];

			if (i > 0)
				strbuf_add_char(out, ',');
			json_write_break(out, inner);
			json_write_string(out, member->key, strlen(member->key));
			strbuf_add(out, indent < 0 ? ":" : ": ");
			json_write_at(out, &member->value, inner);
		}
		if (value->map.count > 0)
			json_write_break(out, indent);
		strbuf_add_char(out, '}');
		break;
	}
}

void json_write(struct strbuf *out, const struct value *value)
{
	json_write_at(out, value, -1);
}

void json_write_pretty(struct strbuf *out, const struct value *value)
{
	json_write_at(out, value, 0);
}
