/* SPDX-License-Identifier: MIT */
/*
 * The rights of an account are taken as those of files alone (setfsuid): the
 * process stays root's to everybody who might signal it. Raw system calls, as
 * libc's would do it in all threads.
 */
#include "executor/spawn_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifdef SYS_setfsuid32
#define SECRET_SETFSUID SYS_setfsuid32
#define SECRET_SETFSGID SYS_setfsgid32
#define SECRET_SETGROUPS SYS_setgroups32
#define SECRET_GETGROUPS SYS_getgroups32
#else
#define SECRET_SETFSUID SYS_setfsuid
#define SECRET_SETFSGID SYS_setfsgid
#define SECRET_SETGROUPS SYS_setgroups
#define SECRET_GETGROUPS SYS_getgroups
#endif

#define SECRET_GROUPS 65536 /* NGROUPS_MAX of the kernel */
#define SECRET_LINKS 40     /* as the kernel follows */

/* A named pipe in its place must not hold us up. */
static int secret_open_plain(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static int secret_open_as(const char *path, const struct account *account)
{
	gid_t *own = calloc(SECRET_GROUPS, sizeof(*own));
	uid_t uid = geteuid();
	gid_t gid = getegid();
	long count;
	int fd = -EPERM;

	if (!own)
		return -ENOMEM;
	count = syscall(SECRET_GETGROUPS, SECRET_GROUPS, own);
	if (count >= 0 &&
	    syscall(SECRET_SETGROUPS, account->group_count, account->groups) == 0) {
		syscall(SECRET_SETFSGID, account->gid);
		syscall(SECRET_SETFSUID, account->uid);
		/* It says nothing about whether it has worked. */
		if ((uid_t)syscall(SECRET_SETFSUID, -1) == account->uid)
			fd = secret_open_plain(path);
		syscall(SECRET_SETFSUID, uid);
		syscall(SECRET_SETFSGID, gid);
		syscall(SECRET_SETGROUPS, count, own);
	}
	free(own);
	return fd;
}

static bool secret_is_ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* A way to a file that is walked by name after name. */
struct secret_walk {
	char rest[PATH_MAX]; /* names still to go */
	int at;              /* the directory reached, O_PATH */
	bool shared;         /* others may put names into it, but not take ours away */
	unsigned links;
};

/* The target of a link in the place of its name. 0 or -errno. */
static int secret_follow(struct secret_walk *walk, const char *name, const char *after)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(walk->at, name, target, sizeof(target) - 1);
	size_t left = strlen(after);

	if (length < 0)
		return -errno;
	if (++walk->links > SECRET_LINKS)
		return -ELOOP;
	if ((size_t)length + 1 + left >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + length + 1, after, left + 1);
	memcpy(walk->rest, target, (size_t)length);
	walk->rest[length] = '/';
	if (target[0] != '/')
		return 0;
	close(walk->at);
	walk->shared = false;
	walk->at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return walk->at < 0 ? -errno : 0;
}

/* Who decides what stands under a name: root and we alone? */
static bool secret_holds(const struct secret_walk *walk, const struct stat *st, bool last)
{
	if (walk->shared && !secret_is_ours(st))
		return false;
	if (!S_ISDIR(st->st_mode))
		return last || S_ISLNK(st->st_mode);
	return secret_is_ours(st) && (!(st->st_mode & (S_IWGRP | S_IWOTH)) || st->st_mode & S_ISVTX);
}

static void secret_enter(struct secret_walk *walk, int fd, const struct stat *st, const char *after)
{
	close(walk->at);
	walk->at = fd;
	walk->shared = st->st_mode & (S_IWGRP | S_IWOTH);
	memmove(walk->rest, after, strlen(after) + 1);
}

/* Takes one name of the way: 0, -errno, or the descriptor of the file (positive: 0-2 are taken). */
static int secret_step(struct secret_walk *walk)
{
	char name[NAME_MAX + 1];
	char *begin = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(begin, "/");
	char *after = begin + length + strspn(begin + length, "/");
	struct stat st;
	int fd;

	if (length == 0)
		return -EISDIR;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, begin, length);
	name[length] = '\0';
	fd = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !secret_holds(walk, &st, !*after)) {
		close(fd);
		return -EACCES;
	}
	if (*after && S_ISDIR(st.st_mode)) {
		secret_enter(walk, fd, &st, after);
		return 0;
	}
	close(fd);
	if (S_ISLNK(st.st_mode))
		return secret_follow(walk, name, after);
	/* Nobody else could put another thing there meanwhile. */
	fd = openat(walk->at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int secret_open_trusted(const char *path)
{
	struct secret_walk walk = {.at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	int rc = 0;

	if (walk.at < 0)
		return -errno;
	if (path[0] != '/' || strlen(path) >= sizeof(walk.rest))
		rc = path[0] != '/' ? -EACCES : -ENAMETOOLONG;
	else
		strcpy(walk.rest, path);
	while (rc == 0)
		rc = secret_step(&walk);
	if (walk.at >= 0)
		close(walk.at);
	return rc;
}

int spawn_secret_open(const char *path, const struct account *account, bool own)
{
	int fd;

	if (!account->change)
		return secret_open_plain(path);
	fd = secret_open_as(path, account);
	return !own && (fd == -EACCES || fd == -EPERM) ? secret_open_trusted(path) : fd;
}

/* Copies what is left of from. 0 or errno. */
static int secret_pour(int from, int to)
{
	char bytes[8192];
	size_t total = 0;

	for (;;) {
		ssize_t got = read(from, bytes, sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : 0;
		total += (size_t)got;
		if (total > SPAWN_SECRET_MAX)
			return EFBIG;
		for (ssize_t done = 0, n; done < got; done += n) {
			n = write(to, bytes + done, (size_t)(got - done));
			if (n < 0)
				return errno;
		}
	}
}

static int secret_copy(
    const struct spawn_secret *secret, const struct account *account, bool own)
{
	int from = spawn_secret_open(secret->from, account, own);
	struct stat st;
	int to, error = 0;

	if (from < 0)
		return -from;
	/* Nobody waits for its writer, and without one it would be an empty secret. */
	if (fstat(from, &st) == 0 && S_ISFIFO(st.st_mode)) {
		close(from);
		return SPAWN_SECRET_PIPE;
	}
	(void)unlink(secret->to);
	to = open(secret->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	error = to < 0 ? errno : secret_pour(from, to);
	if (error == 0 && account->change && fchown(to, account->uid, account->gid) < 0)
		error = errno;
	if (to >= 0)
		close(to);
	close(from);
	return error;
}

/*
 * It stays ours, so that a job cannot put something else in its place. It is
 * there already where a start is tried again. 0 or errno.
 */
static int secret_directory(const char *path)
{
	struct stat st;

	if (mkdir(path, 0711) < 0 &&
	    (errno != EEXIST || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
		st.st_uid != geteuid()))
		return errno;
	return chmod(path, 0711) < 0 ? errno : 0;
}

int spawn_secret_copy(const struct spawn *spawn, uint32_t *index)
{
	int error = 0;

	*index = spawn->secret_count;
	if (spawn->secret_directory)
		error = secret_directory(spawn->secret_directory);
	for (uint32_t i = 0; !error && i < spawn->secret_count; i++) {
		*index = i;
		error = secret_copy(&spawn->secrets[i], spawn->account, spawn->secrets_own);
	}
	return error;
}

void spawn_secret_remove(const struct spawn *spawn)
{
	for (uint32_t i = 0; i < spawn->secret_count; i++)
		(void)unlink(spawn->secrets[i].to);
	if (spawn->secret_directory)
		(void)rmdir(spawn->secret_directory);
}
