/* SPDX-License-Identifier: MIT */
/*
 * A stack machine with the few operations that dates, time zones and the fields
 * of triggers are made of; one row an operation. What is marked "memo" below
 * are values that later operations refer to by number.
 */
#include "jobfile/pickle_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"

#define PICKLE_STACK 16384
#define PICKLE_MEMO 16384
#define PICKLE_BYTES ((size_t)1 << 20)
/*
 * A value may be used again and again, and what uses it likewise: a short
 * pickle can stand for more than there are atoms. Elements are counted as
 * often as they are reached, in a value's line.
 */
#define PICKLE_WEIGHT ((uint32_t)1 << 20)
#define PICKLE_DEPTH 48 /* of values in values, in a value's column */

struct pickle {
	struct arena *arena;
	const unsigned char *at, *end;
	struct value *stack[PICKLE_STACK]; /* NULL: a mark */
	size_t depth;
	struct value *memo[PICKLE_MEMO];
	size_t memo_count;
	bool stopped;
};

/* ---- Reading ---- */

/* A little-endian number of size bytes; false: they are not there. */
static bool pickle_number(struct pickle *pickle, size_t size, uint64_t *out)
{
	if ((size_t)(pickle->end - pickle->at) < size)
		return false;
	*out = 0;
	for (size_t i = size; i-- > 0;)
		*out = *out << 8 | pickle->at[i];
	pickle->at += size;
	return true;
}

static bool pickle_push(struct pickle *pickle, struct value value)
{
	struct value *slot = arena_alloc(pickle->arena, sizeof(*slot));

	if (!slot || pickle->depth >= PICKLE_STACK)
		return false;
	*slot = value;
	slot->line = value.line ? value.line : 1;
	pickle->stack[pickle->depth++] = slot;
	return true;
}

/* Beside the depth: it was recalled, and stands elsewhere as it was then. */
#define PICKLE_GIVEN (UINT32_C(1) << 31)

/* Adds to a list or map what an element weighs; false: it is too much, or the holder is within itself. */
static bool pickle_weigh(struct value *holder, const struct value *item)
{
	uint32_t depth = item->column & ~PICKLE_GIVEN;

	if (holder->column & PICKLE_GIVEN || item->line > PICKLE_WEIGHT - holder->line ||
	    depth >= PICKLE_DEPTH)
		return false;
	if (depth + 1 > holder->column)
		holder->column = depth + 1;
	holder->line += item->line;
	return true;
}

/* NULL: the stack is empty, or a mark is on top. */
static struct value *pickle_pop(struct pickle *pickle)
{
	return pickle->depth > 0 ? pickle->stack[--pickle->depth] : NULL;
}

static struct value *pickle_top(struct pickle *pickle)
{
	return pickle->depth > 0 ? pickle->stack[pickle->depth - 1] : NULL;
}

/* Index behind the last mark; 0: there is none. */
static size_t pickle_mark(const struct pickle *pickle)
{
	size_t at = pickle->depth;

	while (at > 0 && pickle->stack[at - 1])
		at--;
	return at;
}

/* The topmost count values as a list in their place. */
static bool pickle_gather(struct pickle *pickle, size_t count)
{
	struct value list = value_array();

	list.line = 1;
	if (pickle->depth < count)
		return false;
	for (size_t i = pickle->depth - count; i < pickle->depth; i++) {
		if (!pickle->stack[i] || !pickle_weigh(&list, pickle->stack[i]) ||
		    !value_append(pickle->arena, &list, *pickle->stack[i]))
			return false;
	}
	pickle->depth -= count;
	return pickle_push(pickle, list);
}

/* ---- Operations; arg is the row's ---- */

static bool pickle_skip(struct pickle *pickle, size_t arg)
{
	uint64_t unused;

	return pickle_number(pickle, arg, &unused);
}

static bool pickle_stop(struct pickle *pickle, size_t arg)
{
	(void)arg;
	pickle->stopped = true;
	return true;
}

static bool pickle_do_mark(struct pickle *pickle, size_t arg)
{
	(void)arg;
	if (pickle->depth >= PICKLE_STACK)
		return false;
	pickle->stack[pickle->depth++] = NULL;
	return true;
}

static bool pickle_none(struct pickle *pickle, size_t arg)
{
	(void)arg;
	return pickle_push(pickle, value_nil());
}

static bool pickle_bool(struct pickle *pickle, size_t arg)
{
	return pickle_push(pickle, value_bool(arg));
}

static bool pickle_int(struct pickle *pickle, size_t arg)
{
	uint64_t number;

	if (!pickle_number(pickle, arg, &number))
		return false;
	/* Only the one of four bytes has a sign. */
	return pickle_push(
	    pickle, value_int(arg == 4 ? (int64_t)(int32_t)(uint32_t)number : (int64_t)number));
}

static bool pickle_text(struct pickle *pickle, size_t arg)
{
	struct value text;
	uint64_t length;

	if (!pickle_number(pickle, arg, &length) || (uint64_t)(pickle->end - pickle->at) < length)
		return false;
	text = value_string_n(pickle->arena, (const char *)pickle->at, (size_t)length);
	pickle->at += length;
	return pickle_push(pickle, text);
}

static bool pickle_bytes(struct pickle *pickle, size_t arg)
{
	if (!pickle_text(pickle, arg))
		return false;
	pickle_top(pickle)->plain = true;
	return true;
}

/* LONG1: as many bytes as say it; one that no integer of ours can hold is an object. */
static bool pickle_long(struct pickle *pickle, size_t arg)
{
	struct value object = value_map();
	uint64_t length, number = 0;

	if (!pickle_number(pickle, arg, &length) || (uint64_t)(pickle->end - pickle->at) < length)
		return false;
	if (length > 8) {
		pickle->at += length;
		object.plain = true;
		value_put(pickle->arena, &object, "class", value_string_ref("builtins.int"));
		return pickle_push(pickle, object);
	}
	if (!pickle_number(pickle, (size_t)length, &number))
		return false;
	if (length > 0 && length < 8 && number >> (length * 8 - 1))
		number |= UINT64_MAX << (length * 8);
	return pickle_push(pickle, value_int((int64_t)number));
}

/* BINFLOAT: eight bytes, big end first. */
static bool pickle_real(struct pickle *pickle, size_t arg)
{
	uint64_t bits = 0;
	double real;

	if ((size_t)(pickle->end - pickle->at) < arg)
		return false;
	for (size_t i = 0; i < arg; i++)
		bits = bits << 8 | *pickle->at++;
	memcpy(&real, &bits, sizeof(real));
	return pickle_push(pickle, value_real(real));
}

/* A set is an object; what is in it does not matter. */
static bool pickle_new_set(struct pickle *pickle, size_t arg)
{
	struct value object = value_map();

	(void)arg;
	object.plain = true;
	value_put(pickle->arena, &object, "class", value_string_ref("builtins.set"));
	return pickle_push(pickle, object);
}

static bool pickle_fill_set(struct pickle *pickle, size_t arg)
{
	size_t mark = pickle_mark(pickle);

	(void)arg;
	if (mark < 2)
		return false;
	pickle->depth = mark - 1;
	return true;
}

static bool pickle_frozen_set(struct pickle *pickle, size_t arg)
{
	size_t mark = pickle_mark(pickle);

	if (mark == 0)
		return false;
	pickle->depth = mark - 1;
	return pickle_new_set(pickle, arg);
}

static bool pickle_tuple(struct pickle *pickle, size_t arg)
{
	return pickle_gather(pickle, arg);
}

static bool pickle_tuple_marked(struct pickle *pickle, size_t arg)
{
	size_t mark = pickle_mark(pickle);
	struct value *list;

	(void)arg;
	if (mark == 0 || !pickle_gather(pickle, pickle->depth - mark))
		return false;
	list = pickle_pop(pickle);
	pickle->stack[pickle->depth - 1] = list;
	return true;
}

static bool pickle_map(struct pickle *pickle, size_t arg)
{
	(void)arg;
	return pickle_push(pickle, value_map());
}

static bool pickle_append(struct pickle *pickle, size_t arg)
{
	struct value *item = pickle_pop(pickle), *list = pickle_top(pickle);

	(void)arg;
	return item && list && list->type == VALUE_ARRAY && pickle_weigh(list, item) &&
	       value_append(pickle->arena, list, *item);
}

static bool pickle_appends(struct pickle *pickle, size_t arg)
{
	size_t mark = pickle_mark(pickle);
	struct value *list = mark > 1 ? pickle->stack[mark - 2] : NULL;

	(void)arg;
	if (!list || list->type != VALUE_ARRAY)
		return false;
	for (size_t i = mark; i < pickle->depth; i++)
		if (!pickle_weigh(list, pickle->stack[i]) ||
		    !value_append(pickle->arena, list, *pickle->stack[i]))
			return false;
	pickle->depth = mark - 1;
	return true;
}

/* Pairs from the stack's place on, into the map. */
static bool pickle_put(struct pickle *pickle, struct value *map, size_t from)
{
	if (!map || map->type != VALUE_MAP || (pickle->depth - from) % 2)
		return false;
	for (size_t i = from; i < pickle->depth; i += 2) {
		const struct value *key = pickle->stack[i], *value = pickle->stack[i + 1];

		if (!key || !value || key->type != VALUE_STRING || !pickle_weigh(map, value) ||
		    !value_put(pickle->arena, map, key->string.text, *value))
			return false;
	}
	return true;
}

static bool pickle_set(struct pickle *pickle, size_t arg)
{
	(void)arg;
	if (pickle->depth < 3 ||
	    !pickle_put(pickle, pickle->stack[pickle->depth - 3], pickle->depth - 2))
		return false;
	pickle->depth -= 2;
	return true;
}

static bool pickle_sets(struct pickle *pickle, size_t arg)
{
	size_t mark = pickle_mark(pickle);

	(void)arg;
	if (mark < 2 || !pickle_put(pickle, pickle->stack[mark - 2], mark))
		return false;
	pickle->depth = mark - 1;
	return true;
}

/* A class or function is its name. */
static bool pickle_named(struct pickle *pickle, const char *module, const char *name)
{
	return pickle_push(
	    pickle, value_string_ref(arena_printf(pickle->arena, "%s.%s", module, name)));
}

static bool pickle_stack_global(struct pickle *pickle, size_t arg)
{
	struct value *name = pickle_pop(pickle), *module = pickle_pop(pickle);

	(void)arg;
	return name && module && name->type == VALUE_STRING && module->type == VALUE_STRING &&
	       pickle_named(pickle, module->string.text, name->string.text);
}

/* "module\nname\n" */
static bool pickle_global(struct pickle *pickle, size_t arg)
{
	char *parts[2];

	(void)arg;
	for (int i = 0; i < 2; i++) {
		const unsigned char *end =
		    memchr(pickle->at, '\n', (size_t)(pickle->end - pickle->at));

		if (!end)
			return false;
		parts[i] = arena_strndup(
		    pickle->arena, (const char *)pickle->at, (size_t)(end - pickle->at));
		if (!parts[i])
			return false;
		pickle->at = end + 1;
	}
	return pickle_named(pickle, parts[0], parts[1]);
}

/*
 * getattr(class, "method"), which is how a class method is pickled (zoneinfo's
 * zones are made by one): the name "class.method". NULL: it is none.
 */
static struct value *pickle_method(struct pickle *pickle, struct value *object)
{
	const struct value *args = value_get(object, "args");
	struct value *name;

	if (!value_is_text(value_get(object, "class"), "builtins.getattr") || !args ||
	    args->type != VALUE_ARRAY || args->array.count != 2 ||
	    args->array.items[0].type != VALUE_STRING || args->array.items[1].type != VALUE_STRING)
		return NULL;
	name = arena_alloc(pickle->arena, sizeof(*name));
	if (name)
		*name = value_string_ref(arena_printf(pickle->arena, "%s.%s",
		    args->array.items[0].string.text, args->array.items[1].string.text));
	return name;
}

/* Is it _codecs.encode(text, "latin1")? Protocol 2 has no other word for bytes. */
static bool pickle_is_bytes(const struct value *name, const struct value *args)
{
	return value_is_text(name, "_codecs.encode") && args->array.count == 2 &&
	       args->array.items[0].type == VALUE_STRING &&
	       value_is_text(&args->array.items[1], "latin1");
}

static bool pickle_latin1(struct pickle *pickle, const struct value *text)
{
	const unsigned char *from = (const unsigned char *)text->string.text;
	char *bytes = arena_alloc(pickle->arena, text->string.length + 1);
	size_t length = 0;

	for (size_t i = 0; bytes && i < text->string.length; i++) {
		unsigned char c = from[i];

		if (c >= 0x80 && ((c & 0xfcU) != 0xc0 || i + 1 == text->string.length))
			return false; /* no character of Latin 1 */
		if (c >= 0x80)
			c = (unsigned char)((c & 3U) << 6 | (from[++i] & 0x3fU));
		bytes[length++] = (char)c;
	}
	if (!bytes || !pickle_push(pickle, value_string_n(pickle->arena, bytes, length)))
		return false;
	pickle_top(pickle)->plain = true;
	return true;
}

/* REDUCE and NEWOBJ: a name and its arguments. */
static bool pickle_object(struct pickle *pickle, size_t arg)
{
	struct value *args = pickle_pop(pickle), *name = pickle_pop(pickle);
	struct value object = value_map();

	(void)arg;
	if (name && name->type == VALUE_MAP && name->plain)
		name = pickle_method(pickle, name);
	if (!args || !name || args->type != VALUE_ARRAY || name->type != VALUE_STRING)
		return false;
	if (pickle_is_bytes(name, args))
		return pickle_latin1(pickle, &args->array.items[0]);
	object.plain = true;
	object.line = args->line;
	object.column = (args->column & ~PICKLE_GIVEN) + 1;
	value_put(pickle->arena, &object, "class", *name);
	value_put(pickle->arena, &object, "args", *args);
	return pickle_push(pickle, object);
}

static bool pickle_build(struct pickle *pickle, size_t arg)
{
	struct value *state = pickle_pop(pickle), *object = pickle_top(pickle);

	(void)arg;
	return state && object && object->type == VALUE_MAP && pickle_weigh(object, state) &&
	       value_put(pickle->arena, object, "state", *state);
}

static bool pickle_remember(struct pickle *pickle, size_t arg)
{
	struct value *top = pickle_top(pickle);
	uint64_t index = pickle->memo_count;

	if (!top || (arg > 0 && !pickle_number(pickle, arg, &index)) || index >= PICKLE_MEMO)
		return false;
	pickle->memo[index] = top;
	if (index >= pickle->memo_count)
		pickle->memo_count = (size_t)index + 1;
	return true;
}

static bool pickle_recall(struct pickle *pickle, size_t arg)
{
	uint64_t index;

	if (!pickle_number(pickle, arg, &index) || index >= pickle->memo_count ||
	    !pickle->memo[index] || pickle->depth >= PICKLE_STACK)
		return false;
	pickle->memo[index]->column |= PICKLE_GIVEN;
	pickle->stack[pickle->depth++] = pickle->memo[index];
	return true;
}

static const struct {
	unsigned char code;
	size_t arg;
	bool (*run)(struct pickle *pickle, size_t arg);
} pickle_rows[] = {
    {0x80, 1, pickle_skip}, /* PROTO */
    {0x95, 8, pickle_skip}, /* FRAME */
    {'.', 0, pickle_stop}, {'(', 0, pickle_do_mark}, {'N', 0, pickle_none}, {0x88, 1, pickle_bool},
    {0x89, 0, pickle_bool}, {'K', 1, pickle_int}, {'M', 2, pickle_int}, {'J', 4, pickle_int},
    {0x8c, 1, pickle_text}, /* SHORT_BINUNICODE */
    {'X', 4, pickle_text},  /* BINUNICODE */
    {0x8d, 8, pickle_text}, /* BINUNICODE8 */
    {'C', 1, pickle_bytes}, /* SHORT_BINBYTES */
    {'B', 4, pickle_bytes}, /* BINBYTES */
    {0x8e, 8, pickle_bytes}, /* BINBYTES8 */
    {0x96, 8, pickle_bytes}, /* BYTEARRAY8 */
    {0x8a, 1, pickle_long}, {0x8b, 4, pickle_long}, {'G', 8, pickle_real},
    {0x8f, 0, pickle_new_set}, {0x90, 0, pickle_fill_set}, {0x91, 0, pickle_frozen_set},
    {'U', 1, pickle_text},  /* SHORT_BINSTRING */
    {')', 0, pickle_tuple}, {0x85, 1, pickle_tuple}, {0x86, 2, pickle_tuple},
    {0x87, 3, pickle_tuple}, {'t', 0, pickle_tuple_marked}, {']', 0, pickle_tuple}, /* EMPTY_LIST */
    {'}', 0, pickle_map}, {'a', 0, pickle_append}, {'e', 0, pickle_appends}, {'s', 0, pickle_set},
    {'u', 0, pickle_sets}, {0x93, 0, pickle_stack_global}, {'c', 0, pickle_global},
    {'R', 0, pickle_object}, {0x81, 0, pickle_object},  /* NEWOBJ */
    {'b', 0, pickle_build}, {0x94, 0, pickle_remember}, /* MEMOIZE */
    {'q', 1, pickle_remember},                          /* BINPUT */
    {'r', 4, pickle_remember},                          /* LONG_BINPUT */
    {'h', 1, pickle_recall},                            /* BINGET */
    {'j', 4, pickle_recall},                            /* LONG_BINGET */
};

static bool pickle_step(struct pickle *pickle)
{
	unsigned char code = *pickle->at++;

	for (size_t i = 0; i < sizeof(pickle_rows) / sizeof(pickle_rows[0]); i++)
		if (pickle_rows[i].code == code)
			return pickle_rows[i].run(pickle, pickle_rows[i].arg);
	return false;
}

int pickle_read_bytes(const void *bytes, size_t length, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	struct pickle *pickle = calloc(1, sizeof(*pickle));
	bool good = length <= PICKLE_BYTES;
	int rc = 0;

	if (!pickle)
		return schedd_error_nomem(err);
	pickle->arena = arena;
	pickle->at = bytes;
	pickle->end = pickle->at + length;
	while (good && !pickle->stopped)
		good = pickle->at < pickle->end && pickle_step(pickle);
	if (arena_failed(arena))
		rc = schedd_error_nomem(err);
	else if (!good || pickle->depth != 1 || !pickle->stack[0])
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "a Python object in it is of no known kind");
	else
		*out = *pickle->stack[0];
	free(pickle);
	return rc;
}

int pickle_read(
    const char *text, struct arena *arena, struct value *out, struct schedd_error *err)
{
	unsigned char *bytes = arena_alloc(arena, strlen(text) + 1);
	size_t length = 0;

	if (!bytes)
		return schedd_error_nomem(err);
	if (strlen(text) > PICKLE_BYTES || !base64_read(text, strlen(text), bytes, &length))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a Python object in it is of no known kind");
	return pickle_read_bytes(bytes, length, arena, out, err);
}
