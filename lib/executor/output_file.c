/* SPDX-License-Identifier: MIT */
#include "executor/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/uio.h>


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
	struct iovec magic = {.iov_base = (char[]){OUTPUT_FILE_MAGIC}, .iov_len = strlen(OUTPUT_FILE_MAGIC)};

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
	strbuf_add(out, OUTPUT_FILE_MAGIC);
}

void output_file_write(struct strbuf *out, const struct output_piece *piece)
{
	char header[64];

	strbuf_add_n(out, header, file_header_write(header, sizeof(header), piece));
	if (piece->stream != OUTPUT_GAP)
		strbuf_add_n(out, piece->bytes, piece->length);
}

static int file_append(int fd, struct iovec *parts, int count)
{
	off_t before = lseek(fd, 0, SEEK_END);
	int rc = file_write(fd, parts, count);

	/* Half a frame would make nonsense of what follows it. */
	if (rc < 0 && before >= 0 && ftruncate(fd, before) < 0)
		rc = -errno;
	return rc;
}

int output_file_append(int fd, const struct output_piece *piece)
{
	char header[64];
	struct iovec parts[] = {
	    {.iov_base = header, .iov_len = file_header_write(header, sizeof(header), piece)},
	    {.iov_base = (char *)(uintptr_t)piece->bytes,
		.iov_len = piece->stream == OUTPUT_GAP ? 0 : piece->length},
	};

	return file_append(fd, parts, 2);
}

int output_file_append_frames(int fd, const struct strbuf *frames)
{
	struct iovec part = {.iov_base = frames->data, .iov_len = frames->length};

	return file_append(fd, &part, 1);
}

/* So many hexadecimal digits; false: it is none. */
static bool file_number(const char *digits, size_t count, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		char digit = digits[i];

		if (digit >= '0' && digit <= '9')
			*out = *out << 4 | (uint64_t)(digit - '0');
		else if (digit >= 'a' && digit <= 'f')
			*out = *out << 4 | (uint64_t)(digit - 'a' + 10);
		else
			return false;
	}
	return true;
}

int output_file_header(const char *bytes, size_t length, struct output_piece *piece)
{
	const char *letter = memchr(file_letters, bytes[0], sizeof(file_letters));
	uint64_t count = 0, when = (uint64_t)SCHEDD_TIME_NONE;
	size_t whole, digits = 8;

	if (!letter)
		return -EBADMSG;
	piece->stream = (enum output_stream)(letter - file_letters);
	if (piece->stream == OUTPUT_GAP)
		digits = 16;
	if (length < digits + 2)
		return 0;
	whole = piece->stream != OUTPUT_GAP && bytes[digits + 1] == ' ' ? OUTPUT_FILE_HEADER : digits + 2;
	if (length < whole)
		return 0;
	if (!file_number(bytes + 1, digits, &count) || bytes[whole - 1] != '\n' ||
	    (whole == OUTPUT_FILE_HEADER && !file_number(bytes + digits + 2, 16, &when)))
		return -EBADMSG;
	piece->length = (size_t)count;
	piece->when = (schedd_time)when;
	return (int)whole;
}
