/* SPDX-License-Identifier: MIT */
/* Gives up at the first byte that is not plain; accepts nothing that json_parse() would not. */
#include "store/sql_json.h"

#include <string.h>
#include "base/json_exact.h"

#define PLAIN_DEPTH 8
#define PLAIN_DIGITS 18 /* fit int64_t without a look */

struct plain_reader {
	const char *at, *end;
	struct arena *arena;
	int depth;
	bool marked; /* a key begins with '!': it may stand for bytes */
};

static bool plain_value(struct plain_reader *reader, struct value *out);

static bool plain_take(struct plain_reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool plain_word(
    struct plain_reader *reader, const char *word, struct value value, struct value *out)
{
	size_t length = strlen(word);

	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	*out = value;
	return true;
}

/* Printable ASCII without escapes. */
static bool plain_text(struct plain_reader *reader, const char **text, size_t *length)
{
	const char *begin;

	if (!plain_take(reader, '"'))
		return false;
	begin = reader->at;
	for (; reader->at < reader->end && *reader->at != '"'; reader->at++)
		if (*reader->at < 0x20 || *reader->at > 0x7e || *reader->at == '\\')
			return false;
	*length = (size_t)(reader->at - begin);
	*text = arena_strndup(reader->arena, begin, *length);
	return plain_take(reader, '"') && *text;
}

static bool plain_string(struct plain_reader *reader, struct value *out)
{
	const char *text;
	size_t length;

	if (!plain_text(reader, &text, &length))
		return false;
	*out = (struct value){.type = VALUE_STRING, .string = {text, length}};
	return true;
}

/* A whole number; what follows it tells whether it was one. */
static bool plain_number(struct plain_reader *reader, struct value *out)
{
	bool negative = plain_take(reader, '-');
	const char *begin = reader->at;
	int64_t number = 0;

	for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++) {
		if (reader->at - begin == PLAIN_DIGITS)
			return false;
		number = number * 10 + (*reader->at - '0');
	}
	if (reader->at == begin || (*begin == '0' && (reader->at - begin > 1 || negative)))
		return false;
	*out = value_int(negative ? -number : number);
	return true;
}

static bool plain_array(struct plain_reader *reader, struct value *out)
{
	struct value item;

	*out = value_array();
	reader->at++;
	if (plain_take(reader, ']'))
		return true;
	do
		if (!plain_value(reader, &item) || !value_append(reader->arena, out, item))
			return false;
	while (plain_take(reader, ','));
	return plain_take(reader, ']');
}

static bool plain_map(struct plain_reader *reader, struct value *out)
{
	struct value item;
	const char *key;
	size_t length;

	*out = value_map();
	reader->at++;
	if (plain_take(reader, '}'))
		return true;
	do {
		if (!plain_text(reader, &key, &length) || value_get(out, key) ||
		    !plain_take(reader, ':') || !plain_value(reader, &item) ||
		    !value_put(reader->arena, out, key, item))
			return false;
		reader->marked |= *key == '!';
	} while (plain_take(reader, ','));
	return plain_take(reader, '}');
}

static bool plain_nested(struct plain_reader *reader, struct value *out)
{
	bool done;

	if (++reader->depth > PLAIN_DEPTH)
		return false;
	done = *reader->at == '{' ? plain_map(reader, out) : plain_array(reader, out);
	reader->depth--;
	return done;
}

static bool plain_value(struct plain_reader *reader, struct value *out)
{
	if (reader->at == reader->end)
		return false;
	switch (*reader->at) {
	case '{':
	case '[':
		return plain_nested(reader, out);
	case '"':
		return plain_string(reader, out);
	case 't':
		return plain_word(reader, "true", value_bool(true), out);
	case 'f':
		return plain_word(reader, "false", value_bool(false), out);
	case 'n':
		return plain_word(reader, "null", value_nil(), out);
	default:
		return plain_number(reader, out);
	}
}

int sql_json_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	struct plain_reader reader = {text, text + length, arena, 0, false};

	if (plain_value(&reader, out) && reader.at == reader.end && !reader.marked)
		return 0;
	return json_exact_parse(text, length, arena, out, err);
}
