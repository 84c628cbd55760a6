/* SPDX-License-Identifier: MIT */
/* Sizes that stat reports are hints only: files grow and pipes have none. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/strbuf.h"

#define FILE_CHUNK 65536

static int file_fault(const char *path, struct schedd_error *err)
{
	int code = errno == EACCES || errno == EPERM ? SCHEDD_EPERM : SCHEDD_EFILE;

	return schedd_error_set(err, code, "cannot read %.200s: %s", path, strerror(errno));
}

static int file_read_fd(
    int fd, const char *path, size_t max, struct strbuf *text, struct schedd_error *err)
{
	for (;;) {
		ssize_t got;

		if (!strbuf_reserve(text, FILE_CHUNK))
			return schedd_error_nomem(err);
		text->data[text->length] = '\0';
		got = read(fd, text->data + text->length, FILE_CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return file_fault(path, err);
		if (got == 0)
			return 0;
		text->length += (size_t)got;
		if (text->length > max)
			return schedd_error_set(
			    err, SCHEDD_EFILE, "%.200s is larger than %zu MiB", path, max >> 20);
	}
}

int file_read(const char *path, size_t max, char **text, size_t *length, struct schedd_error *err)
{
	struct strbuf buf = STRBUF_EMPTY;
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return file_fault(name, err);
	rc = file_read_fd(fd, name, max, &buf, err);
	if (!standard)
		close(fd);
	*length = buf.length;
	*text = rc ? NULL : strbuf_take(&buf);
	strbuf_clear(&buf);
	if (!rc && !*text)
		rc = schedd_error_nomem(err);
	return rc;
}
