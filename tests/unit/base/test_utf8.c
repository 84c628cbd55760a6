/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

Test(utf8, is_looked_at_to_the_last_byte)
{
	char text[40];

	for (size_t length = 0; length < sizeof(text); length++) {
		memset(text, 'a', sizeof(text));
		cr_expect(utf8_valid(text, length));
		/* What stands behind is not looked at. */
		text[length] = '\xff';
		cr_expect(utf8_valid(text, length));
		for (size_t i = 0; i < length; i++) {
			memset(text, 'a', sizeof(text));
			text[i] = '\xff';
			cr_expect_not(utf8_valid(text, length), "%zu of %zu", i, length);
			text[i] = '\xc3';
			cr_expect_not(utf8_valid(text, length), "%zu of %zu", i, length);
			if (i + 1 == length)
				continue;
			text[i + 1] = '\xa4';
			cr_expect(utf8_valid(text, length), "%zu of %zu", i, length);
		}
	}
}
