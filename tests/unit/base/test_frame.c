/* SPDX-License-Identifier: MIT */
#include "base/frame.h"

#include <criterion/criterion.h>
#include <string.h>

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
