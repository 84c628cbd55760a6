/* SPDX-License-Identifier: MIT */
#include "cmd/out.h"

#include <criterion/criterion.h>
#include <string.h>

static void safe(const char *in, bool newlines, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;

	out_safe(&out, in, strlen(in), newlines);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
}

Test(out_text, lets_nothing_through_that_a_terminal_obeys)
{
	safe("plain \xc3\xa4 \xe6\x97\xa5", false, "plain \xc3\xa4 \xe6\x97\xa5");
	safe("\033[31mred\033[0m", false, "\\x1b[31mred\\x1b[0m");
	safe("a\nb\tc\r", false, "a\\nb\\tc\\x0d");
	safe("a\nb\r", true, "a\nb\\x0d");
	safe("\xc2\x9b"
	     "31m",
	    false, "\\x9b31m");
	safe("\xe2\x80\xae"
	     "evil",
	    false, "\\u202eevil");
	safe("\xff\xc3", false, "\\xff\\xc3");
	safe("\x7f", false, "\\x7f");
}

Test(out_text, measures_what_a_terminal_shows)
{
	cr_assert_eq(out_width("abc", 3), 3);
	cr_assert_eq(out_width("\xc3\xa4", 2), 1);
	cr_assert_eq(out_width("e\xcc\x81", 3), 1);
	cr_assert_eq(out_width("\xe6\x97\xa5\xe6\x9c\xac", 6), 4);
	cr_assert_eq(out_width("\xf0\x9f\x98\x80", 4), 2);
}

Test(out_text, fits_whole_characters_only)
{
	cr_assert_eq(out_fit("abc", 3, 2), 2);
	cr_assert_eq(out_fit("\xe6\x97\xa5\xe6\x9c\xac", 6, 3), 3);
	cr_assert_eq(out_fit("\xe6\x97\xa5", 3, 1), 0);
	cr_assert_eq(out_fit("e\xcc\x81x", 4, 1), 3);
}

static void span(double seconds, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;

	out_span(&out, seconds);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
}

Test(out_text, shows_spans_and_sizes_for_people)
{
	struct strbuf out = STRBUF_EMPTY;

	span(0, "0ms");
	span(0.25, "250ms");
	span(3.21, "3.2s");
	span(61, "1m01s");
	span(3600, "1h00m");
	span(86400 * 2 + 3600 * 5, "2d05h");
	out_bytes(&out, 0);
	strbuf_add_char(&out, ' ');
	out_bytes(&out, 1536);
	strbuf_add_char(&out, ' ');
	out_bytes(&out, (int64_t)5 << 30);
	cr_assert_str_eq(strbuf_peek(&out), "0B 1.5K 5.0G");
	strbuf_clear(&out);
}

Test(out_time, spans_are_rounded_within_their_unit)
{
	span(0.25, "250ms");
	span(0.9996, "1.0s");
	span(59.94, "59.9s");
	span(59.97, "1m00s");
	span(3599.4, "59m59s");
	span(3599.7, "1h00m");
	span(86399, "1d00h");
	span(-90, "-1m30s");
}
