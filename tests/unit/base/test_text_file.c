/* SPDX-License-Identifier: MIT */
#include "base/text_file.h"

#include <criterion/criterion.h>
#include <string.h>

#define CLEANS(in, out) cleans(in, sizeof(in) - 1, out, sizeof(out) - 1)
#define REFUSES(in, word) refuses(in, sizeof(in) - 1, word)

static void cleans(const char *in, size_t length, const char *out, size_t expected)
{
	struct schedd_error err = {0};
	char text[64];

	memcpy(text, in, length);
	text[length] = '\0';
	cr_assert_eq(text_file_clean("f", text, &length, &err), 0, "%s", err.message);
	cr_assert_eq(length, expected);
	cr_assert_arr_eq(text, out, expected + 1);
}

static void refuses(const char *in, size_t length, const char *word)
{
	struct schedd_error err = {0};
	char text[64];

	memcpy(text, in, length);
	text[length] = '\0';
	cr_assert_eq(text_file_clean("f", text, &length, &err), SCHEDD_EFILE);
	cr_assert(strstr(err.message, word), "%s", err.message);
}

Test(text_file, takes_files_that_were_edited_anywhere)
{
	CLEANS("", "");
	CLEANS("a\nb", "a\nb");
	CLEANS("\xef\xbb\xbf"
	       "a\n",
	    "a\n");
	CLEANS("a\r\nb\r\n", "a\nb\n");
	CLEANS("a\r\nb\r", "a\nb");
	CLEANS("\r\n\r\n", "\n\n");
	CLEANS("\xef\xbb\xbf\r\n", "\n");
}

Test(text_file, keeps_all_other_bytes)
{
	CLEANS("a\rb\n", "a\rb\n");
	CLEANS("a\r\r\n", "a\r\n");
	CLEANS("caf\xe9 \xff\xfe\n", "caf\xe9 \xff\xfe\n");
	CLEANS("a\xef\xbb\xbf\n", "a\xef\xbb\xbf\n");
	CLEANS("\xef\xbb\xbf\xef\xbb\xbf", "\xef\xbb\xbf");
	CLEANS("\x1b[1m\x7f\n", "\x1b[1m\x7f\n");
}

Test(text_file, names_what_is_no_text)
{
	REFUSES("\0", "f:1:1: a NUL byte: it is binary, not text");
	REFUSES("a\n\nb\0c\n", "f:3:2: a NUL byte");
	REFUSES("\xff\xfe"
		"a\0",
	    "UTF-16");
	REFUSES("\xfe\xff\0a", "UTF-16");
}

Test(text_file, is_read_by_its_path)
{
	struct schedd_error err = {0};
	size_t length;
	char *text;

	cr_assert_eq(text_file_read("/proc/self/cmdline", 4096, &text, &length, &err), SCHEDD_EFILE);
	cr_assert(strstr(err.message, "/proc/self/cmdline:1:"), "%s", err.message);
	cr_assert_null(text);
	cr_assert_eq(text_file_read("/nowhere/f", 4096, &text, &length, &err), SCHEDD_EFILE);
	cr_assert(strstr(err.message, "/nowhere/f"), "%s", err.message);
}
