/* SPDX-License-Identifier: MIT */
#include "jobfile/env_file.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"

static void comes_to(const char *text, const char *json)
{
	struct value env = value_map();
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_error err = {0};
	struct arena arena;

	arena_init(&arena);
	cr_assert_eq(env_file_read(text, strlen(text), &arena, &env, &err), 0, "%s: %s", text,
	    err.message);
	json_write(&out, &env);
	cr_assert_str_eq(strbuf_peek(&out), json, "%s: %s", text, strbuf_peek(&out));
	strbuf_clear(&out);
	arena_clear(&arena);
}

static void refused(const char *text, const char *word)
{
	struct value env = value_map();
	struct schedd_error err = {0};
	struct arena arena;

	arena_init(&arena);
	cr_assert_eq(env_file_read(text, strlen(text), &arena, &env, &err), SCHEDD_EFILE, "%s", text);
	cr_assert(strstr(err.message, word), "%s: %s", text, err.message);
	arena_clear(&arena);
}

Test(env_file, reads_plain_values)
{
	comes_to("", "{}");
	comes_to("\n# a\n ; b\n\n", "{}");
	comes_to("A=1\nB=2", "{\"A\":\"1\",\"B\":\"2\"}");
	comes_to("A=\nB= \n", "{\"A\":\"\",\"B\":\"\"}");
	comes_to("  A =  x y \t\n", "{\"A\":\"x y\"}");
	comes_to("A=x # no comment\nB=a;b\n", "{\"A\":\"x # no comment\",\"B\":\"a;b\"}");
	comes_to("export A=1\nexport\tB=2\nexported=3\nexport=4\n",
	    "{\"A\":\"1\",\"B\":\"2\",\"exported\":\"3\",\"export\":\"4\"}");
	comes_to("A=a=b=c\nA=$HOME/x\n", "{\"A\":\"$HOME/x\"}");
}

Test(env_file, takes_quotes_as_systemd_does)
{
	comes_to("A=\"x y\"\nB=' z '\n", "{\"A\":\"x y\",\"B\":\" z \"}");
	comes_to("A=it's\nB=5\" disk\n", "{\"A\":\"it's\",\"B\":\"5\\\" disk\"}");
	comes_to("A=\"one\ntwo\"\nB='three\nfour' \n",
	    "{\"A\":\"one\\ntwo\",\"B\":\"three\\nfour\"}");
	comes_to("A=\"a\"b\nB='a' \"b\"\n", "{\"A\":\"ab\",\"B\":\"ab\"}");
	comes_to("A=\"\\$x \\\"q\\\" \\\\ \\n \\`\"\nB='\\$x \\'\n",
	    "{\"A\":\"$x \\\"q\\\" \\\\ \\\\n `\",\"B\":\"\\\\$x \\\\\"}");
	comes_to("A=\"# not a comment\"\n", "{\"A\":\"# not a comment\"}");
}

Test(env_file, takes_backslashes_as_systemd_does)
{
	comes_to("A=one \\\ntwo\n", "{\"A\":\"one two\"}");
	comes_to("A=\"one \\\ntwo\"\n", "{\"A\":\"one two\"}");
	comes_to("A=a\\nb\\\\c\\ \n", "{\"A\":\"anb\\\\c \"}");
	comes_to("A=\\#x\\\n", "{\"A\":\"#x\"}");
	comes_to("# a comment \\\nA=1\n", "{\"A\":\"1\"}");
}

Test(env_file, names_the_line_that_is_none)
{
	refused("A=1\nrubbish\n", "line 2: not of the form NAME=VALUE");
	refused("=x\n", "line 1");
	refused("A B=x\n", "line 1");
	refused("A=1\n\nB=\"x\ny\n", "line 3: the quote \" is never closed");
	refused("A='x\n", "line 1: the quote ' is never closed");
}
