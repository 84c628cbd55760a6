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

int output_file_append(int fd, enum output_stream stream, const char *bytes, size_t length)
{
	char header[32];
	int header_length = snprintf(header, sizeof(header),
	    stream == OUTPUT_GAP ? "%c%016zx\n" : "%c%08zx\n", file_letters[stream], length);
	struct iovec parts[] = {
	    {.iov_base = header, .iov_len = (size_t)header_length},
	    {.iov_base = (char *)(uintptr_t)bytes, .iov_len = stream == OUTPUT_GAP ? 0 : length},
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

/* Reads a header; 1, 0 at the end of what is whole, -EBADMSG for anything else. */
static int file_header(int fd, off_t *at, enum output_stream *stream, size_t *length)
{
	char header[32] = {0};
	ssize_t got = file_read(fd, header, 18, *at);
	const char *letter;
	int used = 0;

	if (got <= 0)
		return (int)got;
	letter = memchr(file_letters, header[0], sizeof(file_letters));
	if (!letter)
		return -EBADMSG;
	*stream = (enum output_stream)(letter - file_letters);
	if (got < (*stream == OUTPUT_GAP ? 18 : 10))
		return 0;
	if (*stream != OUTPUT_GAP)
		header[10] = '\0';
	if (sscanf(header + 1, "%16zx%n", length, &used) != 1 || header[1 + used] != '\n')
		return -EBADMSG;
	*at += used + 2;
	return 1;
}

int output_file_read(int fd, output_piece_fn piece, void *context)
{
	char bytes[FILE_PIECE];
	off_t at = (off_t)strlen(FILE_MAGIC);
	enum output_stream stream = OUTPUT_STDOUT;
	size_t length = 0;
	int rc;

	if (file_read(fd, bytes, (size_t)at, 0) != at || memcmp(bytes, FILE_MAGIC, (size_t)at) != 0)
		return -EBADMSG;
	while ((rc = file_header(fd, &at, &stream, &length)) > 0) {
		if (stream == OUTPUT_GAP) {
			piece(stream, NULL, length, context);
			continue;
		}
		while (length > 0) {
			size_t want = length < sizeof(bytes) ? length : sizeof(bytes);
			ssize_t got = file_read(fd, bytes, want, at);

			if (got <= 0)
				return (int)got;
			piece(stream, bytes, (size_t)got, context);
			at += got;
			length -= (size_t)got;
		}
	}
	return rc;
}
