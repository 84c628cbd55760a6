/* SPDX-License-Identifier: MIT */
/* The quick way and the thorough one agree on every text. */
#include "store/sql_json.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"

static void assert_agrees(const char *text)
{
	struct schedd_error quick_err, err;
	struct value quick, thorough;
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = json_parse(text, strlen(text), &arena, &thorough, &err);
	cr_assert_eq(
	    sql_json_parse(text, strlen(text), &arena, &quick, &quick_err), rc, "%s", text);
	if (rc == 0)
		cr_assert(value_equal(&quick, &thorough), "%s", text);
	else
		cr_assert_str_eq(quick_err.message, err.message);
	arena_clear(&arena);
}

Test(sql_json, reads_as_the_thorough_way_does)
{
	static const char *const texts[] = {"{}", "[]", "[[],{}]", "{\"a\":1}",
	    "[1,-2,0,-0,01,1.5,1e3]", "[1,2,]", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "\"text\"",
	    "\"\\u00e4\"", "\"ä\"", "\"\x01\"", "true", "false", "null", "nul", "tru",
	    "[true,false,null]", "", " [1]", "[1] ", "[1]x", "[1", "{\"a\"", "{\"a\":", "{a:1}",
	    "\"", "-", "[-]", "--1", "999999999999999999", "9999999999999999999",
	    "-9223372036854775808", "9223372036854775808", "{\"a\":{\"b\":[1,\"c\",{\"d\":null}]}}",
	    "[[[[[[[[[[1]]]]]]]]]]", "[\"a\\\"b\"]", "[\"\x7f\"]", "['a']", "[1 ,2]",
	    "{\"type\":\"cron\",\"expr\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_agrees(texts[i]);
}

/* Every text of up to five of these bytes. */
Test(sql_json, agrees_on_every_short_text)
{
	static const char bytes[] = "[]{}\",:10-";
	const size_t count = sizeof(bytes) - 1;
	char text[6];

	for (size_t length = 1; length <= 5; length++) {
		size_t total = 1;

		for (size_t i = 0; i < length; i++)
			total *= count;
		for (size_t n = 0; n < total; n++) {
			size_t rest = n;

			for (size_t i = 0; i < length; i++, rest /= count)
				text[i] = bytes[rest % count];
			text[length] = '\0';
			assert_agrees(text);
		}
	}
}
