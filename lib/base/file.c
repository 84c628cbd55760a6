/* SPDX-License-Identifier: MIT */
/* Sizes that stat reports are hints only: files grow and pipes have none. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* Gives what was read, or nothing of it. */
static int file_give(
    int rc, struct strbuf *buf, char **text, size_t *length, struct schedd_error *err)
{
	*length = buf->length;
	*text = rc ? NULL : strbuf_take(buf);
	strbuf_clear(buf);
	return !rc && !*text ? schedd_error_nomem(err) : rc;
}

/* Closed, or made a place that nothing can be read from because it was. */
static bool file_is_closed(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_ACCMODE) == O_WRONLY;
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
	/* A standard input that was closed has nothing to say. */
	if (standard && file_is_closed(fd))
		rc = strbuf_reserve(&buf, 1) ? 0 : schedd_error_nomem(err);
	else
		rc = file_read_fd(fd, name, max, &buf, err);
	if (!standard)
		close(fd);
	return file_give(rc, &buf, text, length, err);
}

int file_trust(const struct stat *st, const char *path, struct schedd_error *err)
{
	bool group = (st->st_mode & S_IWGRP) && geteuid() == 0 && st->st_gid != 0;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return schedd_error_set(err, SCHEDD_EPERM,
		    "%.200s belongs to uid %ld, who could change it: it must belong to root or to "
		    "uid %ld",
		    path, (long)st->st_uid, (long)geteuid());
	if ((st->st_mode & S_IWOTH) || group)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "%.200s may be written by others (mode %03o): chmod %s it", path,
		    (unsigned)(st->st_mode & 0777), group ? "go-w" : "o-w");
	return 0;
}

int file_read_trusted(
    const char *path, size_t max, char **text, size_t *length, struct schedd_error *err)
{
	struct strbuf buf = STRBUF_EMPTY;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = 0;
	struct stat st;

	*text = NULL;
	if (fd < 0)
		return file_fault(path, err);
	if (fstat(fd, &st) < 0)
		rc = file_fault(path, err);
	else if (S_ISREG(st.st_mode))
		rc = file_trust(&st, path, err);
	else if (!S_ISCHR(st.st_mode)) /* /dev/null is an empty file to many */
		rc = schedd_error_set(err, SCHEDD_EFILE, "cannot read %.200s: %s", path,
		    S_ISDIR(st.st_mode) ? strerror(EISDIR) : "it is no regular file");
	if (!rc)
		rc = file_read_fd(fd, path, max, &buf, err);
	close(fd);
	return file_give(rc, &buf, text, length, err);
}
