/* SPDX-License-Identifier: MIT */
/*
 * From MessagePack to values. Containers that are small are taken apart by
 * msgpack-c as a whole; a large one is opened here and its elements come one
 * after the other, so that one may stop between any two of them.
 */
#include "base/message.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>
#include "base/frame.h"
#include "base/utf8.h"

/* Keys are compared with each other, so their number is limited; long data comes in arrays. */

/* ---- What is small ---- */

/* before: the element of a list that stands before it, whose keys are mostly the same; NULL: none.
 */
static int message_value(const msgpack_object *object, struct arena *arena,
    const struct value *before, struct value *out, struct schedd_error *err);

static int message_array(const msgpack_object_array *array, struct arena *arena, struct value *out,
    struct schedd_error *err)
{
	struct value *last = NULL;

	*out = value_array();
	value_reserve(arena, out, array->size);
	for (uint32_t i = 0; i < array->size; i++) {
		struct value item;
		int rc = message_value(&array->ptr[i], arena, last, &item, err);

		if (rc)
			return rc;
		last = value_append(arena, out, item);
	}
	return 0;
}

/* Which hashes keys of a map had, so that only few are compared with all the others. */
struct message_seen {
	uint64_t bits[16];
};

/* Was there perhaps such a key before? */
static bool message_seen_add(struct message_seen *seen, const char *key, uint32_t length)
{
	uint32_t hash = 2166136261u;
	uint64_t bit, *word;
	bool had;

	for (uint32_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)key[i]) * 16777619u;
	word = &seen->bits[(hash >> 6) % 16];
	bit = (uint64_t)1 << (hash % 64);
	had = (*word & bit) != 0;
	*word |= bit;
	return had;
}

/* A string, sent as str or as bin. */
static bool message_text(const msgpack_object *object, const char **text, uint32_t *length)
{
	if (object->type != MSGPACK_OBJECT_STR && object->type != MSGPACK_OBJECT_BIN)
		return false;
	*text = object->type == MSGPACK_OBJECT_STR ? object->via.str.ptr : object->via.bin.ptr;
	*length = object->type == MSGPACK_OBJECT_STR ? object->via.str.size : object->via.bin.size;
	if (*length == 0)
		*text = ""; /* msgpack-c points nowhere */
	return true;
}

/* The key at that place of the map before, if it is this one. */
static const char *message_key_before(
    const struct value *before, uint32_t place, const char *text, uint32_t length)
{
	const char *key;

	if (!before || before->type != VALUE_MAP || place >= before->map.count)
		return NULL;
	key = before->map.members[place].key;
	return strncmp(key, text, length) == 0 && !key[length] ? key : NULL;
}

static int message_bad_key(struct schedd_error *err)
{
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "a map key must be a string of UTF-8 without NUL bytes");
}

static int message_key(const msgpack_object *key, struct arena *arena, const struct value *before,
    const struct value *map, struct message_seen *seen, const char **out, struct schedd_error *err)
{
	const char *text;
	uint32_t length;

	if (!message_text(key, &text, &length) || memchr(text, '\0', length) ||
	    !utf8_valid(text, length))
		return message_bad_key(err);
	*out = message_key_before(before, map->map.count, text, length);
	if (!*out)
		*out = arena_strndup(arena, text, length);
	if (*out && message_seen_add(seen, *out, length) && value_find(map, *out))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "key '%.64s' stands twice in a map", *out);
	return *out ? 0 : schedd_error_nomem(err);
}

static int message_map_too_large(uint64_t size, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EINVAL, "a map of %llu members, at most %d are taken",
	    (unsigned long long)size, MESSAGE_MAP_MAX);
}

static int message_map(const msgpack_object_map *map, struct arena *arena,
    const struct value *before, struct value *out, struct schedd_error *err)
{
	struct message_seen seen = {{0}};

	*out = value_map();
	if (map->size > MESSAGE_MAP_MAX)
		return message_map_too_large(map->size, err);
	value_reserve(arena, out, map->size);
	for (uint32_t i = 0; i < map->size; i++) {
		struct value item;
		const char *key = NULL;
		int rc = message_key(&map->ptr[i].key, arena, before, out, &seen, &key, err);

		if (!rc)
			rc = message_value(&map->ptr[i].val, arena, NULL, &item, err);
		if (rc)
			return rc;
		value_put(arena, out, key, item);
	}
	return 0;
}

static int message_value(const msgpack_object *object, struct arena *arena,
    const struct value *before, struct value *out, struct schedd_error *err)
{
	switch (object->type) {
	case MSGPACK_OBJECT_NIL:
		*out = value_nil();
		return 0;
	case MSGPACK_OBJECT_BOOLEAN:
		*out = value_bool(object->via.boolean);
		return 0;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		if (object->via.u64 > INT64_MAX)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "an integer does not fit into 63 bits");
		*out = value_int((int64_t)object->via.u64);
		return 0;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		*out = value_int(object->via.i64);
		return 0;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		*out = value_real(object->via.f64);
		return 0;
	case MSGPACK_OBJECT_STR:
		*out = value_string_n(arena, object->via.str.ptr, object->via.str.size);
		return 0;
	case MSGPACK_OBJECT_BIN:
		*out = value_string_n(arena, object->via.bin.ptr, object->via.bin.size);
		return 0;
	case MSGPACK_OBJECT_ARRAY:
		return message_array(&object->via.array, arena, out, err);
	case MSGPACK_OBJECT_MAP:
		return message_map(&object->via.map, arena, before, out, err);
	case MSGPACK_OBJECT_EXT:
		break;
	}
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "extension types are not part of this protocol");
}

/* ---- In pieces ---- */

/* A container of so many bytes is taken apart as a whole, and a piece has about so many. */
#define MESSAGE_PIECE 8192
/* Of the outer array and of params a message's form is known: they are opened in any case. */
#define MESSAGE_OPENED 2
#define MESSAGE_PARTS 4 /* of a request */

/* A container that is open. */
struct message_level {
	struct value value;       /* with what came of it so far */
	uint64_t left;            /* elements still to come; keys count as such */
	const char *key;          /* of a map: the next value's; NULL: a key comes next */
	struct message_seen seen; /* of a map's keys */
};

struct message_pieces {
	size_t offset;  /* bytes that are done */
	unsigned depth; /* containers that are open */
	struct message_level levels[FRAME_DEPTH_MAX];
	struct value whole; /* where all is done */
	struct value outer[MESSAGE_PARTS]; /* type and msgid are known even without memory */
	msgpack_zone zone;
};

static bool message_pieces_init(struct message_pieces *pieces)
{
	pieces->offset = 0;
	pieces->depth = 0;
	pieces->whole = value_nil();
	/* 2 KiB hold a usual request without a second allocation. */
	return msgpack_zone_init(&pieces->zone, 2048);
}

struct message_pieces *message_pieces_new(void)
{
	struct message_pieces *pieces = malloc(sizeof(*pieces));

	if (pieces && message_pieces_init(pieces))
		return pieces;
	free(pieces);
	return NULL;
}

void message_pieces_free(struct message_pieces *pieces)
{
	if (!pieces)
		return;
	msgpack_zone_destroy(&pieces->zone);
	free(pieces);
}

static int message_broken(struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EINVAL, "bytes that are no MessagePack message");
}

/* The element at bytes as msgpack-c reads it; what it has in the zone lasts until that is cleared. */
static int message_object(struct message_pieces *pieces, const char *bytes, size_t length,
    msgpack_object *out, struct schedd_error *err)
{
	size_t offset = 0;

	switch (msgpack_unpack(bytes, length, &offset, &pieces->zone, out)) {
	case MSGPACK_UNPACK_SUCCESS:
	case MSGPACK_UNPACK_EXTRA_BYTES:
		return 0;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		return schedd_error_nomem(err);
	default:
		return message_broken(err);
	}
}

static int message_open(struct message_pieces *pieces, const struct frame_element *element,
    struct arena *arena, struct schedd_error *err)
{
	struct message_level *level;
	uint64_t count = element->map ? element->children / 2 : element->children;

	if (element->map && count > MESSAGE_MAP_MAX)
		return message_map_too_large(count, err);
	if (pieces->depth >= FRAME_DEPTH_MAX)
		return message_broken(err);
	level = &pieces->levels[pieces->depth++];
	level->value = element->map ? value_map() : value_array();
	level->left = element->children;
	level->key = NULL;
	if (element->map)
		memset(&level->seen, 0, sizeof(level->seen));
	if (pieces->depth == 1 && !element->map && count <= MESSAGE_PARTS) {
		level->value.array.items = pieces->outer;
		level->value.array.capacity = MESSAGE_PARTS;
	} else {
		value_reserve(arena, &level->value, (uint32_t)count);
	}
	pieces->offset += element->header;
	return 0;
}

/* A value that is whole, into the container that it stands in; closes those of which it was the last. */
static void message_put(struct message_pieces *pieces, struct arena *arena, struct value value)
{
	while (pieces->depth) {
		struct message_level *level = &pieces->levels[pieces->depth - 1];

		if (level->value.type == VALUE_MAP)
			value_put(arena, &level->value, level->key, value);
		else
			value_append(arena, &level->value, value);
		level->key = NULL;
		if (--level->left)
			return;
		value = level->value;
		pieces->depth--;
	}
	pieces->whole = value;
}

/* The element that a list had before the one that comes; NULL: none. */
static const struct value *message_before(const struct message_pieces *pieces)
{
	const struct value *list = pieces->depth ? &pieces->levels[pieces->depth - 1].value : NULL;

	return list && list->type == VALUE_ARRAY && list->array.count
		   ? &list->array.items[list->array.count - 1]
		   : NULL;
}

/* Bytes of the container at bytes, if it is not to be opened; 0: it is. */
static size_t message_small(const struct message_pieces *pieces,
    const struct frame_element *element, const char *bytes, size_t length)
{
	const struct frame_limits limits = {.bytes = length, .depth = FRAME_DEPTH_MAX};
	struct frame_scan scan = {0};

	if (!element->children)
		return element->header;
	if (pieces->depth < MESSAGE_OPENED && !element->map)
		return 0;
	return frame_scan(&scan, bytes, length < MESSAGE_PIECE ? length : MESSAGE_PIECE, &limits,
		   NULL) == 1
		   ? scan.offset
		   : 0;
}

/* The next element, or the opening of one that is large. */
static int message_step(struct message_pieces *pieces, const char *bytes, size_t length,
    struct arena *arena, struct schedd_error *err)
{
	struct message_level *level = pieces->depth ? &pieces->levels[pieces->depth - 1] : NULL;
	struct frame_element element;
	msgpack_object object;
	struct value value;
	size_t size;
	int rc;

	bytes += pieces->offset;
	length -= pieces->offset;
	if (frame_element(&element, bytes, length) <= 0)
		return message_broken(err);
	size = element.header + (size_t)element.payload;
	if (element.container)
		size = message_small(pieces, &element, bytes, length);
	if (size > length)
		return message_broken(err);
	if (level && level->value.type == VALUE_MAP && !level->key) {
		rc = element.container ? message_bad_key(err)
				       : message_object(pieces, bytes, size, &object, err);
		if (!rc)
			rc = message_key(&object, arena, NULL, &level->value, &level->seen,
			    &level->key, err);
		level->left--;
	} else if (!size) {
		return message_open(pieces, &element, arena, err);
	} else {
		rc = message_object(pieces, bytes, size, &object, err);
		if (!rc)
			rc = message_value(&object, arena, message_before(pieces), &value, err);
		if (!rc)
			message_put(pieces, arena, value);
	}
	pieces->offset += size;
	msgpack_zone_clear(&pieces->zone);
	return rc;
}

/* ---- Messages ---- */

/* method and params, as requests and notifications have them. */
static int message_call(const struct value *method, const struct value *params,
    struct message *out, struct schedd_error *err)
{
	const struct value *map = params->type == VALUE_ARRAY ? params->array.items : NULL;

	if (method->type != VALUE_STRING || strlen(method->string.text) != method->string.length)
		return schedd_error_set(err, SCHEDD_EINVAL, "the method must be a string");
	out->method = method->string.text;
	if (params->type != VALUE_ARRAY || params->array.count > 1 ||
	    (params->array.count == 1 && map->type != VALUE_MAP && map->type != VALUE_NIL))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "params must be an array of at most one map");
	if (params->array.count == 1)
		out->params = *map;
	return 0;
}

/* What a message says of itself, as far as it came: type and msgid. */
static int message_head(
    const struct value *parts, uint32_t count, struct message *out, struct schedd_error *err)
{
	if (count < 1 || parts[0].type != VALUE_INT || parts[0].integer < 0 || parts[0].integer > 2)
		return schedd_error_set(err, SCHEDD_EINVAL, "a message's type must be 0, 1 or 2");
	out->type = (enum message_type)parts[0].integer;
	if (out->type == MESSAGE_NOTIFICATION)
		return 0;
	if (count < 2 || parts[1].type != VALUE_INT || parts[1].integer < 0 ||
	    parts[1].integer > UINT32_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a msgid must be an integer from 0 to 4294967295");
	out->msgid = (uint32_t)parts[1].integer;
	return 0;
}

/* Likewise, of a message that cannot be taken apart wholly. */
static void message_head_of(const struct message_pieces *pieces, struct message *out)
{
	const struct value *parts = pieces->depth ? &pieces->levels[0].value : &pieces->whole;

	if (parts->type == VALUE_ARRAY && parts->array.items)
		(void)message_head(parts->array.items, parts->array.count, out, NULL);
}

static int message_take_apart(
    const struct value *whole, struct message *out, struct schedd_error *err)
{
	const struct value *parts = whole->array.items;
	uint32_t size = whole->array.count;
	int rc;

	if (whole->type != VALUE_ARRAY || size < 3)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a message must be an array [type, msgid, method, params]");
	rc = message_head(parts, size, out, err);
	if (rc)
		return rc;
	if (out->type == MESSAGE_NOTIFICATION) {
		if (size != 3)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a notification has 3 elements, not %u", size);
		return message_call(&parts[1], &parts[2], out, err);
	}
	if (size != 4)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "requests and responses have 4 elements, not %u", size);
	if (out->type == MESSAGE_REQUEST)
		return message_call(&parts[2], &parts[3], out, err);
	out->error = parts[2];
	out->result = parts[3];
	return 0;
}

int message_pieces_step(struct message_pieces *pieces, const char *bytes, size_t length,
    size_t most, struct arena *arena, struct message *out, struct schedd_error *err)
{
	size_t end = length - pieces->offset < most ? length : pieces->offset + most;
	int rc;

	memset(out, 0, sizeof(*out));
	do {
		rc = message_step(pieces, bytes, length, arena, err);
		if (!rc && arena_failed(arena))
			rc = schedd_error_nomem(err);
		if (rc) {
			message_head_of(pieces, out);
			return rc;
		}
		if (pieces->depth == 0) {
			rc = message_take_apart(&pieces->whole, out, err);
			return rc ? rc : 1;
		}
	} while (pieces->offset < end);
	return 0;
}

int message_unpack(const char *bytes, size_t length, struct arena *arena, struct message *out,
    struct schedd_error *err)
{
	struct message_pieces pieces;
	int rc;

	memset(out, 0, sizeof(*out));
	if (!message_pieces_init(&pieces))
		return schedd_error_nomem(err);
	do
		rc = message_pieces_step(&pieces, bytes, length, length, arena, out, err);
	while (rc == 0);
	msgpack_zone_destroy(&pieces.zone);
	return rc < 0 ? rc : 0;
}
