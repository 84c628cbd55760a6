/* SPDX-License-Identifier: MIT */
#include "cmd/complete.h"
#include "cmd/verb_rows.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Completes the last of the words, with no daemon to ask. */
static void completes(const char *const *words, const char *expected)
{
	struct command command = {.verbs = verb_rows};
	struct strbuf out = STRBUF_EMPTY;
	int count = 0;

	setenv("SCHEDD_SOCKET", "/nonexistent/schedd.sock", 1);
	arena_init(&command.arena);
	while (words[count])
		count++;
	complete_line(&command, words, count, count - 1, &out);
	cr_assert(
	    strstr(strbuf_peek(&out), expected), "%s is not in: %s", expected, strbuf_peek(&out));
	strbuf_clear(&out);
	arena_clear(&command.arena);
}

#define COMPLETES(expected, ...)                                                                   \
	completes((const char *const[]){"schedctl", __VA_ARGS__, NULL}, expected)

Test(complete, knows_what_stands_where)
{
	COMPLETES(":words\nresume\t", "resu");
	COMPLETES(":words\nresume\t", "--socket", "/x", "-q", "resu");
	COMPLETES("--cron\t", "add", "--cr");
	COMPLETES("@daily\n", "add", "--cron", "@d");
	COMPLETES("skip\n", "add", "--overlap=s");
	COMPLETES(":directories\n", "add", "--cwd", "/");
	COMPLETES(":files\n", "add", "--script", "");
	COMPLETES(":command 4\n", "add", "--every=5m", "--", "ls", "");
	COMPLETES("TERM\n", "add", "--kill-signal", "TE");
	COMPLETES("job_error\n", "events", "--event", "job_e");
	COMPLETES("Europe/\n", "add", "--tz", "Eur");
	COMPLETES("Europe/Berlin\n", "add", "--tz", "Europe/Berl");
	COMPLETES("json\n", "list", "-o", "js");
}

Test(complete, offers_an_option_once_unless_it_repeats)
{
	struct command command = {.verbs = verb_rows};
	struct strbuf out = STRBUF_EMPTY;
	const char *const words[] = {"schedctl", "add", "--id", "x", "-e", "A=1", "--", NULL};
	const char *const again[] = {"schedctl", "add", "--id", "x", "-e", "A=1", "--i", NULL};

	arena_init(&command.arena);
	complete_line(&command, again, 7, 6, &out);
	cr_assert_null(strstr(strbuf_peek(&out), "--id\t"));
	strbuf_reset(&out);
	complete_line(&command, words, 7, 6, &out);
	cr_assert(strstr(strbuf_peek(&out), "--env\t"));
	strbuf_clear(&out);
	arena_clear(&command.arena);
}

Test(complete, never_offers_control_characters)
{
	struct strbuf out = STRBUF_EMPTY;

	complete_offer(&out, "", "a\nb", NULL);
	complete_offer(&out, "", "a\033b", NULL);
	complete_offer(&out, "a", "b", NULL);
	cr_assert_eq(out.length, 0);
}
