/* SPDX-License-Identifier: MIT */
#include "base/shell_words.h"

#include <criterion/criterion.h>
#include <string.h>

static void gives(const char *const *words, const char *line)
{
	struct value argv = value_array();
	struct strbuf out = STRBUF_EMPTY;
	struct arena arena;

	arena_init(&arena);
	for (; *words; words++)
		cr_assert_not_null(value_append(&arena, &argv, value_string_ref(*words)));
	shell_words_write(&out, &argv);
	cr_assert_str_eq(strbuf_peek(&out), line);
	strbuf_clear(&out);
	arena_clear(&arena);
}

Test(shell_words, plain_words_stay_as_they_are)
{
	gives((const char *[]){"rsync", "-a", "/srv/x", "host:y", NULL}, "rsync -a /srv/x host:y");
}

Test(shell_words, what_a_shell_would_take_apart_is_quoted)
{
	gives(
	    (const char *[]){"echo", "a b", "", "$HOME;", "*", NULL}, "echo 'a b' '' '$HOME;' '*'");
}

Test(shell_words, a_quote_within_quotes)
{
	gives((const char *[]){"it's", "'", NULL}, "'it'\\''s' ''\\'''");
}

Test(shell_words, no_words_are_an_empty_line)
{
	gives((const char *[]){NULL}, "");
}
