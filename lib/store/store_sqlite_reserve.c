/* SPDX-License-Identifier: MIT */
#include "store/store_sqlite_reserve.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As long as the write-ahead log grows before it is brought into the database. */
#define RESERVE_SIZE ((off_t)4 << 20)

static bool reserve_fill(struct sqlite_reserve *reserve)
{
	reserve->held = posix_fallocate(reserve->fd, 0, RESERVE_SIZE) == 0;
	/* A part of it would only be in the way. */
	if (!reserve->held)
		(void)!ftruncate(reserve->fd, 0);
	return reserve->held;
}

void store_sqlite_reserve_open(struct sqlite_reserve *reserve, const char *database)
{
	size_t size = strlen(database) + sizeof(STORE_SQLITE_RESERVE);

	reserve->path = malloc(size);
	if (!reserve->path)
		return;
	strcpy(reserve->path, database);
	strcat(reserve->path, STORE_SQLITE_RESERVE);
	reserve->fd = open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (reserve->fd >= 0) {
		(void)reserve_fill(reserve);
		return;
	}
	free(reserve->path);
	reserve->path = NULL;
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
	close(reserve->fd);
	unlink(reserve->path);
	free(reserve->path);
	reserve->path = NULL;
}
