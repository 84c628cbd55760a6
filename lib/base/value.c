/* SPDX-License-Identifier: MIT */
/* Arrays and maps grow by doubling inside the arena; the old slots stay behind until it is cleared.
 */
#include "base/value.h"

#include <string.h>
#include "base/strbuf.h"

struct value value_nil(void)
{
	return (struct value){.type = VALUE_NIL};
}

struct value value_bool(bool boolean)
{
	return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

struct value value_int(int64_t integer)
{
	return (struct value){.type = VALUE_INT, .integer = integer};
}

struct value value_real(double real)
{
	return (struct value){.type = VALUE_REAL, .real = real};
}

struct value value_string_n(struct arena *arena, const char *text, size_t length)
{
	const char *copy = arena_strndup(arena, text, length);

	if (!copy)
		return value_nil();
	return (struct value){.type = VALUE_STRING, .string = {copy, length}};
}

struct value value_string(struct arena *arena, const char *text)
{
	return text ? value_string_n(arena, text, strlen(text)) : value_nil();
}

struct value value_string_take(struct arena *arena, struct strbuf *text)
{
	const char *copy = NULL;
	size_t length = text->length;

	if (strbuf_failed(text))
		arena->failed = true;
	else
		copy = arena_strndup(arena, strbuf_peek(text), length);
	strbuf_clear(text);
	if (!copy)
		return value_nil();
	return (struct value){.type = VALUE_STRING, .string = {copy, length}};
}

struct value value_string_ref(const char *text)
{
	if (!text)
		return value_nil();
	return (struct value){.type = VALUE_STRING, .string = {text, strlen(text)}};
}

struct value value_array(void)
{
	return (struct value){.type = VALUE_ARRAY};
}

struct value value_map(void)
{
	return (struct value){.type = VALUE_MAP};
}

/* Room for one more element of size bytes in *slots. */
static bool value_grow(
    struct arena *arena, void **slots, uint32_t count, uint32_t *capacity, size_t size)
{
	uint32_t wanted = *capacity ? *capacity * 2 : 8;
	void *grown;

	if (count < *capacity)
		return true;
	grown = arena_alloc(arena, wanted * size);
	if (!grown)
		return false;
	if (count > 0)
		memcpy(grown, *slots, count * size);
	*slots = grown;
	*capacity = wanted;
	return true;
}

struct value *value_append(struct arena *arena, struct value *array, struct value item)
{
	void *items = array->array.items;

	if (!value_grow(arena, &items, array->array.count, &array->array.capacity, sizeof(item)))
		return NULL;
	array->array.items = items;
	array->array.items[array->array.count] = item;
	return &array->array.items[array->array.count++];
}

void value_reserve(struct arena *arena, struct value *value, uint32_t count)
{
	if (count == 0)
		return;
	if (value->type == VALUE_ARRAY && value->array.count == 0) {
		value->array.items = arena_alloc(arena, count * sizeof(struct value));
		value->array.capacity = value->array.items ? count : 0;
	} else if (value->type == VALUE_MAP && value->map.count == 0) {
		value->map.members = arena_alloc(arena, count * sizeof(struct value_member));
		value->map.capacity = value->map.members ? count : 0;
	}
}

struct value *value_put(struct arena *arena, struct value *map, const char *key, struct value item)
{
	void *members = map->map.members;
	struct value_member *member;

	if (!value_grow(
		arena, &members, map->map.count, &map->map.capacity, sizeof(struct value_member)))
		return NULL;
	map->map.members = members;
	member = &map->map.members[map->map.count++];
	member->key = key;
	member->value = item;
	return &member->value;
}

const struct value_member *value_find(const struct value *map, const char *key)
{
	if (!map || map->type != VALUE_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];

		if (member->key[0] == key[0] && strcmp(member->key, key) == 0)
			return member;
	}
	return NULL;
}

const struct value *value_get(const struct value *map, const char *key)
{
	const struct value_member *member = value_find(map, key);

	return member ? &member->value : NULL;
}

const char *value_get_string(const struct value *map, const char *key)
{
	const struct value *value = value_get(map, key);

	return value && value->type == VALUE_STRING ? value->string.text : NULL;
}

int64_t value_get_int(const struct value *map, const char *key, int64_t fallback)
{
	const struct value *value = value_get(map, key);

	return value && value->type == VALUE_INT ? value->integer : fallback;
}

bool value_get_bool(const struct value *map, const char *key, bool fallback)
{
	const struct value *value = value_get(map, key);

	return value && value->type == VALUE_BOOL ? value->boolean : fallback;
}

bool value_is_text(const struct value *value, const char *text)
{
	return value && value->type == VALUE_STRING && value->string.length == strlen(text) &&
	       memcmp(value->string.text, text, value->string.length) == 0;
}

bool value_number(const struct value *value, double *out)
{
	if (value->type == VALUE_INT)
		*out = (double)value->integer;
	else if (value->type == VALUE_REAL)
		*out = value->real;
	else
		return false;
	return true;
}

static bool value_equal_map(const struct value *a, const struct value *b)
{
	if (a->map.count != b->map.count)
		return false;
	for (uint32_t i = 0; i < a->map.count; i++) {
		const struct value *other = value_get(b, a->map.members[i].key);

		if (!other || !value_equal(&a->map.members[i].value, other))
			return false;
	}
	return true;
}

bool value_equal(const struct value *a, const struct value *b)
{
	double x, y;

	if (a->type != b->type)
		return value_number(a, &x) && value_number(b, &y) && x == y;
	switch (a->type) {
	case VALUE_NIL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_REAL:
		return a->real == b->real;
	case VALUE_STRING:
		return a->string.length == b->string.length &&
		       memcmp(a->string.text, b->string.text, a->string.length) == 0;
	case VALUE_ARRAY:
		if (a->array.count != b->array.count)
			return false;
		for (uint32_t i = 0; i < a->array.count; i++)
			if (!value_equal(&a->array.items[i], &b->array.items[i]))
				return false;
		return true;
	case VALUE_MAP:
		return value_equal_map(a, b);
	}
	return false;
}

struct value value_copy(struct arena *arena, const struct value *value)
{
	struct value copy = *value;

	switch (value->type) {
	case VALUE_STRING:
		return value_string_n(arena, value->string.text, value->string.length);
	case VALUE_ARRAY:
		memset(&copy.array, 0, sizeof(copy.array));
		copy.array.items =
		    arena_alloc(arena, value->array.count * sizeof(*copy.array.items));
		copy.array.capacity = copy.array.items ? value->array.count : 0;
		for (uint32_t i = 0; i < value->array.count; i++)
			value_append(arena, &copy, value_copy(arena, &value->array.items[i]));
		return copy;
	case VALUE_MAP:
		memset(&copy.map, 0, sizeof(copy.map));
		copy.map.members = arena_alloc(arena, value->map.count * sizeof(*copy.map.members));
		copy.map.capacity = copy.map.members ? value->map.count : 0;
		for (uint32_t i = 0; i < value->map.count; i++) {
			const struct value_member *member = &value->map.members[i];
			const char *key = arena_strdup(arena, member->key);

			if (key)
				value_put(arena, &copy, key, value_copy(arena, &member->value));
		}
		return copy;
	default:
		return copy;
	}
}

const char *value_type_name(enum value_type type)
{
	static const char *const names[] = {
	    [VALUE_NIL] = "null",
	    [VALUE_BOOL] = "a boolean",
	    [VALUE_INT] = "an integer",
	    [VALUE_REAL] = "a number",
	    [VALUE_STRING] = "a string",
	    [VALUE_ARRAY] = "a list",
	    [VALUE_MAP] = "a map",
	};

	return names[type];
}
