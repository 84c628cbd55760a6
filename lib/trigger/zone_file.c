/* SPDX-License-Identifier: MIT */
/* One file of the tz database: is it still the same, and what does it say? */
#include "trigger/zone_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trigger/zone_tzif.h"

static struct zone_stamp stamp_of(const struct stat *status)
{
	return (struct zone_stamp){
	    .device = status->st_dev,
	    .inode = status->st_ino,
	    .size = status->st_size,
	    .modified = status->st_mtim,
	};
}

bool zone_file_stamp_same(const struct zone_stamp *a, const struct zone_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

bool zone_file_stamp(const char *path, struct zone_stamp *out)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return false;
	*out = stamp_of(&status);
	return true;
}

/* Reads a whole regular file of at most ZONE_TZIF_MAX bytes; *length is what was read. */
static int file_read(
    int fd, uint8_t *bytes, size_t *length, struct zone_stamp *stamp, struct schedd_error *err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s", strerror(errno));
	if (S_ISDIR(status.st_mode))
		return SCHEDD_ENOTFOUND;
	if (!S_ISREG(status.st_mode) || status.st_size > ZONE_TZIF_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "it is no TZif file");
	*stamp = stamp_of(&status);
	*length = 0;
	while (*length < ZONE_TZIF_MAX) {
		ssize_t got = read(fd, bytes + *length, ZONE_TZIF_MAX - *length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return schedd_error_set(err, SCHEDD_EINVAL, "%s", strerror(errno));
		if (got == 0)
			break;
		*length += (size_t)got;
	}
	return 0;
}

/* A file's bytes, to be freed; NULL: see *status and err. */
static uint8_t *file_load(const char *path, size_t *length, struct zone_stamp *stamp, int *status,
    struct schedd_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *bytes;

	if (fd < 0) {
		*status = errno == ENOENT || errno == ENOTDIR
			      ? SCHEDD_ENOTFOUND
			      : schedd_error_set(err, SCHEDD_EINVAL, "%s", strerror(errno));
		return NULL;
	}
	bytes = malloc(ZONE_TZIF_MAX);
	*status = bytes ? file_read(fd, bytes, length, stamp, err) : schedd_error_nomem(err);
	close(fd);
	if (*status == 0)
		return bytes;
	free(bytes);
	return NULL;
}

int zone_file_read(
    const char *path, struct zone_table **out, struct zone_stamp *stamp, struct schedd_error *err)
{
	size_t length;
	int status;
	uint8_t *bytes = file_load(path, &length, stamp, &status, err);

	if (bytes)
		status = zone_tzif_parse(bytes, length, out, err);
	free(bytes);
	if (status == SCHEDD_EINVAL)
		schedd_error_prefix(err, "%s", path);
	return status;
}

bool zone_file_same(const char *a, const char *b)
{
	struct zone_stamp a_stamp, b_stamp;
	uint8_t *a_bytes = NULL, *b_bytes = NULL;
	size_t a_length, b_length;
	bool same = false;
	int status;

	/* Nearly all files differ in size: look at that first. */
	if (!zone_file_stamp(a, &a_stamp) || !zone_file_stamp(b, &b_stamp) ||
	    a_stamp.size != b_stamp.size)
		return false;
	a_bytes = file_load(a, &a_length, &a_stamp, &status, NULL);
	b_bytes = a_bytes ? file_load(b, &b_length, &b_stamp, &status, NULL) : NULL;
	if (b_bytes)
		same = a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;
	free(a_bytes);
	free(b_bytes);
	return same;
}
