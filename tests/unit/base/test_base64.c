/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void both_ways(const char *bytes, size_t length, const char *expected)
{
	struct strbuf text = STRBUF_EMPTY;
	char back[64];
	size_t size;

	base64_write(&text, bytes, length);
	cr_assert_str_eq(strbuf_peek(&text), expected);
	cr_assert(base64_read(strbuf_peek(&text), text.length, back, &size));
	cr_assert_eq(size, length);
	cr_assert_arr_eq(back, bytes, length + 0);
	strbuf_clear(&text);
}

Test(base64, knows_the_examples_of_the_rfc)
{
	both_ways("f", 1, "Zg==");
	both_ways("fo", 2, "Zm8=");
	both_ways("foo", 3, "Zm9v");
	both_ways("foob", 4, "Zm9vYg==");
	both_ways("fooba", 5, "Zm9vYmE=");
	both_ways("foobar", 6, "Zm9vYmFy");
	both_ways("\xff\xfe\0\x80", 4, "//4AgA==");
}

Test(base64, gives_all_bytes_back)
{
	char bytes[64], back[128];
	size_t size;

	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct strbuf text = STRBUF_EMPTY;
		size_t length = 1 + (size_t)(rand() % 64);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (char)rand();
		base64_write(&text, bytes, length);
		cr_assert(base64_read(text.data, text.length, back, &size));
		cr_assert_eq(size, length);
		cr_assert_arr_eq(back, bytes, length);
		strbuf_clear(&text);
	}
}

Test(base64, passes_over_line_breaks_and_refuses_what_is_none)
{
	static const char *const wrong[] = {"A", "AAAAA", "AA=A", "A===", "AA===", "A*==", "=", "AAA=="};
	char bytes[16];
	size_t size;

	cr_assert(base64_read("Zm9v\n YmFy\r\n", 12, bytes, &size));
	cr_assert_eq(size, 6);
	cr_assert(base64_read("Zm8", 3, bytes, &size));
	cr_assert_eq(size, 2);
	cr_assert(base64_read("", 0, bytes, &size));
	cr_assert_eq(size, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert_not(base64_read(wrong[i], strlen(wrong[i]), bytes, &size), "%s", wrong[i]);
	cr_assert_not(base64_read("AA\0A", 4, bytes, &size));
}
