/* SPDX-License-Identifier: MIT */
#include "base/frame.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/strbuf.h"

static const struct frame_limits limits = {
    .bytes = 4 << 20, .depth = FRAME_DEPTH_MAX, .elements = 100};

/* Feeds one byte more at a time; every prefix must ask for more. */
static void whole(const char *bytes, size_t length)
{
	struct frame_scan scan = {0};

	for (size_t have = 0; have < length; have++)
		cr_assert_eq(frame_scan(&scan, bytes, have, &limits, NULL), 0, "at byte %zu", have);
	cr_assert_eq(frame_scan(&scan, bytes, length, &limits, NULL), 1);
	cr_assert_eq(scan.offset, length);
}

Test(frame, finds_the_end_of_every_type)
{
	whole("\x01", 1);
	whole("\xe0", 1);
	whole("\xc0", 1);
	whole("\xa3"
	      "abc",
	    4);
	whole("\xc4\x02zz", 4);
	whole("\xc7\x02\x05zz", 5);
	whole("\xcb\0\0\0\0\0\0\0\0", 9);
	whole("\xd3\0\0\0\0\0\0\0\0", 9);
	whole("\xd4\x01z", 3);
	whole("\xd8\x01"
	      "0123456789abcdef",
	    18);
	whole("\xd9\x02zz", 4);
	whole("\xda\0\x02zz", 5);
	whole("\x90", 1);
	whole("\x80", 1);
	whole("\xdc\0\x02\x01\x90", 5);
	whole("\xde\0\x01\xa1k\x92\x01\x02", 8);
	whole("\xdf\0\0\0\x01\xa1k\xc2", 8);
	whole("\x94\x00\x01\xabserver.ping\x91\x80", 17);
}

Test(frame, stops_at_the_end_of_the_first_message)
{
	struct frame_scan scan = {0};

	cr_assert_eq(frame_scan(&scan, "\x91\x01\x91\x02", 4, &limits, NULL), 1);
	cr_assert_eq(scan.offset, 2);
}

static void refused(const char *bytes, size_t length, const char *reason)
{
	struct frame_scan scan = {0};
	struct schedd_error err = {0};

	cr_assert_eq(frame_scan(&scan, bytes, length, &limits, &err), SCHEDD_EINVAL);
	cr_assert(strstr(err.message, reason), "%s", err.message);
}

Test(frame, refuses_announcements_beyond_the_limit_at_their_header)
{
	refused("\xdd\xff\xff\xff\xff", 5, "longer than the limit");
	refused("\xdf\xff\xff\xff\xff", 5, "longer than the limit");
	refused("\xdb\xff\xff\xff\xff", 5, "longer than the limit");
	refused("\xc6\x7f\xff\xff\xff", 5, "longer than the limit");
	refused("\xc9\xff\xff\xff\xff", 5, "longer than the limit");
	refused("\x92\xdb\x00\x3f\xff\xff\xdd\x00\x3f\xff\xff", 6, "longer than the limit");
	refused("\xc1", 1, "0xc1");
}

Test(frame, refuses_more_elements_than_the_limit_in_all)
{
	refused("\xdc\x00\x65", 3, "more than 100 elements");
}

Test(frame, refuses_nesting_beyond_the_limit)
{
	char deep[FRAME_DEPTH_MAX + 2];
	struct frame_scan scan = {0};

	memset(deep, 0x91, sizeof(deep));
	deep[FRAME_DEPTH_MAX] = 0x01;
	cr_assert_eq(frame_scan(&scan, deep, FRAME_DEPTH_MAX + 1, &limits, NULL), 1);
	deep[FRAME_DEPTH_MAX] = (char)0x91;
	refused(deep, sizeof(deep), "nested deeper");
}

static uint32_t made(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* One value of any kind, mostly short, with others within. */
static void make(struct strbuf *out, uint32_t *seed, unsigned depth)
{
	static const struct {
		const char *header;
		size_t size, payload;
		uint32_t children;
	} kinds[] = {
	    {"\x07", 1, 0, 0}, {"\xe1", 1, 0, 0}, {"\xc0", 1, 0, 0}, {"\xc2", 1, 0, 0}, {"\xc3", 1, 0, 0},
	    {"\xa0", 1, 0, 0}, {"\xa5", 1, 5, 0}, {"\xbf", 1, 31, 0}, {"\xcc", 1, 1, 0}, {"\xcd", 1, 2, 0},
	    {"\xcf", 1, 8, 0}, {"\xd3", 1, 8, 0}, {"\xcb", 1, 8, 0}, {"\xd9\x28", 2, 40, 0}, {"\xc4\x03", 2, 3, 0},
	    {"\x80", 1, 0, 0}, {"\x90", 1, 0, 0}, {"\x91", 1, 0, 1}, {"\x93", 1, 0, 3}, {"\x81", 1, 0, 2}, {"\x82", 1, 0, 4},
	    {"\xdc\0\x03", 3, 0, 3}, {"\xde\0\x01", 3, 0, 2}, {"\xdd\0\0\0\0", 5, 0, 0},
	};
	uint32_t kind = made(seed, sizeof(kinds) / sizeof(kinds[0]));

	if (depth == 0 && kinds[kind].children)
		kind = 0;
	strbuf_add_n(out, kinds[kind].header, kinds[kind].size);
	for (size_t i = 0; i < kinds[kind].payload; i++)
		strbuf_add_char(out, (char)made(seed, 256));
	for (uint32_t i = 0; i < kinds[kind].children; i++)
		make(out, seed, depth - 1);
}

Test(frame, finds_the_same_end_in_one_piece_and_in_many)
{
	const struct frame_limits wide = {.bytes = 4 << 20, .depth = FRAME_DEPTH_MAX};
	struct strbuf text = STRBUF_EMPTY;
	uint32_t seed = 1;

	for (int i = 0; i < 3000; i++) {
		struct frame_scan scan = {0};
		size_t length, have;

		strbuf_reset(&text);
		strbuf_add_n(&text, "\x93", 1);
		for (int j = 0; j < 3; j++)
			make(&text, &seed, 6);
		length = text.length;
		for (int j = 0; j < 64; j++)
			strbuf_add_char(&text, (char)0xc1); /* no message: not to be looked at */
		cr_assert_eq(frame_scan(&scan, text.data, text.length, &wide, NULL), 1, "message %d", i);
		cr_assert_eq(scan.offset, length, "message %d: %zu, not %zu", i, scan.offset, length);
		scan = (struct frame_scan){0};
		for (have = 0; have < length; have += 1 + made(&seed, 80))
			cr_assert_eq(frame_scan(&scan, text.data, have, &wide, NULL), 0, "message %d at %zu", i, have);
		cr_assert_eq(frame_scan(&scan, text.data, length, &wide, NULL), 1, "message %d", i);
		cr_assert_eq(scan.offset, length);
	}
	strbuf_clear(&text);
}
