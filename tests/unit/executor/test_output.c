/* SPDX-License-Identifier: MIT */
#include "executor/output.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include "base/strbuf.h"

/* What output_read says, as "o:text e:text [3]" with one part for each change of stream. */
static void note_piece(const struct output_piece *piece, void *context)
{
	struct strbuf *text = context;
	char mark[] = {"oe"[piece->stream == OUTPUT_STDERR], ':', '\0'};
	const char *last = strrchr(strbuf_peek(text), ' ');

	if (piece->stream == OUTPUT_GAP) {
		strbuf_printf(text, " [%zu]", piece->length);
		return;
	}
	if (!last || last[1] != mark[0] || last[2] != ':')
		strbuf_printf(text, " %s", mark);
	strbuf_add_n(text, piece->bytes, piece->length);
}

static const char *note(const struct output *output, const char *path)
{
	static struct strbuf text;

	strbuf_clear(&text);
	if (path)
		cr_assert_eq(output_read_file(path, note_piece, &text, NULL), 0);
	else
		output_read(output, note_piece, &text);
	return strbuf_peek(&text);
}

static void append(struct output *output, enum output_stream stream, const char *text)
{
	output_append(output, stream, text, strlen(text), 1000);
}

static void temp_path(char *path, size_t size)
{
	snprintf(path, size, "%s/schedd-output-%ld", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
	    (long)getpid());
	unlink(path);
}

Test(output, keeps_streams_apart_and_in_order)
{
	struct output *output = output_new(NULL, 100);

	append(output, OUTPUT_STDOUT, "one");
	append(output, OUTPUT_STDOUT, "two");
	append(output, OUTPUT_STDERR, "oops");
	append(output, OUTPUT_STDOUT, "three");
	cr_expect_str_eq(note(output, NULL), " o:onetwo e:oops o:three");
	output_finish(output);
	cr_expect_str_eq(note(output, NULL), " o:onetwo e:oops o:three");
	cr_expect_eq(output_written(output), 15);
	cr_expect_eq(output_dropped(output), 0);
	output_free(output);
}

Test(output, keeps_head_and_tail_and_counts_the_middle)
{
	struct output *output = output_new(NULL, 10);

	for (int i = 0; i < 100; i++) {
		char digit[2] = {(char)('0' + i % 10), '\0'};

		append(output, OUTPUT_STDOUT, digit);
	}
	cr_expect_str_eq(note(output, NULL), " o:01234 [90] o:56789");
	append(output, OUTPUT_STDERR, "abcdefgh");
	cr_expect_str_eq(note(output, NULL), " o:01234 [98] e:defgh");
	output_free(output);
}

Test(output, keeps_exactly_the_limit)
{
	struct output *output = output_new(NULL, 11);

	append(output, OUTPUT_STDOUT, "0123456789a");
	cr_expect_str_eq(note(output, NULL), " o:0123456789a");
	cr_expect_eq(output_dropped(output), 0);
	append(output, OUTPUT_STDOUT, "b");
	cr_expect_str_eq(note(output, NULL), " o:012345 [1] o:789ab");
	output_free(output);
}

Test(output, keeps_nothing_of_a_limit_of_nothing)
{
	struct output *output = output_new(NULL, 0);

	append(output, OUTPUT_STDOUT, "words");
	cr_expect_str_eq(note(output, NULL), " [5]");
	output_free(output);
}

Test(output, keeps_a_file_that_reads_back)
{
	char path[256];
	struct stat stat_of;
	struct output *output;
	struct schedd_error err;

	temp_path(path, sizeof(path));
	output = output_new(path, 20);
	cr_expect_eq(access(path, F_OK), -1, "made only when something is written");
	cr_expect_eq(output_read_file(path, note_piece, NULL, &err), SCHEDD_ENOTFOUND);
	append(output, OUTPUT_STDERR, "a\n");
	cr_expect_str_eq(note(output, path), " e:a\n", "the head is there at once");
	append(output, OUTPUT_STDOUT, "bcdefghijklmnopqrstuvwxyz");
	cr_expect_str_eq(note(output, NULL), " e:a\n o:bcdefghi [7] o:qrstuvwxyz");
	cr_expect_str_eq(note(output, path), " e:a\n o:bcdefghi");
	output_finish(output);
	cr_expect_str_eq(note(output, path), " e:a\n o:bcdefghi [7] o:qrstuvwxyz");
	cr_expect_str_eq(note(output, NULL), " e:a\n o:bcdefghi [7] o:qrstuvwxyz");
	cr_assert_eq(stat(path, &stat_of), 0);
	cr_expect_eq(stat_of.st_mode & 0777, 0600);
	cr_expect_null(output_error(output));
	output_free(output);
	unlink(path);
}

Test(output, reads_a_file_whose_writer_died)
{
	char path[256];
	struct output *output;

	temp_path(path, sizeof(path));
	output = output_new(path, 1000);
	append(output, OUTPUT_STDOUT, "whole");
	append(output, OUTPUT_STDOUT, "half of this is missing");
	output_free(output);
	for (off_t size = 0; stat(path, &(struct stat){0}) == 0 && size < 8; size++) {
		cr_assert_eq(truncate(path, 16 + 27 + 5 + 27 + 8 - size), 0);
		cr_expect(strncmp(note(NULL, path), " o:wholehalf of t", 16 - (size_t)size) == 0);
	}
	/* Inside a header. */
	for (off_t size = 0; size < 27; size++) {
		cr_assert_eq(truncate(path, 16 + 27 + 5 + 26 - size), 0);
		cr_expect_str_eq(note(NULL, path), " o:whole");
	}
	unlink(path);
}

static void note_time(const struct output_piece *piece, void *context)
{
	struct strbuf *text = context;

	if (piece->when == SCHEDD_TIME_NONE)
		strbuf_add(text, "- ");
	else
		strbuf_printf(text, "%lld ", (long long)(piece->when / SCHEDD_SECOND));
}

Test(output, knows_when_each_piece_was_written)
{
	struct strbuf live = STRBUF_EMPTY, kept = STRBUF_EMPTY;
	struct output *output;
	char path[256];

	temp_path(path, sizeof(path));
	output = output_new(path, 20);
	for (int second = 1; second <= 40; second++)
		output_append(output, OUTPUT_STDOUT, "x", 1, second * SCHEDD_SECOND);
	output_read(output, note_time, &live);
	output_finish(output);
	cr_assert_eq(output_read_file(path, note_time, &kept, NULL), 0);
	cr_expect_str_eq(
	    strbuf_peek(&live), "1 2 3 4 5 6 7 8 9 10 - 31 32 33 34 35 36 37 38 39 40 ");
	cr_expect_str_eq(strbuf_peek(&kept), strbuf_peek(&live));
	strbuf_clear(&live);
	strbuf_clear(&kept);
	output_free(output);
	unlink(path);
}

/* A job that writes now and then a letter leaves many frames, which are written when it ends. */
Test(output, keeps_a_tail_of_many_small_pieces)
{
	struct strbuf kept = STRBUF_EMPTY;
	struct output *output;
	char path[256];
	const char *at;

	temp_path(path, sizeof(path));
	output = output_new(path, 8 << 20);
	for (int i = 0; i < (4 << 20) / 4096; i++) {
		char head[4096];

		memset(head, '.', sizeof(head));
		output_append(output, OUTPUT_STDOUT, head, sizeof(head), SCHEDD_SECOND);
	}
	for (int i = 0; i < 30000; i++)
		output_append(output, i % 3 ? OUTPUT_STDOUT : OUTPUT_STDERR, &"0123456789"[i % 10], 1, (2 + i) * SCHEDD_SECOND);
	output_finish(output);
	cr_expect_eq(output_dropped(output), 0);
	cr_assert_eq(output_read_file(path, note_time, &kept, NULL), 0);
	at = strstr(strbuf_peek(&kept), " 2 3 4 ");
	cr_assert_not_null(at);
	for (int i = 0; i < 30000; i++, at++) {
		cr_assert_eq(strtol(at, (char **)(uintptr_t)&at, 10), 2 + i);
	}
	strbuf_clear(&kept);
	output_free(output);
	unlink(path);
}

Test(output, reads_files_that_have_no_times)
{
	struct strbuf times = STRBUF_EMPTY;
	char path[256];
	FILE *file;

	temp_path(path, sizeof(path));
	file = fopen(path, "w");
	fputs("schedd output 1\no00000003\noneg0000000000000007\ne00000004\ntwo\n", file);
	fclose(file);
	cr_expect_str_eq(note(NULL, path), " o:one [7] e:two\n");
	cr_assert_eq(output_read_file(path, note_time, &times, NULL), 0);
	cr_expect_str_eq(strbuf_peek(&times), "- - - ");
	strbuf_clear(&times);
	unlink(path);
}

Test(output, refuses_a_file_of_another_kind)
{
	char path[256];
	struct schedd_error err;
	FILE *file;

	temp_path(path, sizeof(path));
	file = fopen(path, "w");
	fputs("this is somebody's letter\n", file);
	fclose(file);
	cr_expect_eq(output_read_file(path, note_piece, NULL, &err), SCHEDD_EFAILED);
	unlink(path);
}

Test(output, goes_on_when_the_disk_is_full)
{
	struct output *output = output_new("/dev/full", 20);

	append(output, OUTPUT_STDOUT, "some words that are lost, and a tail");
	cr_expect_str_eq(output_error(output), "No space left on device");
	output_finish(output);
	cr_expect_eq(output_written(output), 36);
	cr_expect_eq(output_dropped(output), 36);
	output_free(output);
}

/* A follower that writes down what it sees and may end itself or the other. */
struct watcher {
	struct output_follower *self;
	struct output_follower *ends; /* ended at the first piece */
	struct strbuf text;
};

static void watcher_piece(const struct output_piece *piece, void *context)
{
	struct watcher *watcher = context;

	strbuf_add_n(&watcher->text, piece->bytes, piece->length);
	output_unfollow(watcher->ends);
	watcher->ends = NULL;
}

Test(output, is_followed_live)
{
	struct output *output = output_new(NULL, 4);
	struct watcher a = {0}, b = {0}, c = {0};

	append(output, OUTPUT_STDOUT, "before");
	a.self = output_follow(output, watcher_piece, &a);
	b.self = output_follow(output, watcher_piece, &b);
	c.self = output_follow(output, watcher_piece, &c);
	a.ends = a.self;
	b.ends = c.self;
	append(output, OUTPUT_STDOUT, "dropped by the limit, ");
	append(output, OUTPUT_STDOUT, "but seen");
	cr_expect_str_eq(strbuf_peek(&a.text), "dropped by the limit, ");
	cr_expect_str_eq(strbuf_peek(&b.text), "dropped by the limit, but seen");
	cr_expect_str_eq(strbuf_peek(&c.text), "");
	output_unfollow(b.self);
	append(output, OUTPUT_STDOUT, "!");
	cr_expect_str_eq(strbuf_peek(&b.text), "dropped by the limit, but seen");
	output_free(output);
	strbuf_clear(&a.text);
	strbuf_clear(&b.text);
	strbuf_clear(&c.text);
}
