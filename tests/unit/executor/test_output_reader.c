/* SPDX-License-Identifier: MIT */
#include "executor/output_reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/strbuf.h"
#include "executor/output_file.h"

/* What was told: text by its stream, gaps as "[7]". */
struct told {
	struct strbuf text;
	bool enough;
	size_t most; /* bytes after which it is enough; 0: never */
};

static void tell(const struct output_piece *piece, void *context)
{
	struct told *told = context;

	if (piece->stream == OUTPUT_GAP)
		strbuf_printf(&told->text, "[%zu]", piece->length);
	else
		strbuf_add_n(&told->text, piece->bytes, piece->length);
	told->enough = told->most && told->text.length >= told->most;
}

static int new_file(void)
{
	char path[] = "/tmp/schedd-test-reader.XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	unlink(path);
	cr_assert_eq(output_file_begin(fd), 0);
	return fd;
}

static void append(int fd, enum output_stream stream, const char *bytes, size_t length)
{
	const struct output_piece piece = {stream, bytes, length, 1000};

	cr_assert_eq(output_file_append(fd, &piece), 0);
}

/* Everything, so many bytes at a time. */
static int read_all(struct output_reader *reader, struct output_wanted wanted, size_t most)
{
	int rc;

	do
		rc = output_reader_some(reader, &wanted, most);
	while (rc > 0);
	return rc;
}

static const size_t lengths[] = {1, 2, 27, 500, 4095, 4096, 4097, 9000, 65535, 65536, 65537, 200000, 3};
#define FRAMES (4 * sizeof(lengths) / sizeof(lengths[0]))

/* Of a file with frames of all lengths, what each stream and all of them should give. */
static int mixed_file(struct strbuf expected[3])
{
	int fd = new_file();
	size_t longest = 200000;
	char *bytes = malloc(longest);

	cr_assert(bytes);
	for (size_t i = 0; i < FRAMES; i++) {
		size_t length = lengths[i % (FRAMES / 4)];
		enum output_stream stream = i * i % 3 == 1 ? OUTPUT_STDERR : OUTPUT_STDOUT;

		for (size_t k = 0; k < length; k++)
			bytes[k] = (char)('a' + (i + k * 7 + k / 11) % 26);
		append(fd, stream, bytes, length);
		strbuf_add_n(&expected[stream], bytes, length);
		strbuf_add_n(&expected[2], bytes, length);
	}
	free(bytes);
	return fd;
}

Test(output_reader, tells_what_is_wanted_in_steps_of_any_size)
{
	static const size_t steps[] = {1, 1000, 65536, SIZE_MAX};
	static const int streams[] = {OUTPUT_STDOUT, OUTPUT_STDERR, -1};
	struct strbuf expected[3] = {STRBUF_EMPTY, STRBUF_EMPTY, STRBUF_EMPTY};
	int fd = mixed_file(expected);
	struct output_reader *reader = output_reader_new(fd);

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		const struct strbuf *all = &expected[i];

		for (size_t k = 0; k < 4 * 7; k++) {
			static const size_t offsets[] = {0, 1, 29, 4096, 70000, 400000, 5000000};
			uint64_t skip = offsets[k % 7];
			size_t passed = skip < all->length ? (size_t)skip : all->length;
			struct told told = {.text = STRBUF_EMPTY};

			output_reader_rewind(reader);
			cr_assert_eq(read_all(reader,
					 (struct output_wanted){streams[i], &skip, NULL, tell, &told},
					 steps[k / 7]),
			    0);
			cr_assert_eq(told.text.length, all->length - passed, "stream %d, offset %zu: %zu of %zu",
			    streams[i], offsets[k % 7], told.text.length, all->length);
			cr_assert(told.text.length == 0 ||
				  memcmp(told.text.data, all->data + passed, told.text.length) == 0);
			strbuf_clear(&told.text);
		}
	}
	output_reader_free(reader);
	for (size_t i = 0; i < 3; i++)
		strbuf_clear(&expected[i]);
	close(fd);
}

Test(output_reader, goes_on_where_the_file_has_grown)
{
	int fd = new_file();
	struct output_reader *reader = output_reader_new(fd);
	struct told told = {.text = STRBUF_EMPTY};
	const struct output_wanted wanted = {-1, NULL, NULL, tell, &told};

	cr_assert_eq(read_all(reader, wanted, 10), 0);
	append(fd, OUTPUT_STDOUT, "one ", 4);
	cr_assert_eq(read_all(reader, wanted, 10), 0);
	append(fd, OUTPUT_GAP, NULL, 7);
	append(fd, OUTPUT_STDERR, " two", 4);
	cr_assert_eq(read_all(reader, wanted, 10), 0);
	cr_assert_str_eq(strbuf_peek(&told.text), "one [7] two");
	/* Half a frame is none yet, and half a text is told. */
	cr_assert_eq(write(fd, "o0000", 5), 5);
	cr_assert_eq(read_all(reader, wanted, 10), 0);
	cr_assert_eq(write(fd, "0004 0000000000000001\nth", 24), 24);
	cr_assert_eq(read_all(reader, wanted, 10), 0);
	cr_assert_str_eq(strbuf_peek(&told.text), "one [7] twoth");
	strbuf_clear(&told.text);
	output_reader_free(reader);
	close(fd);
}

Test(output_reader, ends_when_it_is_enough)
{
	struct strbuf expected[3] = {STRBUF_EMPTY, STRBUF_EMPTY, STRBUF_EMPTY};
	int fd = mixed_file(expected);
	struct output_reader *reader = output_reader_new(fd);
	struct told told = {.text = STRBUF_EMPTY, .most = 5000};

	cr_assert_eq(
	    read_all(reader, (struct output_wanted){-1, NULL, &told.enough, tell, &told}, 100000), 0);
	cr_assert_geq(told.text.length, 5000);
	cr_assert_leq(told.text.length, 5000 + 65536);
	strbuf_clear(&told.text);
	for (size_t i = 0; i < 3; i++)
		strbuf_clear(&expected[i]);
	output_reader_free(reader);
	close(fd);
}

Test(output_reader, refuses_what_is_no_output)
{
	static const char *const files[] = {"", "schedd", "schedd output 1\nx00000001\na",
	    "schedd output 1\no0000000g\na", "schedd output 1\no00000001\nao00000001 00000000000000000",
	    "schedd output 1\no-0000001\na", "schedd output 1\ng00000000000000-1\n"};
	struct told told = {.text = STRBUF_EMPTY};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[] = "/tmp/schedd-test-reader.XXXXXX";
		int fd = mkstemp(path);
		struct output_reader *reader = output_reader_new(fd);

		unlink(path);
		cr_assert_eq(write(fd, files[i], strlen(files[i])), (ssize_t)strlen(files[i]));
		cr_assert_eq(read_all(reader, (struct output_wanted){-1, NULL, NULL, tell, &told}, 10),
		    -EBADMSG, "file %zu", i);
		output_reader_free(reader);
		close(fd);
	}
	strbuf_clear(&told.text);
}
