/* SPDX-License-Identifier: MIT */
/* From values to MessagePack: writes what the msgpack-c packer makes of it. See message_unpack.c for the way back. */
#include "base/message.h"

#include <endian.h>
#include <msgpack.h>
#include <string.h>
#include "base/utf8.h"

/* ---- Packing ---- */

static int message_write(void *data, const char *bytes, size_t length)
{
	struct strbuf *out = data;

	strbuf_add_n(out, bytes, length);
	return strbuf_failed(out) ? -1 : 0;
}

/*
 * What most of a message is, texts and numbers that are short, nothing, and lists of
 * few, has one byte before it or takes one: those are put there without the packer's calls.
 */
static void message_byte(msgpack_packer *packer, unsigned byte)
{
	strbuf_add_char(packer->data, (char)byte);
}

static void message_pack_text(msgpack_packer *packer, const char *text, size_t length)
{
	struct strbuf *out = packer->data;

	if (length < 32) {
		if (!strbuf_reserve(out, 1 + length))
			return;
		out->data[out->length] = (char)(0xa0 | length);
		memcpy(out->data + out->length + 1, text, length);
		out->length += 1 + length;
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

/* Times are of that size. */
static void message_pack_wide(msgpack_packer *packer, uint64_t integer)
{
	uint64_t wide = htobe64(integer);
	char bytes[9] = {(char)0xcf};

	memcpy(bytes + 1, &wide, sizeof(wide));
	strbuf_add_n(packer->data, bytes, sizeof(bytes));
}

static void message_pack_integer(msgpack_packer *packer, int64_t integer)
{
	if (integer >= 0 && integer < 128)
		message_byte(packer, (unsigned)integer);
	else if (integer > UINT32_MAX)
		message_pack_wide(packer, (uint64_t)integer);
	else
		msgpack_pack_int64(packer, integer);
}

static void message_members(msgpack_packer *packer, const struct value *map);

static void message_pack(msgpack_packer *packer, const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL:
		message_byte(packer, 0xc0);
		break;
	case VALUE_BOOL:
		message_byte(packer, value->boolean ? 0xc3 : 0xc2);
		break;
	case VALUE_INT:
		message_pack_integer(packer, value->integer);
		break;
	case VALUE_REAL:
		msgpack_pack_double(packer, value->real);
		break;
	case VALUE_STRING:
		message_pack_string(packer, value->string.text, value->string.length);
		break;
	case VALUE_ARRAY:
		if (value->array.count < 16)
			message_byte(packer, 0x90 | value->array.count);
		else
			msgpack_pack_array(packer, value->array.count);
		for (uint32_t i = 0; i < value->array.count; i++)
			message_pack(packer, &value->array.items[i]);
		break;
	case VALUE_MAP:
		if (value->map.count < 16)
			message_byte(packer, 0x80 | value->map.count);
		else
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

size_t message_pack_map_begin(struct strbuf *out)
{
	strbuf_add_n(out, "\xde\0\0", 3);
	return out->length;
}

void message_pack_map_end(struct strbuf *out, size_t begin, uint32_t count)
{
	if (strbuf_failed(out))
		return;
	out->data[begin - 2] = (char)(count >> 8);
	out->data[begin - 1] = (char)count;
}

void message_key_make(struct message_key *key, const char *name)
{
	size_t length = strlen(name);

	*key = (struct message_key){.packed = {(char)(0xa0 | length)}, .length = 1 + length};
	memcpy(key->packed + 1, name, length);
}

/* What takes one byte; 0xc1, which nothing begins with: the value takes more. */
static unsigned message_one_byte(const struct value *value)
{
	switch (value->type) {
	case VALUE_NIL:
		return 0xc0;
	case VALUE_BOOL:
		return value->boolean ? 0xc3 : 0xc2;
	case VALUE_INT:
		return value->integer >= 0 && value->integer < 128 ? (unsigned)value->integer : 0xc1;
	case VALUE_ARRAY:
		return value->array.count ? 0xc1 : 0x90;
	case VALUE_MAP:
		return value->map.count ? 0xc1 : 0x80;
	default:
		return 0xc1;
	}
}

void message_pack_member(struct strbuf *out, const struct message_key *key, const struct value *value)
{
	unsigned byte = message_one_byte(value);
	msgpack_packer packer;

	strbuf_add_whole(out, key->packed, key->length);
	if (byte != 0xc1) {
		strbuf_add_char(out, (char)byte);
		return;
	}
	msgpack_packer_init(&packer, out, message_write);
	message_pack(&packer, value);
}

void message_pack_text_member(struct strbuf *out, const struct message_key *key, const char *text)
{
	msgpack_packer packer;

	strbuf_add_whole(out, key->packed, key->length);
	msgpack_packer_init(&packer, out, message_write);
	if (text)
		message_pack_string(&packer, text, strlen(text));
	else
		message_byte(&packer, 0xc0);
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

void message_pack_list_head(struct strbuf *out, uint32_t msgid, const char *key, uint32_t count,
    const struct value *rest)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, message_write);
	msgpack_pack_array(&packer, 4);
	msgpack_pack_int(&packer, MESSAGE_RESPONSE);
	msgpack_pack_uint32(&packer, msgid);
	msgpack_pack_nil(&packer);
	if (key) {
		msgpack_pack_map(&packer, 1 + rest->map.count);
		message_pack_text(&packer, key, strlen(key));
	}
	msgpack_pack_array(&packer, count);
}

void message_pack_list(struct strbuf *out, uint32_t msgid, const char *key,
    const struct strbuf *items, uint32_t count, const struct value *rest)
{
	message_pack_list_head(out, msgid, key, count, rest);
	strbuf_add_n(out, strbuf_peek(items), items->length);
	if (key)
		message_pack_members(out, rest);
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
