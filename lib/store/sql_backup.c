/* SPDX-License-Identifier: MIT */
/* Written under a temporary name beside its own, then linked: an existing file is never lost. */
#include "store/sql_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/strbuf.h"

struct sql_backup {
	const struct sql *source; /* not owned */
	struct sql copy;
	sqlite3_backup *handle; /* NULL: not begun, or finished */
	char *path;             /* owned */
	char *draft;            /* the temporary name; owned; NULL: there is no such file */
};

static int backup_fail(const struct sql_backup *backup, const char *what, struct schedd_error *err)
{
	int number = errno;

	if (number == EEXIST)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "%s exists already, choose another name for the backup", backup->path);
	return schedd_error_set(err,
	    number == EACCES || number == EPERM || number == EROFS ? SCHEDD_EPERM : SCHEDD_EFAILED,
	    "backup to %s: %s: %s", backup->path, what, strerror(number));
}

static int backup_make_draft(struct sql_backup *backup, struct schedd_error *err)
{
	struct strbuf name = STRBUF_EMPTY;
	struct stat st;
	int fd;

	if (lstat(backup->path, &st) == 0) {
		errno = EEXIST;
		return backup_fail(backup, "open", err);
	}
	strbuf_printf(&name, "%s.XXXXXX", backup->path);
	backup->draft = strbuf_take(&name);
	if (!backup->draft)
		return schedd_error_nomem(err);
	fd = mkostemp(backup->draft, O_CLOEXEC);
	if (fd < 0) {
		free(backup->draft);
		backup->draft = NULL;
		return backup_fail(backup, "a file cannot be made there", err);
	}
	close(fd);
	return 0;
}

int sql_backup_new(
    const struct sql *source, const char *path, struct sql_backup **out, struct schedd_error *err)
{
	struct sql_backup *backup = calloc(1, sizeof(*backup));
	int rc;

	if (!backup)
		return schedd_error_nomem(err);
	backup->source = source;
	backup->path = strdup(path);
	rc = backup->path ? backup_make_draft(backup, err) : schedd_error_nomem(err);
	if (rc == 0)
		rc = sql_open(
		    &backup->copy, source->store, backup->draft, SQLITE_OPEN_READWRITE, err);
	/* Nothing is at stake before the link: one fsync at the end does. */
	if (rc == 0)
		rc = sql_exec(
		    &backup->copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", err);
	if (rc == 0) {
		backup->handle = sqlite3_backup_init(backup->copy.db, "main", source->db, "main");
		if (!backup->handle)
			rc = sql_error(&backup->copy, err);
	}
	if (rc < 0)
		sql_backup_free(backup);
	else
		*out = backup;
	return rc;
}

static int backup_sync(const struct sql_backup *backup, const char *path, struct schedd_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0 || fsync(fd) < 0)
		rc = backup_fail(backup, "it cannot be forced to disk", err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int backup_sync_directory(const struct sql_backup *backup, struct schedd_error *err)
{
	char *directory = strdup(backup->path);
	char *slash;
	int rc;

	if (!directory)
		return schedd_error_nomem(err);
	slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory ? 1 : 0] = '\0';
	rc = backup_sync(backup, slash ? directory : ".", err);
	free(directory);
	return rc;
}

static int backup_finish(struct sql_backup *backup, struct schedd_error *err)
{
	int rc;

	if (sqlite3_backup_finish(backup->handle) != SQLITE_OK) {
		backup->handle = NULL;
		return sql_error(&backup->copy, err);
	}
	backup->handle = NULL;
	sql_close(&backup->copy);
	rc = backup_sync(backup, backup->draft, err);
	if (rc == 0 && link(backup->draft, backup->path) < 0)
		rc = backup_fail(backup, "it cannot be given its name", err);
	if (rc == 0)
		rc = backup_sync_directory(backup, err);
	return rc;
}

int sql_backup_step(struct sql_backup *backup, int pages, struct schedd_error *err)
{
	int rc = sqlite3_backup_step(backup->handle, pages);

	if (rc == SQLITE_DONE)
		return backup_finish(backup, err);
	if (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return 1;
	/* The reason stands with the copy only after the end. */
	sqlite3_backup_finish(backup->handle);
	backup->handle = NULL;
	rc = sql_error(&backup->copy, err);
	if (err)
		schedd_error_prefix(err, "backup to %s", backup->path);
	return rc;
}

void sql_backup_free(struct sql_backup *backup)
{
	if (!backup)
		return;
	sqlite3_backup_finish(backup->handle);
	sql_close(&backup->copy);
	if (backup->draft)
		unlink(backup->draft);
	free(backup->draft);
	free(backup->path);
	free(backup);
}

int sql_backup_all(const struct sql *source, const char *path, struct schedd_error *err)
{
	struct sql_backup *backup;
	int rc = sql_backup_new(source, path, &backup, err);

	if (rc < 0)
		return rc;
	do
		rc = sql_backup_step(backup, -1, err);
	while (rc > 0);
	sql_backup_free(backup);
	return rc;
}
