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
#include <sys/stat.h>
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

	lock->fd = -1;
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

void lock_release(struct lock *lock)
{
	if (lock->fd >= 0) {
		unlink(lock->path);
		close(lock->fd);
	}
	free(lock->path);
	lock->path = NULL;
	lock->fd = -1;
}
