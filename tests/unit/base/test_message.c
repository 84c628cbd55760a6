/* SPDX-License-Identifier: MIT */
#include "base/message.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/frame.h"

static struct value sample(struct arena *arena)
{
	struct value map = value_map(), list = value_array();

	value_append(arena, &list, value_int(-1));
	value_append(arena, &list, value_real(0.5));
	value_append(arena, &list, value_nil());
	value_put(arena, &map, "list", list);
	value_put(arena, &map, "yes", value_bool(true));
	value_put(arena, &map, "text", value_string_n(arena, "a\0b", 3));
	value_put(arena, &map, "big", value_int(INT64_MAX));
	value_put(arena, &map, "small", value_int(INT64_MIN));
	return map;
}

/* The first bytes of what becomes of it. */
static void begins_with(struct value value, const char *bytes, size_t length)
{
	struct strbuf packed = STRBUF_EMPTY;

	message_pack_value(&packed, &value);
	cr_assert_geq(packed.length, length);
	cr_expect_eq(memcmp(packed.data, bytes, length), 0, "%02x %02x, not %02x",
	    (unsigned char)packed.data[0], (unsigned char)packed.data[packed.length - 1],
	    (unsigned char)bytes[0]);
	strbuf_clear(&packed);
}

#define BEGINS_WITH(value, bytes) begins_with((value), (bytes), sizeof(bytes) - 1)

static struct value of_many(struct arena *arena, struct value value, int count)
{
	for (int i = 0; i < count; i++)
		if (value.type == VALUE_ARRAY)
			value_append(arena, &value, value_nil());
		else
			value_put(arena, &value, "k", value_nil());
	return value;
}

Test(message, packs_in_the_fewest_bytes)
{
	char text[300];
	struct arena arena;

	arena_init(&arena);
	memset(text, 'a', sizeof(text));
	BEGINS_WITH(value_nil(), "\xc0");
	BEGINS_WITH(value_bool(false), "\xc2");
	BEGINS_WITH(value_bool(true), "\xc3");
	BEGINS_WITH(value_int(0), "\0");
	BEGINS_WITH(value_int(127), "\x7f");
	BEGINS_WITH(value_int(128), "\xcc\x80");
	BEGINS_WITH(value_int(-1), "\xff");
	BEGINS_WITH(value_int(-32), "\xe0");
	BEGINS_WITH(value_int(-33), "\xd0\xdf");
	BEGINS_WITH(value_int(INT64_C(1) << 32), "\xcf\0\0\0\1\0\0\0\0");
	BEGINS_WITH(value_string_ref(""), "\xa0");
	BEGINS_WITH(value_string_n(&arena, text, 31), "\xbf" "aaa");
	BEGINS_WITH(value_string_n(&arena, text, 32), "\xd9\x20" "aaa");
	BEGINS_WITH(value_string_n(&arena, text, 256), "\xda\1\0aaa");
	BEGINS_WITH(value_string_ref("\xff"), "\xc4\1\xff");
	BEGINS_WITH(value_array(), "\x90");
	BEGINS_WITH(of_many(&arena, value_array(), 15), "\x9f\xc0");
	BEGINS_WITH(of_many(&arena, value_array(), 16), "\xdc\0\x10\xc0");
	BEGINS_WITH(value_map(), "\x80");
	BEGINS_WITH(of_many(&arena, value_map(), 15), "\x8f\xa1k\xc0");
	BEGINS_WITH(of_many(&arena, value_map(), 16), "\xde\0\x10\xa1k\xc0");
	arena_clear(&arena);
}

Test(message, request_comes_back_as_it_was_packed)
{
	struct strbuf packed = STRBUF_EMPTY;
	struct frame_scan scan = {0};
	const struct frame_limits limits = {.bytes = 4096, .depth = FRAME_DEPTH_MAX};
	struct arena arena;
	struct message message;
	struct value params;

	arena_init(&arena);
	params = sample(&arena);
	message_pack_request(&packed, 7, "job.add", &params);
	cr_assert_eq(frame_scan(&scan, packed.data, packed.length, &limits, NULL), 1);
	cr_assert_eq(scan.offset, packed.length);
	cr_assert_eq(message_unpack(packed.data, packed.length, &arena, &message, NULL), 0);
	cr_assert_eq(message.type, MESSAGE_REQUEST);
	cr_assert_eq(message.msgid, 7);
	cr_assert_str_eq(message.method, "job.add");
	cr_assert(value_equal(&message.params, &params));
	strbuf_clear(&packed);
	arena_clear(&arena);
}

Test(message, error_keeps_code_name_and_sentence)
{
	struct schedd_error err = {0}, back = {0};
	struct strbuf packed = STRBUF_EMPTY;
	struct arena arena;
	struct message message;

	arena_init(&arena);
	schedd_error_set(&err, SCHEDD_ENOTFOUND, "no such job 'x'");
	message_pack_error(&packed, 9, &err);
	cr_assert_eq(message_unpack(packed.data, packed.length, &arena, &message, NULL), 0);
	cr_assert_eq(value_get_int(&message.error, "code", 0), 4);
	cr_assert_str_eq(value_get_string(&message.error, "name"), "not_found");
	cr_assert_eq(message_error(&message.error, &back), SCHEDD_ENOTFOUND);
	cr_assert_str_eq(back.message, "no such job 'x'");
	strbuf_clear(&packed);
	arena_clear(&arena);
}

static void refused(const char *bytes, size_t length, const char *reason)
{
	struct schedd_error err = {0};
	struct arena arena;
	struct message message;

	arena_init(&arena);
	cr_assert_eq(message_unpack(bytes, length, &arena, &message, &err), SCHEDD_EINVAL);
	cr_assert(strstr(err.message, reason), "%s", err.message);
	arena_clear(&arena);
}

Test(message, says_what_is_wrong_with_a_message)
{
	refused("\x01", 1, "must be an array");
	refused("\x92\x00\x01", 3, "must be an array");
	refused("\x94\x03\x01\xa1m\x90", 6, "0, 1 or 2");
	refused("\x94\x00\xff\xa1m\x90", 6, "msgid");
	refused("\x94\x00\x01\x05\x90", 5, "method must be a string");
	refused("\x94\x00\x01\xa1m\x05", 6, "params");
	refused("\x94\x00\x01\xa1m\x92\x80\x80", 8, "params");
	refused("\x94\x00\x01\xa1m\x91\x81\x05\x05", 9, "key must be a string");
	refused("\x94\x00\x01\xa1m\x91\x82\xa1k\x05\xa1k\x05", 13, "twice");
	refused("\x94\x00\x01\xa1m\x91\x81\xa1k\xd4\x01z", 12, "extension");
	refused(
	    "\x94\x00\x01\xa1m\x91\x81\xa1k\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 18, "63 bits");
	refused("\x93\x00\x01\xa1m", 5, "4 elements");
}

Test(message, keeps_the_msgid_of_a_bad_request)
{
	struct arena arena;
	struct message message;

	arena_init(&arena);
	cr_assert_eq(
	    message_unpack("\x94\x00\x2a\xa1m\x05", 6, &arena, &message, NULL), SCHEDD_EINVAL);
	cr_assert_eq(message.type, MESSAGE_REQUEST);
	cr_assert_eq(message.msgid, 42);
	arena_clear(&arena);
}

/* [0, 7, "m", [{"list": [[numbers], ...], "text": ...}]], too large for one piece at three depths. */
static void pack_large(struct strbuf *packed, struct arena *arena, uint32_t lists, uint32_t numbers)
{
	struct value map = value_map(), outer = value_array(), pair;
	struct strbuf text = STRBUF_EMPTY;

	for (uint32_t i = 0; i < lists; i++) {
		struct value list = value_array();

		for (uint32_t j = 0; j < numbers; j++)
			value_append(arena, &list, value_int((int64_t)j * j));
		value_append(arena, &outer, list);
		pair = value_map();
		value_put(arena, &pair, "same", value_int(i));
		value_put(arena, &pair, "keys", value_string(arena, "x"));
		value_append(arena, &outer, pair);
	}
	for (uint32_t i = 0; i < 30000; i++)
		strbuf_add(&text, "é");
	value_put(arena, &map, "list", outer);
	value_put(arena, &map, "text", value_string(arena, strbuf_peek(&text)));
	value_put(arena, &map, "none", value_array());
	strbuf_clear(&text);
	message_pack_request(packed, 7, "m", &map);
}

Test(message, in_pieces_is_what_it_is_at_once)
{
	static const size_t sizes[] = {1, 1000, 16384, SIZE_MAX / 2};
	struct strbuf packed = STRBUF_EMPTY;
	struct message whole, message;
	struct arena arena, other;

	arena_init(&arena);
	pack_large(&packed, &arena, 40, 3000);
	cr_assert_eq(message_unpack(packed.data, packed.length, &arena, &whole, NULL), 0);
	cr_assert_eq(value_get(&whole.params, "list")->array.count, 80);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct message_pieces *pieces = message_pieces_new();
		size_t steps = 0;
		int rc;

		arena_init(&other);
		do {
			rc = message_pieces_step(pieces, packed.data, packed.length, sizes[i], &other, &message, NULL);
			steps++;
		} while (rc == 0);
		cr_assert_eq(rc, 1);
		/* A text is not cut, and what is small is taken whole. */
		if (sizes[i] <= 16384)
			cr_assert_geq(steps, (packed.length - 60000) / (sizes[i] + 9 * 1024));
		cr_assert_eq(message.msgid, 7);
		cr_assert_str_eq(message.method, "m");
		cr_assert(value_equal(&message.params, &whole.params));
		message_pieces_free(pieces);
		arena_clear(&other);
	}
	strbuf_clear(&packed);
	arena_clear(&arena);
}

Test(message, says_what_is_wrong_in_a_large_one_and_keeps_its_msgid)
{
	struct strbuf packed = STRBUF_EMPTY;
	struct schedd_error err;
	struct message message;
	struct arena arena;

	arena_init(&arena);
	pack_large(&packed, &arena, 40, 3000);
	packed.data[packed.length - 1] = (char)0xc1;
	cr_assert_eq(message_unpack(packed.data, packed.length, &arena, &message, &err), SCHEDD_EINVAL);
	cr_assert_eq(message.type, MESSAGE_REQUEST);
	cr_assert_eq(message.msgid, 7);
	cr_assert_eq(message_unpack(packed.data, packed.length - 1, &arena, &message, &err), SCHEDD_EINVAL);
	cr_assert_eq(message.msgid, 7);
	strbuf_clear(&packed);
	arena_clear(&arena);
}

Test(message, packs_a_map_member_by_member)
{
	struct strbuf parts = STRBUF_EMPTY, whole = STRBUF_EMPTY;
	struct message a, b;
	struct schedd_error err;
	struct value map;
	struct arena arena;
	size_t begin;

	arena_init(&arena);
	map = sample(&arena);
	value_put(&arena, &map, "a name of thirty-one characters", value_int(UINT32_MAX));
	value_put(&arena, &map, "time", value_int((int64_t)UINT32_MAX + 1));
	message_pack_response(&whole, 7, &map);
	/* The head of an answer, then a map. */
	strbuf_add_n(&parts, whole.data, 4);
	begin = message_pack_map_begin(&parts);
	for (uint32_t i = 0; i < map.map.count; i++) {
		struct message_key key;

		message_key_make(&key, map.map.members[i].key);
		message_pack_member(&parts, &key, &map.map.members[i].value);
	}
	message_pack_map_end(&parts, begin, map.map.count);
	cr_assert_eq(message_unpack(whole.data, whole.length, &arena, &a, &err), 0, "%s", err.message);
	cr_assert_eq(message_unpack(parts.data, parts.length, &arena, &b, &err), 0, "%s", err.message);
	cr_expect(value_equal(&a.result, &map));
	cr_expect(value_equal(&b.result, &map));
	strbuf_clear(&parts);
	strbuf_clear(&whole);
	arena_clear(&arena);
}
