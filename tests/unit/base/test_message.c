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
