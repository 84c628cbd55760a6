/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <criterion/criterion.h>
#include <string.h>

static void same(const char *in, const char *expected)
{
	struct schedd_error err = {0};
	struct strbuf out = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	cr_assert_eq(
	    json_parse(in, strlen(in), &arena, &value, &err), 0, "%s: %s", in, err.message);
	json_write(&out, &value);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	arena_clear(&arena);
}

Test(json, reads_and_writes_every_type)
{
	same("{\"a\": [1, -2, 1.5, true, null, \"x\"], \"b\": {}}",
	    "{\"a\":[1,-2,1.5,true,null,\"x\"],\"b\":{}}");
	same("\"\\u0000\\u001b\\\"\\\\ \xc3\xa9\"", "\"\\u0000\\u001b\\\"\\\\ \xc3\xa9\"");
	same("0.1", "0.1");
	same("1e300", "1e+300");
	same("9223372036854775807", "9223372036854775807");
}

Test(json, replaces_what_is_no_utf8)
{
	struct strbuf out = STRBUF_EMPTY;

	json_write_string(&out, "a\xff\xc0\x80\xed\xa0\x80z", 8);
	cr_assert_str_eq(strbuf_peek(&out),
	    "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
	strbuf_clear(&out);
}

Test(json, escapes_what_a_terminal_would_obey)
{
	const char text[] =
	    "\x1b\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xef\xbb\xbf\xc2\xa0\xe2\x82\xac";
	struct strbuf out = STRBUF_EMPTY;

	json_write_string(&out, text, sizeof(text) - 1);
	cr_assert_str_eq(strbuf_peek(&out),
	    "\"\\u001b\\u009b\\u202e\\u2066\\u061c\\ufeff\xc2\xa0\xe2\x82\xac\"");
	strbuf_clear(&out);
}

Test(json, writes_integers_to_their_ends)
{
	const int64_t integers[] = {0, 7, -1, 1234567890, INT64_MAX, INT64_MIN};
	struct strbuf out = STRBUF_EMPTY;

	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		struct value value = value_int(integers[i]);

		json_write(&out, &value);
		strbuf_add_char(&out, ' ');
	}
	cr_assert_str_eq(
	    strbuf_peek(&out), "0 7 -1 1234567890 9223372036854775807 -9223372036854775808 ");
	strbuf_clear(&out);
}

Test(json, names_the_place_of_an_error)
{
	const char *bad[] = {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "1 2", "\"\xff\"", "nul"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct schedd_error err = {0};
		struct arena arena;
		struct value value;

		arena_init(&arena);
		cr_assert_eq(json_parse(bad[i], strlen(bad[i]), &arena, &value, &err),
		    SCHEDD_EINVAL, "%s", bad[i]);
		cr_assert(strstr(err.message, "line 1"), "%s", err.message);
		arena_clear(&arena);
	}
}

Test(json, refuses_deep_nesting)
{
	char deep[131];
	struct schedd_error err;
	struct arena arena;
	struct value value;

	deep[0] = '\n';
	memset(deep + 1, '[', 65);
	memset(deep + 66, ']', 65);
	arena_init(&arena);
	cr_expect_eq(json_parse(deep + 2, 128, &arena, &value, &err), 0);
	cr_expect_eq(json_parse(deep, 131, &arena, &value, &err), SCHEDD_EINVAL);
	cr_expect_str_eq(err.message, "invalid JSON at line 2, column 65: nested deeper than 64");
	cr_expect_eq(err.offset, 65);
	arena_clear(&arena);
}

Test(json, counts_elements_before_they_are_made)
{
	static const struct {
		const char *text;
		size_t elements;
	} cases[] = {{"1", 1},
	    {"[]", 2},
	    {"[1, 2, [3]]", 5},
	    {"{\"a\": 1, \"b\": {}}", 6},
	    {"\"a,b:[{\\\\\\\",:\"", 1},
	    {"[\"\\\\\", 1]", 3}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(json_elements(cases[i].text, strlen(cases[i].text)),
		    cases[i].elements, "%s", cases[i].text);
}

/* On a thread's small stack: what is far too deep is refused before anybody goes down into it. */
Test(json, takes_brackets_in_a_text_for_text)
{
	char text[400] = "\"";
	struct arena arena;
	struct value value;

	memset(text + 1, '[', 300);
	text[301] = '"';
	arena_init(&arena);
	cr_assert_eq(json_parse(text, 302, &arena, &value, NULL), 0);
	cr_assert_eq(value.string.length, 300);
	cr_assert_eq(json_parse("[[]]]]]", 7, &arena, &value, NULL), SCHEDD_EINVAL);
	arena_clear(&arena);
}
