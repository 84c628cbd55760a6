/* SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(strbuf, stays_on_an_array_as_long_as_that_is_enough)
{
	char room[8] = "";
	struct strbuf text = STRBUF_ON(room);
	char *taken;

	cr_expect_str_eq(strbuf_peek(&text), "");
	strbuf_add(&text, "1234567");
	cr_expect_eq(text.data, room);
	cr_expect_str_eq(text.data, "1234567");
	strbuf_add_char(&text, '8');
	cr_expect_neq(text.data, room);
	cr_expect_str_eq(text.data, "12345678");
	strbuf_printf(&text, "%d", 9);
	cr_expect_str_eq(text.data, "123456789");
	strbuf_clear(&text);
	cr_expect_null(text.data);

	/* What is taken is the taker's, wherever it was. */
	text = STRBUF_ON(room);
	strbuf_reset(&text);
	strbuf_add_n(&text, "a\0b", 3);
	taken = strbuf_take(&text);
	cr_expect_neq(taken, room);
	cr_expect_arr_eq(taken, "a\0b", 4);
	free(taken);
	cr_expect_null(text.data);
}

Test(strbuf, adds_the_beginning_of_an_array)
{
	static const char bytes[STRBUF_WHOLE] = "abcdefghijklmnopqrstuvwxyz01234";
	struct strbuf text = STRBUF_EMPTY;

	/* Mostly it has to grow in between. */
	for (size_t i = 0; i < 1000; i++) {
		size_t before = text.length;

		strbuf_add_whole(&text, bytes, i % STRBUF_WHOLE);
		cr_assert_eq(text.length, before + i % STRBUF_WHOLE);
		cr_assert_eq(memcmp(text.data + before, bytes, i % STRBUF_WHOLE), 0);
		cr_assert_eq(text.data[text.length], '\0');
	}
	strbuf_clear(&text);
}

Test(strbuf, takes_room_for_what_is_to_come)
{
	char room[8] = "";
	struct strbuf text = STRBUF_ON(room);

	/* Of little there is nothing to say. */
	strbuf_expect(&text, 1000);
	cr_expect_eq(text.data, room);
	strbuf_add(&text, "begun");
	strbuf_expect(&text, 3 << 20);
	cr_expect_neq(text.data, room);
	cr_expect_str_eq(text.data, "begun");
	cr_expect_geq(text.capacity, (3 << 20) + sizeof("begun"));

	/* It is a buffer as any other: filled, grown beyond what was said, taken. */
	for (size_t before = text.capacity; text.capacity == before;)
		strbuf_add(&text, "0123456789abcdef");
	cr_expect_eq(strncmp(text.data, "begun0123456789", 15), 0);
	cr_expect_str_eq(text.data + text.length - 16, "0123456789abcdef");
	free(strbuf_take(&text));

	/* More than there can be is a word too much, no failure. */
	strbuf_add(&text, "begun");
	strbuf_expect(&text, SIZE_MAX);
	cr_expect_not(strbuf_failed(&text));
	cr_expect_str_eq(text.data, "begun");
	strbuf_clear(&text);
	strbuf_expect(&text, 3 << 20);
	cr_expect_str_eq(text.data, "");
	strbuf_clear(&text);
}
