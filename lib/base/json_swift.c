/* SPDX-License-Identifier: MIT */
/* Elements are gathered on a stack until their list ends and it is known how many they are. */
#include "base/json_swift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_library.h"
#include "base/strmap.h"
#include "base/utf8.h"

#define SWIFT_KEYS 64	  /* by hash: of many objects with the same keys each is kept once */
#define SWIFT_DIGITS 19	  /* of the largest integer */
#define SWIFT_NUMBER 64	  /* bytes of a usual real */
#define SWIFT_PAIRWISE 16 /* keys that are held against each other one by one */

struct swift {
	const char *at, *end;
	const char *line_start;
	size_t beyond; /* bytes of the line so far that begin no character */
	uint32_t line;
	bool places;
	uint32_t left; /* values that it may still have */
	struct arena *arena;
	char *stack;
	size_t used, room;
	const char *keys[SWIFT_KEYS];
};

static bool swift_value(struct swift *swift, struct value *out, int depth);

/* ---- Where it is ---- */

static void swift_blanks(struct swift *swift)
{
	for (; swift->at < swift->end; swift->at++) {
		if (*swift->at == '\n') {
			swift->line++;
			swift->line_start = swift->at + 1;
			swift->beyond = 0;
		} else if (*swift->at != ' ' && *swift->at != '\t' && *swift->at != '\r') {
			return;
		}
	}
}

static void swift_place(const struct swift *swift, uint32_t *line, uint32_t *column)
{
	if (!swift->places)
		return;
	*line = swift->line;
	*column = (uint32_t)((size_t)(swift->at - swift->line_start) - swift->beyond) + 1;
}

/* The next byte that is no blank, taken; 0 at the end. */
static char swift_mark(struct swift *swift)
{
	swift_blanks(swift);
	return (char)(swift->at < swift->end ? *swift->at++ : '\0');
}

static bool swift_next_is(struct swift *swift, char c)
{
	swift_blanks(swift);
	return swift->at < swift->end && *swift->at == c;
}

/* ---- The stack ---- */

static bool swift_push(struct swift *swift, const void *element, size_t size)
{
	if (swift->room - swift->used < size) {
		size_t room = swift->room + swift->room / 2 + 4096;
		char *stack = realloc(swift->stack, room);

		if (!stack) {
			swift->arena->failed = true;
			return false;
		}
		swift->stack = stack;
		swift->room = room;
	}
	memcpy(swift->stack + swift->used, element, size);
	swift->used += size;
	return true;
}

/* What was pushed since, into slots of that many bytes. */
static bool swift_pop(struct swift *swift, size_t since, void *slots)
{
	if (slots && swift->used > since)
		memcpy(slots, swift->stack + since, swift->used - since);
	swift->used = since;
	return slots != NULL;
}

/* ---- Strings ---- */

/* Nearly all bytes of most strings. */
static bool swift_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Behind the string's last byte; NULL: it has none, or is no string. *escaped: it is not what it stands for. */
static const char *swift_string_end(struct swift *swift, bool *escaped)
{
	const char *at = swift->at;

	*escaped = false;
	for (;;) {
		size_t size;

		while (at < swift->end && swift_is_plain((unsigned char)*at))
			at++;
		if (at == swift->end || *at == '"')
			break;
		size = utf8_size(at, (size_t)(swift->end - at));
		if (size == 0 || (unsigned char)*at < 0x20)
			return NULL;
		swift->beyond += size - 1;
		if (*at == '\\') {
			*escaped = true;
			size = swift->end - at > 1 ? 2 : 1;
		}
		at += size;
	}
	return at < swift->end ? at : NULL;
}

/* The four digits at text; UINT32_MAX: they are none. */
static uint32_t swift_hex(const char *text, const char *end)
{
	uint32_t code = 0;

	if (end - text < 4)
		return UINT32_MAX;
	for (int i = 0; i < 4; i++) {
		char c = text[i];
		uint32_t digit = c >= '0' && c <= '9'	? (uint32_t)(c - '0')
				 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							: 16;

		if (digit == 16)
			return UINT32_MAX;
		code = code << 4 | digit;
	}
	return code;
}

static char *swift_put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* What stands behind \u, and a second half behind it; NULL: it is half of something. */
static const char *swift_unicode(const char *at, const char *end, char **out)
{
	uint32_t code = swift_hex(at, end), low;

	if (code == UINT32_MAX || (code >= 0xdc00 && code < 0xe000))
		return NULL;
	at += 4;
	if (code >= 0xd800 && code < 0xdc00) {
		low = end - at >= 2 && at[0] == '\\' && at[1] == 'u' ? swift_hex(at + 2, end)
								      : UINT32_MAX;
		if (low < 0xdc00 || low >= 0xe000)
			return NULL;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		at += 6;
	}
	*out = swift_put_utf8(*out, code);
	return at;
}

/* The escaped bytes between at and end into out; their number, SIZE_MAX: they are none of JSON's. */
static size_t swift_unescape(const char *at, const char *end, char *out)
{
	static const char names[] = "\"\\/bfnrt", stand[] = "\"\\/\b\f\n\r\t";
	char *begin = out;

	while (at < end) {
		const char *name;

		if (*at != '\\') {
			*out++ = *at++;
			continue;
		}
		at++;
		name = at < end && *at ? strchr(names, *at) : NULL;
		if (name) {
			*out++ = stand[name - names];
			at++;
		} else if (at == end || *at != 'u' || !(at = swift_unicode(at + 1, end, &out))) {
			return SIZE_MAX;
		}
	}
	return (size_t)(out - begin);
}

/* A string with escapes; NULL: it is none, or there is no memory. */
static char *swift_escaped(struct swift *swift, const char *end, size_t *length)
{
	/* No escape stands for more bytes than it is long. */
	char *text = arena_alloc(swift->arena, (size_t)(end - swift->at) + 1);

	*length = text ? swift_unescape(swift->at, end, text) : SIZE_MAX;
	if (*length == SIZE_MAX)
		return NULL;
	text[*length] = '\0';
	return text;
}

/* Behind its first quote. */
static bool swift_string(struct swift *swift, struct value *out)
{
	bool escaped;
	const char *end = swift_string_end(swift, &escaped);
	char *text;
	size_t length;

	if (!end)
		return false;
	length = (size_t)(end - swift->at);
	text = escaped ? swift_escaped(swift, end, &length)
		       : arena_strndup(swift->arena, swift->at, length);
	swift->at = end + 1;
	out->type = VALUE_STRING;
	out->string.text = text;
	out->string.length = length;
	return text != NULL;
}

/* A NUL in it would end it. */
static const char *swift_key_escaped(struct swift *swift, const char *end)
{
	size_t length;
	const char *key = swift_escaped(swift, end, &length);

	swift->at = end + 1;
	return key && strlen(key) == length ? key : NULL;
}

/* Behind its first quote; NULL: it cannot be one. */
static const char *swift_key(struct swift *swift)
{
	bool escaped;
	const char *end = swift_string_end(swift, &escaped), *begin = swift->at, **slot;
	uint32_t hash = 2166136261u;
	size_t length;

	if (!end)
		return NULL;
	if (escaped)
		return swift_key_escaped(swift, end);
	length = (size_t)(end - begin);
	swift->at = end + 1;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)begin[i]) * 16777619u;
	slot = &swift->keys[hash % SWIFT_KEYS];
	if (!*slot || strncmp(*slot, begin, length) != 0 || (*slot)[length])
		*slot = arena_strndup(swift->arena, begin, length);
	return *slot;
}

/* ---- Numbers ---- */

static const char *swift_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* digits: where they begin, behind a sign. */
static bool swift_integer(const char *digits, const char *end, bool negative, struct value *out)
{
	uint64_t integer = 0;

	if (end - digits > SWIFT_DIGITS)
		return false;
	for (const char *digit = digits; digit < end; digit++)
		integer = integer * 10 + (uint64_t)(*digit - '0');
	if (integer > (uint64_t)INT64_MAX + negative)
		return false;
	out->type = VALUE_INT;
	out->integer = negative ? -(int64_t)(integer - 1) - 1 : (int64_t)integer;
	return true;
}

static bool swift_real(struct swift *swift, const char *begin, const char *end, struct value *out)
{
	size_t length = (size_t)(end - begin);
	char room[SWIFT_NUMBER], *text = room, *behind;

	if (length < sizeof(room)) {
		memcpy(room, begin, length);
		room[length] = '\0';
	} else {
		text = arena_strndup(swift->arena, begin, length);
	}
	if (!text)
		return false;
	out->type = VALUE_REAL;
	out->real = strtod(text, &behind);
	return *behind == '\0' && isfinite(out->real);
}

static bool swift_number(struct swift *swift, struct value *out)
{
	const char *begin = swift->at, *end = swift->end, *at = begin;
	bool negative = *at == '-', real = false;
	const char *digits = at += negative;

	at = swift_digits(digits, end);
	if (at == digits || (*digits == '0' && at - digits > 1))
		return false;
	if (at < end && *at == '.') {
		real = true;
		digits = at + 1;
		at = swift_digits(digits, end);
		if (at == digits)
			return false;
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		real = true;
		at++;
		at += at < end && (*at == '+' || *at == '-');
		digits = at;
		at = swift_digits(digits, end);
		if (at == digits)
			return false;
	}
	swift->at = at;
	return real ? swift_real(swift, begin, at, out) : swift_integer(digits, at, negative, out);
}

/* ---- What holds others ---- */

static const char *swift_member_key(const void *item)
{
	return ((const struct value_member *)item)->key;
}

static bool swift_unlike(const struct value_member *members, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (members[i].key[0] == members[j].key[0] &&
			    strcmp(members[i].key, members[j].key) == 0)
				return false;
	return true;
}

/* Does no key stand there twice? */
static bool swift_are_unlike(struct swift *swift, struct value_member *members, uint32_t count)
{
	struct strmap keys;
	int rc = 0;

	if (count <= SWIFT_PAIRWISE)
		return swift_unlike(members, count);
	strmap_init(&keys, swift_member_key);
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = strmap_put(&keys, &members[i]);
	strmap_clear(&keys);
	swift->arena->failed |= rc == SCHEDD_ENOMEM;
	return rc == 0;
}

/* Behind the comma, true, or behind the last mark with *last; false: neither stands here. */
static bool swift_more(struct swift *swift, char end, bool *last)
{
	char mark = swift_mark(swift);

	*last = mark == end;
	return *last || mark == ',';
}

static bool swift_array(struct swift *swift, struct value *out, int depth)
{
	size_t since = swift->used;
	bool last = swift_next_is(swift, ']');

	out->type = VALUE_ARRAY;
	swift->at += last;
	while (!last) {
		struct value item = {0};

		if (!swift_value(swift, &item, depth) || !swift_push(swift, &item, sizeof(item)) ||
		    !swift_more(swift, ']', &last))
			return false;
	}
	if (swift->used == since)
		return true;
	out->array.count = out->array.capacity =
	    (uint32_t)((swift->used - since) / sizeof(struct value));
	out->array.items = arena_alloc(swift->arena, swift->used - since);
	return swift_pop(swift, since, out->array.items);
}

static bool swift_member(struct swift *swift, int depth)
{
	struct value_member member = {0};

	if (!swift_next_is(swift, '"'))
		return false;
	swift_place(swift, &member.line, &member.column);
	swift->at++;
	member.key = swift_key(swift);
	return member.key && swift_mark(swift) == ':' && swift_value(swift, &member.value, depth) &&
	       swift_push(swift, &member, sizeof(member));
}

static bool swift_map(struct swift *swift, struct value *out, int depth)
{
	size_t since = swift->used;
	bool last = swift_next_is(swift, '}');

	out->type = VALUE_MAP;
	swift->at += last;
	while (!last)
		if (!swift_member(swift, depth) || !swift_more(swift, '}', &last))
			return false;
	if (swift->used == since)
		return true;
	out->map.count = (uint32_t)((swift->used - since) / sizeof(struct value_member));
	out->map.capacity = out->map.count + (out->map.count > 1);
	out->map.members =
	    arena_alloc(swift->arena, out->map.capacity * sizeof(struct value_member));
	return swift_pop(swift, since, out->map.members) &&
	       swift_are_unlike(swift, out->map.members, out->map.count);
}

static bool swift_word(struct swift *swift, const char *word, struct value value, struct value *out)
{
	size_t length = strlen(word);

	if ((size_t)(swift->end - swift->at) < length || memcmp(swift->at, word, length) != 0)
		return false;
	swift->at += length;
	out->type = value.type;
	out->boolean = value.boolean;
	return true;
}

/* It calls itself for what is within, down to a bound. */
static bool swift_value(struct swift *swift, struct value *out, int depth)
{
	swift_blanks(swift);
	if (swift->at == swift->end || swift->left-- == 0)
		return false;
	swift_place(swift, &out->line, &out->column);
	switch (*swift->at) {
	case '{':
		swift->at++;
		return depth < JSON_DEPTH_MAX && swift_map(swift, out, depth + 1);
	case '[':
		swift->at++;
		return depth < JSON_DEPTH_MAX && swift_array(swift, out, depth + 1);
	case '"':
		swift->at++;
		return swift_string(swift, out);
	case 't':
		return swift_word(swift, "true", value_bool(true), out);
	case 'f':
		return swift_word(swift, "false", value_bool(false), out);
	case 'n':
		return swift_word(swift, "null", value_nil(), out);
	default:
		return swift_number(swift, out);
	}
}

bool json_swift_parse(const char *text, size_t length, bool places, uint32_t most,
    struct arena *arena, struct value *out)
{
	struct swift swift = {.at = text,
	    .end = text + length,
	    .line_start = text,
	    .line = 1,
	    .places = places,
	    .left = most,
	    .arena = arena};
	bool good;

	*out = value_nil();
	good = swift_value(&swift, out, 0);
	swift_blanks(&swift);
	free(swift.stack);
	return good && swift.at == swift.end && !arena_failed(arena);
}
