/* SPDX-License-Identifier: MIT */
#include "executor/output_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "executor/output_file.h"

#define READER_BYTES 65536
/* Behind a text so long that was passed over so little is read: the next may be passed over as well. */
#define READER_LONG 4096
#define READER_LITTLE 512
/* What a frame costs that has no text to speak of, in bytes. */
#define READER_FRAME 64

struct output_reader {
	int fd;
	bool owned;                /* fd */
	off_t at;                  /* in the file, of what comes next */
	off_t begin;               /* of what is in bytes */
	size_t have;               /* so many */
	struct output_piece piece; /* its frame */
	size_t left;               /* text of it */
	size_t ahead;              /* to be read at one time */
	char bytes[READER_BYTES];
};

struct output_reader *output_reader_new(int fd)
{
	struct output_reader *reader = malloc(sizeof(*reader));

	if (!reader)
		return NULL;
	reader->fd = fd;
	reader->owned = false;
	output_reader_rewind(reader);
	return reader;
}

int output_reader_open(const char *path, struct output_reader **out, struct schedd_error *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "no output was kept in '%s'", path);
	if (fd < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "output '%s': %s", path, strerror(errno));
	*out = output_reader_new(fd);
	if (!*out) {
		close(fd);
		return schedd_error_nomem(err);
	}
	(*out)->owned = true;
	return 0;
}

void output_reader_free(struct output_reader *reader)
{
	if (reader && reader->owned)
		close(reader->fd);
	free(reader);
}

void output_reader_rewind(struct output_reader *reader)
{
	reader->at = reader->begin = 0;
	reader->have = reader->left = 0;
	reader->ahead = READER_BYTES;
}

/* So many bytes from at on, or what there is of them. Returns how many are at hand, or -errno. */
static ssize_t reader_need(struct output_reader *reader, size_t length)
{
	size_t behind;

	if (reader->at < reader->begin || reader->at > reader->begin + (off_t)reader->have) {
		reader->begin = reader->at;
		reader->have = 0;
	}
	behind = (size_t)(reader->begin + (off_t)reader->have - reader->at);
	if (behind < length) {
		memmove(reader->bytes, reader->bytes + (reader->have - behind), behind);
		reader->begin = reader->at;
		reader->have = behind;
	}
	while (reader->have < length && behind < length) {
		size_t room = (reader->ahead > length ? reader->ahead : length) - reader->have;
		ssize_t n = pread(reader->fd, reader->bytes + reader->have, room,
		    reader->begin + (off_t)reader->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		reader->have += (size_t)n;
	}
	return reader->begin + (off_t)reader->have - reader->at;
}

static const char *reader_here(const struct output_reader *reader)
{
	return reader->bytes + (reader->at - reader->begin);
}

/* 1, 0: nothing was written yet, or -errno. */
static int reader_begin(struct output_reader *reader)
{
	const size_t length = strlen(OUTPUT_FILE_MAGIC);
	ssize_t got = reader_need(reader, length);

	if (got < 0)
		return (int)got;
	if ((size_t)got < length || memcmp(reader_here(reader), OUTPUT_FILE_MAGIC, length) != 0)
		return -EBADMSG;
	reader->at += (off_t)length;
	return 1;
}

/* 1, 0 at the end of what is whole, -EBADMSG for anything else. */
static int reader_frame(struct output_reader *reader)
{
	ssize_t got = reader_need(reader, OUTPUT_FILE_HEADER);
	int length = got > 0 ? output_file_header(reader_here(reader), (size_t)got, &reader->piece) : (int)got;

	if (length <= 0)
		return length;
	reader->at += length;
	reader->left = reader->piece.stream == OUTPUT_GAP ? 0 : reader->piece.length;
	return 1;
}

/* What of its text is not wanted. */
static void reader_pass(struct output_reader *reader, const struct output_wanted *wanted)
{
	size_t pass = 0;

	if (wanted->stream >= 0 && (int)reader->piece.stream != wanted->stream) {
		pass = reader->left;
	} else if (wanted->skip) {
		pass = *wanted->skip < reader->left ? (size_t)*wanted->skip : reader->left;
		*wanted->skip -= pass;
	}
	reader->at += (off_t)pass;
	reader->left -= pass;
	reader->ahead = pass > READER_LONG && reader->left == 0 ? READER_LITTLE : READER_BYTES;
}

/* Tells text of the frame; how much, 0 where it is cut off, or -errno. */
static ssize_t reader_text(struct output_reader *reader, const struct output_wanted *wanted)
{
	ssize_t got = reader_need(reader, 1);
	struct output_piece piece = reader->piece;

	if (got <= 0)
		return got;
	piece.length = (size_t)got < reader->left ? (size_t)got : reader->left;
	piece.bytes = reader_here(reader);
	wanted->piece(&piece, wanted->context);
	reader->at += (off_t)piece.length;
	reader->left -= piece.length;
	return (ssize_t)piece.length;
}

int output_reader_some(struct output_reader *reader, const struct output_wanted *wanted, size_t most)
{
	size_t used = 0;
	int rc = reader->at == 0 ? reader_begin(reader) : 1;

	while (rc > 0 && used < most && !(wanted->enough && *wanted->enough)) {
		ssize_t told = 0;

		if (reader->left == 0) {
			rc = reader_frame(reader);
			used += READER_FRAME;
			if (rc > 0 && reader->piece.stream == OUTPUT_GAP) {
				reader->piece.bytes = NULL;
				wanted->piece(&reader->piece, wanted->context);
			}
		}
		if (rc <= 0 || reader->left == 0)
			continue;
		reader_pass(reader, wanted);
		if (reader->left == 0)
			continue;
		told = reader_text(reader, wanted);
		if (told <= 0)
			return (int)told;
		used += (size_t)told;
	}
	return rc > 0 && wanted->enough && *wanted->enough ? 0 : rc;
}

int output_reader_all(int fd, output_piece_fn piece, void *context)
{
	const struct output_wanted all = {.stream = -1, .piece = piece, .context = context};
	struct output_reader *reader = output_reader_new(fd);
	int rc;

	if (!reader)
		return -ENOMEM;
	do
		rc = output_reader_some(reader, &all, SIZE_MAX);
	while (rc > 0);
	output_reader_free(reader);
	return rc;
}
