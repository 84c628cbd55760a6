/* SPDX-License-Identifier: MIT */
/* Sentences may quote anything and be of any length: what comes out is UTF-8 without surprises. */
#include <criterion/criterion.h>
#include <string.h>
#include <schedd/error.h>
#include "base/utf8.h"

Test(error, what_is_no_utf8_becomes_a_question_mark)
{
	struct schedd_error err;

	cr_expect_eq(
	    schedd_error_set(&err, SCHEDD_ENOTFOUND, "no job '%s'", "a\xff\xc3z\xed\xa0\x80"),
	    SCHEDD_ENOTFOUND);
	cr_expect_str_eq(err.message, "no job 'a?"
				      "?z?"
				      "?"
				      "?'");
}

Test(error, control_characters_do_not_reach_a_terminal)
{
	struct schedd_error err;

	cr_expect_eq(
	    schedd_error_set(&err, SCHEDD_EFAILED, "%s", "a\x1b[2J\x7f\tb\nc"), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "a?[2J?\tb\nc");
}

Test(error, is_cut_between_characters)
{
	char text[SCHEDD_ERROR_MESSAGE_MAX * 2] = "";
	struct schedd_error err;

	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		text[shift] = '\0';
		while (strlen(text) < SCHEDD_ERROR_MESSAGE_MAX + 8)
			strcat(text, "\xe2\x82\xac");
		cr_expect_eq(schedd_error_set(&err, SCHEDD_EFAILED, "%s", text), SCHEDD_EFAILED);
		cr_expect(utf8_valid(err.message, strlen(err.message)), "shift %zu", shift);
		cr_expect(strchr(err.message, '?') == NULL, "shift %zu", shift);
		cr_expect(strlen(err.message) >= SCHEDD_ERROR_MESSAGE_MAX - 4);
	}
}

Test(error, a_prefix_keeps_it_so)
{
	struct schedd_error err;

	cr_expect_eq(
	    schedd_error_set(&err, SCHEDD_EFAILED, "cut %.2s", "x\xe2\x82\xac"), SCHEDD_EFAILED);
	cr_expect_eq(schedd_error_prefix(&err, "p\xff"), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "p?: cut x?");
}
