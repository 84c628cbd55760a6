/* SPDX-License-Identifier: MIT */
/*
 * A record lock of fcntl(2): it ends with the process, however that ends, so
 * there is no stale lock; but a child that a killed daemon was just starting
 * shares its descriptors, and so its lock, for some microseconds of its own.
 * Such a lock is waited for. The pid in the file is for people and for the
 * refusal alone.
 */
#include "server/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "executor/process_stat.h"

#define LOCK_LOOKS 5000 /* a millisecond apart, at a lock whose holder is dead */

/* The kernel knows it before it is written; the file also tells of one in another namespace. */
static long lock_holder(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char text[32] = "";
	ssize_t n;

	if (fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK && whole.l_pid > 0)
		return whole.l_pid;
	n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? strtol(text, NULL, 10) : 0;
}

/* It ended, and perhaps nobody has asked how. */
static bool lock_holder_is_dead(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct process_stat stat;

	/* 0 or less: of another namespace, so nothing is known of it. */
	if (fcntl(fd, F_GETLK, &whole) < 0 || (whole.l_type != F_UNLCK && whole.l_pid <= 0))
		return false;
	return whole.l_type == F_UNLCK || (kill(whole.l_pid, 0) < 0 && errno == ESRCH) ||
	       (process_stat_read(whole.l_pid, &stat) && stat.state == 'Z');
}

static int lock_try(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int looks = 0; fcntl(fd, F_SETLK, &whole) < 0; looks++) {
		int reason = errno;

		if ((reason != EAGAIN && reason != EACCES) || looks == LOCK_LOOKS ||
		    !lock_holder_is_dead(fd)) {
			errno = reason;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* The file may have been removed by the one who held it between open and lock. */
static bool lock_is_current(int fd, const char *path)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
	       held.st_dev == there.st_dev;
}

static int lock_open(const char *path, const char *what, int *out, struct schedd_error *err)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0) {
			bool refused = errno == EACCES || errno == EPERM || errno == EROFS;

			return schedd_error_set(err, refused ? SCHEDD_EPERM : SCHEDD_EFAILED,
			    "cannot use the %s: %s: %s", what, path, strerror(errno));
		}
		if (lock_try(fd) < 0) {
			int reason = errno;
			long pid = lock_holder(fd);

			close(fd);
			if (reason == EAGAIN || reason == EACCES)
				return schedd_error_set(err, SCHEDD_EFAILED,
				    "the %s is held by another schedd with pid %ld", what, pid);
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "cannot lock %s: %s", path, strerror(reason));
		}
		if (lock_is_current(fd, path)) {
			*out = fd;
			return 0;
		}
		close(fd);
	}
}

int lock_take(struct lock *lock, const char *path, const char *what, struct schedd_error *err)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	int fd = -1, rc;

	lock->fd = lock->folder = -1;
	lock->path = NULL;
	rc = lock_open(path, what, &fd, err);
	if (rc)
		return rc;
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length) {
		rc = schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot write %s: %s", path, strerror(errno));
		close(fd);
		return rc;
	}
	lock->path = strdup(path);
	if (!lock->path) {
		close(fd);
		return schedd_error_nomem(err);
	}
	lock->fd = fd;
	return 0;
}

/* Who holds a lock of flock(2) on that file, as /proc/locks tells; 0: it does not. */
static long lock_flock_holder(const struct stat *st)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[256];
	long holder = 0;

	while (file && !holder && fgets(line, sizeof(line), file)) {
		unsigned long major, minor, inode;
		long pid;

		/* "1: FLOCK  ADVISORY  WRITE 708 fe:00:131099 0 EOF" */
		if (strstr(line, "->") ||
		    sscanf(line, "%*d: FLOCK %*s %*s %ld %lx:%lx:%lu", &pid, &major, &minor,
			&inode) != 4)
			continue;
		if (inode == st->st_ino && major == gnu_dev_major(st->st_dev) &&
		    minor == gnu_dev_minor(st->st_dev))
			holder = pid;
	}
	if (file)
		fclose(file);
	return holder;
}

/*
 * A child that a killed daemon was starting holds its locks for some microseconds of its own. Nor is
 * a holder known that let go between the two looks, or that /proc/locks does not show.
 */
static bool lock_flock(int fd, const struct stat *st)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int looks = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; looks++) {
		struct process_stat stat;
		int reason = errno;
		long pid = reason == EWOULDBLOCK ? lock_flock_holder(st) : 0;

		errno = reason;
		if (reason != EWOULDBLOCK || looks == LOCK_LOOKS ||
		    (pid > 0 && (kill((pid_t)pid, 0) == 0 || errno != ESRCH) &&
			!(process_stat_read((pid_t)pid, &stat) && stat.state == 'Z'))) {
			errno = reason;
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

int lock_take_directory(
    struct lock *lock, const char *directory, const char *what, struct schedd_error *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int reason;

	if (fd < 0 || fstat(fd, &st) < 0) {
		reason = errno;
		if (fd >= 0)
			close(fd);
		return schedd_error_set(err, reason == EACCES ? SCHEDD_EPERM : SCHEDD_EFAILED,
		    "cannot use the %s: %s", what, strerror(reason));
	}
	if (lock_flock(fd, &st)) {
		lock->folder = fd;
		return 0;
	}
	reason = errno;
	close(fd);
	/* A file system without such locks: the file's lock has to be enough. */
	if (reason != EWOULDBLOCK)
		return 0;
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "the %s is held by another schedd with pid %ld", what, lock_flock_holder(&st));
}

void lock_release(struct lock *lock)
{
	if (lock->folder >= 0)
		close(lock->folder);
	if (lock->fd >= 0) {
		unlink(lock->path);
		close(lock->fd);
	}
	free(lock->path);
	lock->path = NULL;
	lock->fd = lock->folder = -1;
}
