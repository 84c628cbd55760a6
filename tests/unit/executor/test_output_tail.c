/* SPDX-License-Identifier: MIT */
#include "executor/output_tail.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t tail(const struct output *output, int stream, uint64_t lines)
{
	uint64_t offset = 99;

	cr_assert_eq(output_tail_offset(&(struct output_source){.live = output}, stream, lines, &offset, NULL), 0);
	return offset;
}

static void append(struct output *output, enum output_stream stream, const char *text)
{
	output_append(output, stream, text, strlen(text), 0);
}

Test(output_tail, finds_where_the_last_lines_begin)
{
	struct output *output = output_new(NULL, 100);

	append(output, OUTPUT_STDOUT, "one\ntw");
	append(output, OUTPUT_STDOUT, "o\nthree\n");
	cr_expect_eq(tail(output, -1, 1), 8);
	cr_expect_eq(tail(output, -1, 2), 4);
	cr_expect_eq(tail(output, -1, 3), 0);
	cr_expect_eq(tail(output, -1, 300), 0);
	cr_expect_eq(tail(output, -1, 0), 14, "no line at all");
	output_free(output);
}

Test(output_tail, a_line_without_its_newline_is_one)
{
	struct output *output = output_new(NULL, 100);

	append(output, OUTPUT_STDOUT, "one\ntwo");
	cr_expect_eq(tail(output, -1, 1), 4);
	cr_expect_eq(tail(output, -1, 2), 0);
	output_free(output);
}

Test(output_tail, of_one_stream_the_other_does_not_count)
{
	struct output *output = output_new(NULL, 100);

	append(output, OUTPUT_STDOUT, "one\ntwo\n");
	append(output, OUTPUT_STDERR, "oops\n");
	cr_expect_eq(tail(output, OUTPUT_STDOUT, 1), 4);
	cr_expect_eq(tail(output, OUTPUT_STDERR, 1), 0);
	cr_expect_eq(tail(output, -1, 2), 4);
	output_free(output);
}

Test(output_tail, of_nothing_kept_is_nothing)
{
	struct output *output = output_new(NULL, 100);
	struct schedd_error err;
	uint64_t offset;

	cr_expect_eq(tail(output, -1, 5), 0);
	output_free(output);
	cr_expect_eq(
	    output_tail_offset(&(struct output_source){.path = "/nonexistent/file"}, -1, 5, &offset, &err), SCHEDD_ENOTFOUND);
}
