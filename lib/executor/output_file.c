/* SPDX-License-Identifier: MIT */
#include "executor/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define FILE_MAGIC "schedd output 1\n"
#define FILE_PIECE 65536
#define FILE_HEADER 27 /* of a piece with its time */

static const char file_letters[] = {
    [OUTPUT_STDOUT] = 'o',
    [OUTPUT_STDERR] = 'e',
    [OUTPUT_GAP] = 'g',
};

static int file_write(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t written = writev(fd, parts, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		while (count > 0 && (size_t)written >= parts->iov_len) {
			written -= (ssize_t)parts->iov_len;
			parts++;
			count--;
		}
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + written;
			parts->iov_len -= (size_t)written;
		}
	}
	return 0;
}

int output_file_begin(int fd)
{
	struct iovec magic = {.iov_base = (char[]){FILE_MAGIC}, .iov_len = strlen(FILE_MAGIC)};

	return file_write(fd, &magic, 1);
}

/* Cuts the last name off; false: there is none. */
static bool file_cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return false;
	*slash = '\0';
	return true;
}

/* The folder of a file, and the folder of that. */
static void file_make_folders(const char *path)
{
	char outer[4096], inner[4096];

	if (strlen(path) >= sizeof(inner))
		return;
	strcpy(inner, path);
	if (!file_cut_name(inner))
		return;
	strcpy(outer, inner);
	if (mkdir(inner, 0700) && errno == ENOENT && file_cut_name(outer) && !mkdir(outer, 0700))
		(void)mkdir(inner, 0700);
}

static int file_open_new(const char *path)
{
	return open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int output_file_create(const char *path)
{
	int fd = file_open_new(path), rc;

	/* Most runs write nothing, so folders are not made before there is something to keep. */
	if (fd < 0 && errno == ENOENT) {
		file_make_folders(path);
		fd = file_open_new(path);
	}
	if (fd < 0)
		return -errno;
	rc = output_file_begin(fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static size_t file_header_write(char *header, size_t size, const struct output_piece *piece)
{
	char letter = file_letters[piece->stream];

	if (piece->stream == OUTPUT_GAP)
		return (size_t)snprintf(header, size, "%c%016zx\n", letter, piece->length);
	return (size_t)snprintf(header, size, "%c%08zx %016llx\n", letter, piece->length,
	    (unsigned long long)piece->when);
}

void output_file_write_begin(struct strbuf *out)
{
	strbuf_add(out, FILE_MAGIC);
}

void output_file_write(struct strbuf *out, const struct output_piece *piece)
{
	char header[64];

	strbuf_add_n(out, header, file_header_write(header, sizeof(header), piece));
	if (piece->stream != OUTPUT_GAP)
		strbuf_add_n(out, piece->bytes, piece->length);
}

int output_file_append(int fd, const struct output_piece *piece)
{
	char header[64];
	struct iovec parts[] = {
	    {.iov_base = header, .iov_len = file_header_write(header, sizeof(header), piece)},
	    {.iov_base = (char *)(uintptr_t)piece->bytes,
		.iov_len = piece->stream == OUTPUT_GAP ? 0 : piece->length},
	};
	off_t before = lseek(fd, 0, SEEK_END);
	int rc = file_write(fd, parts, 2);

	/* Half a frame would make nonsense of what follows it. */
	if (rc < 0 && before >= 0 && ftruncate(fd, before) < 0)
		rc = -errno;
	return rc;
}

/* As pread, but short only at the end of the file. */
static ssize_t file_read(int fd, char *bytes, size_t length, off_t at)
{
	size_t got = 0;

	while (got < length) {
		ssize_t n = pread(fd, bytes + got, length - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* How long the header that begins like this is. */
static size_t file_header_length(const char *header, enum output_stream stream)
{
	return stream == OUTPUT_GAP ? 18 : header[9] == ' ' ? FILE_HEADER : 10;
}

/* Reads a header, into all of piece but its bytes; 1, 0 at the end of what is whole, -EBADMSG for
 * anything else. */
static int file_header(int fd, off_t *at, struct output_piece *piece)
{
	char header[FILE_HEADER + 1] = {0};
	ssize_t got = file_read(fd, header, FILE_HEADER, *at);
	unsigned long long when = (unsigned long long)SCHEDD_TIME_NONE;
	const char *letter;
	size_t length;
	int used = 0;

	if (got <= 0)
		return (int)got;
	letter = memchr(file_letters, header[0], sizeof(file_letters));
	if (!letter)
		return -EBADMSG;
	piece->stream = (enum output_stream)(letter - file_letters);
	length = file_header_length(header, piece->stream);
	if (got < 10 || (size_t)got < length)
		return 0;
	header[length] = '\0';
	if (length == FILE_HEADER)
		(void)sscanf(header + 1, "%8zx %16llx%n", &piece->length, &when, &used);
	else
		(void)sscanf(header + 1, "%16zx%n", &piece->length, &used);
	if (used == 0 || header[1 + used] != '\n')
		return -EBADMSG;
	piece->when = (schedd_time)when;
	*at += (off_t)length;
	return 1;
}

int output_file_read(int fd, output_piece_fn piece, void *context)
{
	char bytes[FILE_PIECE];
	off_t at = (off_t)strlen(FILE_MAGIC);
	struct output_piece head = {.stream = OUTPUT_STDOUT};
	int rc;

	if (file_read(fd, bytes, (size_t)at, 0) != at || memcmp(bytes, FILE_MAGIC, (size_t)at) != 0)
		return -EBADMSG;
	while ((rc = file_header(fd, &at, &head)) > 0) {
		size_t left = head.stream == OUTPUT_GAP ? 0 : head.length;

		head.bytes = NULL;
		if (head.stream == OUTPUT_GAP)
			piece(&head, context);
		while (left > 0) {
			ssize_t got =
			    file_read(fd, bytes, left < sizeof(bytes) ? left : sizeof(bytes), at);

			if (got <= 0)
				return (int)got;
			head.bytes = bytes;
			head.length = (size_t)got;
			piece(&head, context);
			at += got;
			left -= (size_t)got;
		}
	}
	return rc;
}
