/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As long as the write-ahead log grows before it is brought into the database. */
#define RESERVE_SIZE ((off_t)4 << 20)
#define RESERVE_TRIES 50
#define RESERVE_PAUSE 20000000 /* nanoseconds */

static bool reserve_fill(struct sqlite_reserve *reserve)
{
	reserve->held = posix_fallocate(reserve->fd, 0, RESERVE_SIZE) == 0;
	/* A part of it would only be in the way. */
	if (!reserve->held)
		(void)!ftruncate(reserve->fd, 0);
	return reserve->held;
}

/* Who closes removes the file first: what was locked then is no longer the one of that name. */
static bool reserve_is_there(const struct sqlite_reserve *reserve)
{
	struct stat mine, named;

	return fstat(reserve->fd, &mine) == 0 && stat(reserve->path, &named) == 0 &&
	       mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

/* 0, or the error of the last step. */
static int reserve_lock_once(struct sqlite_reserve *reserve)
{
	int error;

	reserve->fd = open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (reserve->fd < 0)
		return errno;
	error = flock(reserve->fd, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
	if (error == 0 && reserve_is_there(reserve))
		return 0;
	close(reserve->fd);
	return error ? error : EWOULDBLOCK;
}

bool store_sqlite_reserve_open(struct sqlite_reserve *reserve, const char *database)
{
	static const struct timespec pause = {.tv_nsec = RESERVE_PAUSE};
	/* By whatever links it is named, it is one. */
	char *real = realpath(database, NULL);
	int error = EWOULDBLOCK;

	if (asprintf(&reserve->path, "%s%s", real ? real : database, STORE_SQLITE_RESERVE) < 0)
		reserve->path = NULL;
	free(real);
	if (!reserve->path)
		return true;
	/* One that is just being closed or was killed gives it back in a moment. */
	for (int i = 0; i < RESERVE_TRIES && error == EWOULDBLOCK; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		error = reserve_lock_once(reserve);
	}
	if (error == 0)
		return true;
	free(reserve->path);
	reserve->path = NULL;
	return error != EWOULDBLOCK;
}

void store_sqlite_reserve_fill(struct sqlite_reserve *reserve)
{
	if (reserve->path)
		(void)reserve_fill(reserve);
}

bool store_sqlite_reserve_release(struct sqlite_reserve *reserve)
{
	if (!reserve->held || ftruncate(reserve->fd, 0))
		return false;
	reserve->held = false;
	reserve->used = true;
	return true;
}

bool store_sqlite_reserve_take(struct sqlite_reserve *reserve)
{
	if (reserve->used)
		reserve->used = !reserve_fill(reserve);
	return !reserve->used;
}

void store_sqlite_reserve_close(struct sqlite_reserve *reserve)
{
	if (!reserve->path)
		return;
	unlink(reserve->path);
	close(reserve->fd);
	free(reserve->path);
	reserve->path = NULL;
}
