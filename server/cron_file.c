/* SPDX-License-Identifier: MIT */
/* Judged is what was opened, never the name: nobody can put another file there in between. */
#include "server/cron_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/system_user.h"
#include "jobfile/cron_table.h"

#define CRON_FILE_TRIES 3

bool cron_file_is_name(enum cron_place place, const char *name)
{
	struct system_user user;

	/* One that crontab(1) has not finished yet, unless an account is called so. */
	if (place == CRON_PLACE_SPOOL)
		return name[0] != '.' && (strncmp(name, "tmp.", 4) != 0 || system_user_named(name, &user, NULL) == 0);
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			(*c >= '0' && *c <= '9') || *c == '_' || *c == '-'))
			return false;
	return *name != '\0';
}

static int cron_file_refuse(struct schedd_error *err, const char *words)
{
	return schedd_error_set(err, SCHEDD_EFILE, "%s", words);
}

static int cron_file_check(
    const struct stat *status, enum cron_place place, const char *account, struct schedd_error *err)
{
	struct system_user user = {.uid = 0};
	int rc = 0;

	if (!S_ISREG(status->st_mode))
		return cron_file_refuse(err, "it is no regular file");
	if (place == CRON_PLACE_SPOOL)
		rc = system_user_named(account, &user, err);
	if (rc == SCHEDD_ENOTFOUND)
		return cron_file_refuse(err, "there is no account of that name");
	if (rc)
		return rc;
	if (status->st_uid != 0 && status->st_uid != user.uid)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "it belongs to user %u", (unsigned)status->st_uid);
	if (place == CRON_PLACE_SPOOL && (status->st_mode & 07777) != 0600)
		return schedd_error_set(err, SCHEDD_EFILE, "its mode is %04o, not 0600",
		    (unsigned)status->st_mode & 07777);
	if (status->st_mode & (S_IWGRP | S_IWOTH))
		return schedd_error_set(err, SCHEDD_EFILE,
		    "its mode is %04o: its group or everybody may write it",
		    (unsigned)status->st_mode & 07777);
	if (status->st_nlink != 1)
		return cron_file_refuse(err, "it has further names (hard links)");
	if (status->st_size > (off_t)CRON_TABLE_BYTES_MAX)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "it is larger than %zu MiB", CRON_TABLE_BYTES_MAX >> 20);
	return 0;
}

/* root may put a link of its own into /etc/cron.d; nobody may in the spool. */
static int cron_file_open(const char *path, enum cron_place place, struct schedd_error *err)
{
	int flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat link;
	int fd;

	if (place == CRON_PLACE_SPOOL)
		flags |= O_NOFOLLOW;
	else if (lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && link.st_uid != 0)
		return cron_file_refuse(err, "it is a link of another than root");
	fd = open(path, flags);
	if (fd < 0 && errno == ELOOP && place == CRON_PLACE_SPOOL)
		return cron_file_refuse(err, "it is a link");
	if (fd < 0)
		return schedd_error_set(
		    err, SCHEDD_EFILE, "it cannot be read: %s", strerror(errno));
	return fd;
}

static int cron_file_take(int fd, off_t size, char **text, size_t *length, struct schedd_error *err)
{
	*text = malloc((size_t)size + 1);
	*length = 0;
	if (!*text)
		return schedd_error_nomem(err);
	while (*length < (size_t)size) {
		ssize_t got = pread(fd, *text + *length, (size_t)size - *length, (off_t)*length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return schedd_error_set(
			    err, SCHEDD_EFILE, "it cannot be read: %s", strerror(errno));
		if (got == 0)
			break;
		*length += (size_t)got;
	}
	(*text)[*length] = '\0';
	return 0;
}

bool cron_file_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int cron_file_once(int fd, enum cron_place place, const char *account, char **text,
    size_t *length, struct stat *status, struct schedd_error *err)
{
	struct stat after;
	int rc;

	for (int i = 0; i < CRON_FILE_TRIES; i++) {
		*text = NULL;
		if (fstat(fd, status) < 0)
			return schedd_error_set(
			    err, SCHEDD_EFILE, "it cannot be read: %s", strerror(errno));
		rc = cron_file_check(status, place, account, err);
		if (!rc)
			rc = cron_file_take(fd, status->st_size, text, length, err);
		if (!rc && fstat(fd, &after) == 0 && cron_file_same(status, &after) &&
		    *length == (size_t)status->st_size)
			return 0;
		free(*text);
		*text = NULL;
		if (rc)
			return rc;
	}
	return cron_file_refuse(err, "it goes on changing while it is read");
}

int cron_file_read(const char *path, enum cron_place place, const char *account, char **text,
    size_t *length, struct stat *status, struct schedd_error *err)
{
	int fd = cron_file_open(path, place, err), rc;

	*text = NULL;
	memset(status, 0, sizeof(*status));
	if (fd < 0)
		return fd;
	rc = cron_file_once(fd, place, account, text, length, status, err);
	close(fd);
	return rc;
}
