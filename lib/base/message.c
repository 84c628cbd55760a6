/* SPDX-License-Identifier: MIT */
/* Between MessagePack and values. The packing side writes what the msgpack-c packer makes of it. */
#include "base/message.h"

#include <msgpack.h>
#include <string.h>
#include "base/utf8.h"

/* Keys are compared with each other, so their number is limited; long data comes in arrays. */
#define MESSAGE_MAP_MAX 1024

/* ---- Unpacking ---- */

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

static int message_key(const msgpack_object *key, struct arena *arena, const struct value *before,
    const struct value *map, struct message_seen *seen, const char **out, struct schedd_error *err)
{
	const char *text;
	uint32_t length;

	if (!message_text(key, &text, &length) || memchr(text, '\0', length) ||
	    !utf8_valid(text, length))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a map key must be a string of UTF-8 without NUL bytes");
	*out = message_key_before(before, map->map.count, text, length);
	if (!*out)
		*out = arena_strndup(arena, text, length);
	if (*out && message_seen_add(seen, *out, length) && value_find(map, *out))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "key '%.64s' stands twice in a map", *out);
	return *out ? 0 : schedd_error_nomem(err);
}

static int message_map(const msgpack_object_map *map, struct arena *arena,
    const struct value *before, struct value *out, struct schedd_error *err)
{
	struct message_seen seen = {{0}};

	*out = value_map();
	if (map->size > MESSAGE_MAP_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "a map of %u members, at most %d are taken", map->size, MESSAGE_MAP_MAX);
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

static bool message_is_uint32(const msgpack_object *object)
{
	return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 <= UINT32_MAX;
}

/* method and params, as requests and notifications have them. */
static int message_call(const msgpack_object *method, const msgpack_object *params,
    struct arena *arena, struct message *out, struct schedd_error *err)
{
	const char *text;
	uint32_t length;

	if (!message_text(method, &text, &length) || memchr(text, '\0', length))
		return schedd_error_set(err, SCHEDD_EINVAL, "the method must be a string");
	out->method = arena_strndup(arena, text, length);
	if (params->type != MSGPACK_OBJECT_ARRAY || params->via.array.size > 1 ||
	    (params->via.array.size == 1 && params->via.array.ptr[0].type != MSGPACK_OBJECT_MAP &&
		params->via.array.ptr[0].type != MSGPACK_OBJECT_NIL))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "params must be an array of at most one map");
	if (params->via.array.size == 1)
		return message_value(&params->via.array.ptr[0], arena, NULL, &out->params, err);
	return 0;
}

static int message_take_apart(const msgpack_object *object, struct arena *arena,
    struct message *out, struct schedd_error *err)
{
	const msgpack_object *parts;
	uint32_t size;
	int rc;

	if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size < 3)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a message must be an array [type, msgid, method, params]");
	parts = object->via.array.ptr;
	size = object->via.array.size;
	if (parts[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || parts[0].via.u64 > 2)
		return schedd_error_set(err, SCHEDD_EINVAL, "a message's type must be 0, 1 or 2");
	out->type = (enum message_type)parts[0].via.u64;
	if (out->type == MESSAGE_NOTIFICATION) {
		if (size != 3)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "a notification has 3 elements, not %u", size);
		return message_call(&parts[1], &parts[2], arena, out, err);
	}
	if (!message_is_uint32(&parts[1]))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "a msgid must be an integer from 0 to 4294967295");
	out->msgid = (uint32_t)parts[1].via.u64;
	if (size != 4)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "requests and responses have 4 elements, not %u", size);
	if (out->type == MESSAGE_REQUEST)
		return message_call(&parts[2], &parts[3], arena, out, err);
	rc = message_value(&parts[2], arena, NULL, &out->error, err);
	return rc ? rc : message_value(&parts[3], arena, NULL, &out->result, err);
}

int message_unpack(const char *bytes, size_t length, struct arena *arena, struct message *out,
    struct schedd_error *err)
{
	msgpack_zone zone;
	msgpack_object object;
	size_t offset = 0;
	int rc;

	memset(out, 0, sizeof(*out));
	/* 2 KiB hold a usual message without a second allocation. */
	if (!msgpack_zone_init(&zone, 2048))
		return schedd_error_nomem(err);
	switch (msgpack_unpack(bytes, length, &offset, &zone, &object)) {
	case MSGPACK_UNPACK_SUCCESS:
	case MSGPACK_UNPACK_EXTRA_BYTES:
		rc = message_take_apart(&object, arena, out, err);
		break;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		rc = schedd_error_nomem(err);
		break;
	default:
		rc = schedd_error_set(err, SCHEDD_EINVAL, "bytes that are no MessagePack message");
		break;
	}
	msgpack_zone_destroy(&zone);
	if (!rc && arena_failed(arena))
		rc = schedd_error_nomem(err);
	return rc;
}

/* ---- Packing ---- */

static int message_write(void *data, const char *bytes, size_t length)
{
	struct strbuf *out = data;

	strbuf_add_n(out, bytes, length);
	return strbuf_failed(out) ? -1 : 0;
}

/* Nearly all are short (keys are), and most of a message is such texts: those take one step. */
static void message_pack_text(msgpack_packer *packer, const char *text, size_t length)
{
	struct strbuf *out = packer->data;

	if (length < 32 && strbuf_reserve(out, length + 1)) {
		out->data[out->length] = (char)(0xa0 | length);
		memcpy(out->data + out->length + 1, text, length);
		out->length += length + 1;
		out->data[out->length] = '\0';
		return;
	}
	msgpack_pack_str(packer, length);
	msgpack_pack_str_body(packer, text, length);
}

/* Clients decode str as UTF-8 and may fail at anything else (what a job wrote): that is bin. */
static void message_pack_string(msgpack_packer *packer, const char *text, size_t length)
{
	if (utf8_valid(text, length)) {
		message_pack_text(packer, text, length);
		return;
	}
	msgpack_pack_bin(packer, length);
	msgpack_pack_bin_body(packer, text, length);
}

static void message_members(msgpack_packer *packer, const struct value *map);

static void message_pack(msgpack_packer *packer, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL:
		msgpack_pack_nil(packer);
		break;
	case VALUE_BOOL:
		if (value->boolean)
			msgpack_pack_true(packer);
		else
			msgpack_pack_false(packer);
		break;
	case VALUE_INT:
		msgpack_pack_int64(packer, value->integer);
		break;
	case VALUE_REAL:
		msgpack_pack_double(packer, value->real);
		break;
	case VALUE_STRING:
		message_pack_string(packer, value->string.text, value->string.length);
		break;
	case VALUE_ARRAY:
		msgpack_pack_array(packer, value->array.count);
		for (uint32_t i = 0; i < value->array.count; i++)
			message_pack(packer, &value->array.items[i]);
		break;
	case VALUE_MAP:
		msgpack_pack_map(packer, value->map.count);
		message_members(packer, value);
		break;
	}
}

static void message_members(msgpack_packer *packer, const struct value *map)
{
	for (uint32_t i = 0; i < map->map.count; i++) {
		const char *key = map->map.members[i].key;

		message_pack_text(packer, key, strlen(key));
		message_pack(packer, &map->map.members[i].value);
	}
}

void message_pack_value(struct strbuf *out, const struct value *value)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	message_pack(&packer, value);
}

void message_pack_map(struct strbuf *out, uint32_t count)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_map(&packer, count);
}

void message_pack_members(struct strbuf *out, const struct value *map)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	message_members(&packer, map);
}

static void message_pack_params(msgpack_packer *packer, const struct value *params)
{
	msgpack_pack_array(packer, params ? 1 : 0);
	if (params)
		message_pack(packer, params);
}

void message_pack_request(
    struct strbuf *out, uint32_t msgid, const char *method, const struct value *params)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, MESSAGE_REQUEST);
	msgpack_pack_uint32(&packer, msgid);
	message_pack_text(&packer, method, strlen(method));
	message_pack_params(&packer, params);
}

void message_pack_response(struct strbuf *out, uint32_t msgid, const struct value *result)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, MESSAGE_RESPONSE);
	msgpack_pack_uint32(&packer, msgid);
	msgpack_pack_nil(&packer);
	if (result)
		message_pack(&packer, result);
	else
		msgpack_pack_nil(&packer);
}

void message_pack_list(struct strbuf *out, uint32_t msgid, const char *key,
    const struct strbuf *items, uint32_t count, const struct value *next)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, MESSAGE_RESPONSE);
	msgpack_pack_uint32(&packer, msgid);
	msgpack_pack_nil(&packer);
	msgpack_pack_map(&packer, 2);
	message_pack_text(&packer, key, strlen(key));
	msgpack_pack_array(&packer, count);
	strbuf_add_n(out, strbuf_peek(items), items->length);
	message_pack_text(&packer, "next", 4);
	message_pack(&packer, next);
}

/* The number on the wire is schedctl's exit status, so that it means one thing everywhere. */
static int message_error_number(int code)
{
	if (code <= SCHEDD_EFAILED && code >= SCHEDD_ETIMEOUT)
		return -code;
	return code == SCHEDD_EMETHOD ? 2 : 1;
}

void message_pack_error(struct strbuf *out, uint32_t msgid, const struct schedd_error *err)
{
	const char *name = schedd_error_name(err->code);
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, MESSAGE_RESPONSE);
	msgpack_pack_uint32(&packer, msgid);
	msgpack_pack_map(&packer, 3);
	message_pack_text(&packer, "code", 4);
	msgpack_pack_int(&packer, message_error_number(err->code));
	message_pack_text(&packer, "name", 4);
	message_pack_text(&packer, name, strlen(name));
	message_pack_text(&packer, "message", 7);
	message_pack_text(&packer, err->message, strlen(err->message));
	msgpack_pack_nil(&packer);
}

void message_pack_notification(struct strbuf *out, const char *method, const struct value *params)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_array(&packer, 3);
	msgpack_pack_int(&packer, MESSAGE_NOTIFICATION);
	message_pack_text(&packer, method, strlen(method));
	message_pack_params(&packer, params);
}

int message_error(const struct value *error, struct schedd_error *err)
{
	const char *name = value_get_string(error, "name");
	const char *text = value_get_string(error, "message");

	return schedd_error_set(err, name ? schedd_error_code(name) : SCHEDD_EFAILED, "%s",
	    text ? text : "the daemon answered with an error it did not explain");
}
