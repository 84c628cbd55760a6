/* SPDX-License-Identifier: MIT */
/* Nearly all values are UTF-8 throughout: a look comes before any copy. */
#include "base/json_exact.h"

#include <string.h>
#include "base/base64.h"
#include "base/utf8.h"

/* Is it the key of such a map, or one that had to get out of its way? */
static bool json_exact_is_key(const char *key, size_t marks)
{
	size_t given = strspn(key, "!");

	return given >= marks && strcmp(key + given, "binary") == 0;
}

bool json_exact_needed(const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING:
		return !utf8_valid(value->string.text, value->string.length);
	case VALUE_ARRAY:
		for (uint32_t i = 0; i < value->array.count; i++)
			if (json_exact_needed(&value->array.items[i]))
				return true;
		return false;
	case VALUE_MAP:
		if (value->map.count == 1 && json_exact_is_key(value->map.members[0].key, 2))
			return true;
		for (uint32_t i = 0; i < value->map.count; i++) {
			const struct value_member *member = &value->map.members[i];

			if (json_exact_needed(&member->value) ||
			    !utf8_valid(member->key, strlen(member->key)))
				return true;
		}
		return false;
	default:
		return false;
	}
}

static struct value json_exact_binary(const struct value *value, struct arena *arena)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value map = value_map();

	base64_write(&text, value->string.text, value->string.length);
	value_put(arena, &map, JSON_EXACT_KEY, value_string_take(arena, &text));
	return map;
}

static int json_exact_copy(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err);

static int json_exact_copy_map(const struct value *value, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	int rc = 0;

	*out = value_map();
	for (uint32_t i = 0; i < value->map.count && !rc; i++) {
		const struct value_member *member = &value->map.members[i];
		const char *key = member->key;
		struct value item;

		if (!utf8_valid(key, strlen(key)))
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a name in it is not UTF-8: '%.60s'", key);
		if (value->map.count == 1 && json_exact_is_key(key, 2))
			key = arena_printf(arena, "!%s", key);
		rc = json_exact_copy(&member->value, arena, &item, err);
		if (!rc && key)
			value_put(arena, out, key, item);
	}
	return rc;
}

static int json_exact_copy(
    const struct value *value, struct arena *arena, struct value *out, struct schedd_error *err)
{
	int rc = 0;

	*out = *value;
	if (!json_exact_needed(value))
		return 0;
	if (value->type == VALUE_STRING) {
		*out = json_exact_binary(value, arena);
		return 0;
	}
	if (value->type == VALUE_MAP)
		return json_exact_copy_map(value, arena, out, err);
	*out = value_array();
	for (uint32_t i = 0; i < value->array.count && !rc; i++) {
		struct value item;

		rc = json_exact_copy(&value->array.items[i], arena, &item, err);
		value_append(arena, out, item);
	}
	return rc;
}

int json_exact_wrap(
    const struct value *value, struct arena *arena, struct value *out, struct schedd_error *err)
{
	int rc = json_exact_copy(value, arena, out, err);

	return !rc && arena_failed(arena) ? schedd_error_nomem(err) : rc;
}

/* The string that such a map stands for, in its place. */
static int json_exact_string(struct value *map, struct arena *arena, struct schedd_error *err)
{
	const struct value *text = &map->map.members[0].value;
	struct value string;
	size_t length;
	char *bytes;

	if (text->type != VALUE_STRING)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: %s is no text in base64",
		    JSON_EXACT_KEY, value_type_name(text->type));
	bytes = arena_alloc(arena, text->string.length + 1);
	if (!bytes)
		return schedd_error_nomem(err);
	if (!base64_read(text->string.text, text->string.length, bytes, &length))
		return schedd_error_set(err, SCHEDD_EINVAL, "%s: '%.60s' is no base64",
		    JSON_EXACT_KEY, text->string.text);
	bytes[length] = '\0';
	string = value_string_ref(bytes);
	string.string.length = length;
	string.line = map->line;
	string.column = map->column;
	*map = string;
	return 0;
}

int json_exact_unwrap(struct value *value, struct arena *arena, struct schedd_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count && !rc; i++)
		rc = json_exact_unwrap(&value->array.items[i], arena, err);
	if (rc || value->type != VALUE_MAP)
		return rc;
	if (value->map.count == 1 && strcmp(value->map.members[0].key, JSON_EXACT_KEY) == 0)
		return json_exact_string(value, arena, err);
	for (uint32_t i = 0; i < value->map.count && !rc; i++)
		rc = json_exact_unwrap(&value->map.members[i].value, arena, err);
	if (value->map.count == 1 && json_exact_is_key(value->map.members[0].key, 3))
		value->map.members[0].key++;
	return rc;
}

void json_exact_write(struct strbuf *out, const struct value *value)
{
	struct value wrapped;
	struct arena arena;

	arena_init(&arena);
	if (json_exact_wrap(value, &arena, &wrapped, NULL) == 0)
		json_write(out, &wrapped);
	else if (arena_failed(&arena))
		out->failed = true;
	else
		json_write(out, value);
	arena_clear(&arena);
}

int json_exact_parse(const char *text, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	int rc = json_parse(text, length, arena, out, err);

	if (!rc && memmem(text, length, "binary\"", 7))
		rc = json_exact_unwrap(out, arena, err);
	return rc;
}
