/* SPDX-License-Identifier: MIT */
/* What is read swiftly is what the library reads, value for value, and nothing else. */
#include "base/json_swift.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"
#include "base/json_library.h"

static void write_either(struct strbuf *out, bool good, const struct value *value)
{
	if (good)
		json_write(out, value);
	else
		strbuf_add(out, "refused");
}

/* What both say of it, as text. True: it is JSON. */
static bool alike(const char *text, size_t length)
{
	struct strbuf swiftly = STRBUF_EMPTY, slowly = STRBUF_EMPTY;
	struct value left, right;
	struct schedd_error err;
	struct arena arena;
	bool good;

	arena_init(&arena);
	write_either(
	    &swiftly, json_swift_parse(text, length, false, UINT32_MAX, &arena, &left), &left);
	good = json_library_parse(text, length, &arena, &right, &err) == 0;
	write_either(&slowly, good, &right);
	cr_expect_str_eq(strbuf_peek(&swiftly), strbuf_peek(&slowly), "%s", text);
	strbuf_clear(&swiftly);
	strbuf_clear(&slowly);
	arena_clear(&arena);
	return good;
}

static const char *const good[] = {
    "{\"version\":1,\"jobs\":{\"a\":{\"x\":[1,{\"y\":\"}{\\\"\"}]},\"b\":{\"x\":[],\"y\":{}}}}",
    " { \"v\" : null ,\t\"jobs\" : [ true , false\r\n, -0.5e+3, 0 ] } \n",
    "{\"\\u00e4\":\"\\b\\f\\n\\r\\t\\/\\\\\\\"\\u0000\\u20AC\\ud83d\\ude00\",\"\":\"\xc3\xa4\xf0\x9f\x98\x80\x7f\"}",
    "[9223372036854775807,-9223372036854775808,-0,1e300,0.1,1E5,12345678901234567890123456789012345678901234567890"
    "1234567890123456789012345678901234567890.5]",
    "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,"
    "\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1}",
    "\"\"",
    "17",
};

Test(json_swift, reads_what_the_library_reads)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(alike(good[i], strlen(good[i])), "%s", good[i]);
}

Test(json_swift, refuses_what_the_library_refuses)
{
	static const char *const bad[] = {"", " ", "nul", "truex", "01", "-", "1.", ".5", "1e", "+1", "1 2", "[1,]", "[,1]",
	    "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1,\"a\":2}", "{\"a\\u0000\":1}", "\"\\x\"",
	    "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\xff\"", "\"\xed\xa0\x80\"", "\"\xc3\"", "\"a\nb\"",
	    "9223372036854775808", "-9223372036854775809", "1e400", "99999999999999999999",
	    "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"a\":1}"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(alike(bad[i], strlen(bad[i])), "%s", bad[i]);
	cr_expect_not(alike("\"\0\"", 3));
}

/* Every byte of the good ones is left out, and put in place of by each of these. */
Test(json_swift, agrees_about_every_slip)
{
	static const char slips[] = "{}[]:,\"\\ 0-.eun\n\x01\xc3\x80";
	char text[512];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		size_t length = strlen(good[i]);

		for (size_t at = 0; at < length; at++) {
			memcpy(text, good[i], length + 1);
			memmove(text + at, text + at + 1, length - at);
			alike(text, length - 1);
			for (const char *slip = slips; *slip; slip++) {
				memcpy(text, good[i], length + 1);
				text[at] = *slip;
				alike(text, length);
			}
		}
	}
}

Test(json_swift, ends_at_its_bounds)
{
	char deep[131];
	struct arena arena;
	struct value value;

	arena_init(&arena);
	cr_expect(json_swift_parse("[1,2]", 5, false, 3, &arena, &value));
	cr_expect_not(json_swift_parse("[1,2]", 5, false, 2, &arena, &value));
	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	deep[130] = '\0';
	cr_expect(alike(deep + 1, 128));
	cr_expect_not(alike(deep, 130));
	arena_clear(&arena);
}

Test(json_swift, says_where_a_value_stood)
{
	const char *text = "{\n  \"\xc3\xa4\": [\"\xc3\xa4\", 7],\n\t\"b\": {}}";
	const struct value_member *member;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	cr_assert(json_swift_parse(text, strlen(text), true, UINT32_MAX, &arena, &value));
	member = &value.map.members[0];
	cr_expect_eq(member->line, 2);
	cr_expect_eq(member->column, 3);
	cr_expect_eq(member->value.column, 8);
	cr_expect_eq(member->value.array.items[1].column, 14);
	member = &value.map.members[1];
	cr_expect_eq(member->line, 3);
	cr_expect_eq(member->column, 2);
	cr_assert(json_swift_parse(text, strlen(text), false, UINT32_MAX, &arena, &value));
	cr_expect_eq(value.map.members[1].line, 0);
	arena_clear(&arena);
}
