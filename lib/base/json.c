/* SPDX-License-Identifier: MIT */
/* Reading is passed on; writing goes straight into the buffer, without a tree in between. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_library.h"
#include "base/json_swift.h"
#include "base/utf8.h"

int json_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	if (json_swift_parse(text, length, false, UINT32_MAX, arena, out))
		return 0;
	return arena_failed(arena) ? schedd_error_nomem(err)
				   : json_library_parse(text, length, arena, out, err);
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

#define JSON_BYTES(c) (UINT64_MAX / 255 * (c))
/* The top bit of a byte that is zero, and maybe of those above it. */
#define JSON_ZERO(word) (((word) - JSON_BYTES(1)) & ~(word) & JSON_BYTES(0x80))

static bool json_write_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Where the bytes end that stand for themselves. Texts are mostly nothing else: eight are looked at together. */
static size_t json_write_plain(const unsigned char *bytes, size_t at, size_t length)
{
	for (; at + 8 <= length; at += 8) {
		uint64_t word;

		memcpy(&word, bytes + at, 8);
		if ((word & JSON_BYTES(0x80)) | ((word - JSON_BYTES(0x20)) & ~word & JSON_BYTES(0x80)) |
		    JSON_ZERO(word ^ JSON_BYTES('"')) | JSON_ZERO(word ^ JSON_BYTES('\\')) |
		    JSON_ZERO(word ^ JSON_BYTES(0x7f)))
			break;
	}
	while (at < length && json_write_is_plain(bytes[at]))
		at++;
	return at;
}

void json_write_string(struct strbuf *out, const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t plain = 0; /* start of the run that needs no change */

	if (json_write_plain(bytes, 0, length) == length && strbuf_reserve(out, length + 2)) {
		char *at = out->data + out->length;

		/* Mostly it is this. */
		*at++ = '"';
		memcpy(at, text, length);
		at[length] = '"';
		at[length + 1] = '\0';
		out->length += length + 2;
		return;
	}
	strbuf_add_char(out, '"');
	for (size_t i = json_write_plain(bytes, 0, length); i < length;
	     i = json_write_plain(bytes, i, length)) {
		uint32_t harmful = 0;
		size_t size = 1;

		if (bytes[i] >= 0x80) {
			size = utf8_decode(text + i, length - i, &harmful);
			if (size > 0 && !utf8_harmful(harmful)) {
				i += size;
				continue;
			}
		}
		strbuf_add_n(out, text + plain, i - plain);
		i += json_write_changed(out, bytes + i, size, size ? harmful : 0);
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
		strbuf_add_integer(out, value->integer);
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
			strbuf_add_n(out, ": ", indent < 0 ? 1 : 2);
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
