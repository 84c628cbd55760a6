/* SPDX-License-Identifier: MIT */
/*
 * Room on the disk that is kept for what must still be written when it is full:
 * ends of runs, the removal of jobs that ran for the last time, the claims of
 * runs that follow. A file beside the database holds it, and is emptied when it
 * is needed; it is filled again before anything else is written.
 */
#ifndef SCHEDD_STORE_STORE_SQLITE_RESERVE_H
#define SCHEDD_STORE_STORE_SQLITE_RESERVE_H

#include <stdbool.h>

/* Behind the database's name. */
#define STORE_SQLITE_RESERVE "-reserve"

/* Of the worker's thread. Zero-initialised: there is none. */
struct sqlite_reserve {
	char *path; /* owned; NULL: there is none */
	int fd;
	bool held; /* the file takes up its room */
	bool used; /* it was given up, and is to be filled again */
};

/* Where there is no room for it already the store does without. */
void store_sqlite_reserve_open(struct sqlite_reserve *reserve, const char *database);
/* Gives the room up. False: there is none to give. */
bool store_sqlite_reserve_release(struct sqlite_reserve *reserve);
/* Takes the room again, if it was given up. False: the disk is still full. */
bool store_sqlite_reserve_take(struct sqlite_reserve *reserve);
void store_sqlite_reserve_close(struct sqlite_reserve *reserve);

#endif
