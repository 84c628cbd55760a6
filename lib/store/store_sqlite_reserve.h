/* SPDX-License-Identifier: MIT */
/*
 * Room on the disk that is kept for what must still be written when it is full:
 * ends of runs, the removal of jobs that ran for the last time, the claims of
 * runs that follow. A file beside the database holds it, and is emptied when it
 * is needed; it is filled again before anything else is written. Its lock is
 * the store's: two daemons on one database would each run all of its jobs,
 * whatever their state directories are.
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

/*
 * Before anything of the database is touched; waits for up to a second. False: another schedd has
 * it. Where no such file can be made the store does without.
 */
bool store_sqlite_reserve_open(struct sqlite_reserve *reserve, const char *database);
/* Takes the room, if there is any. */
void store_sqlite_reserve_fill(struct sqlite_reserve *reserve);
/* Gives the room up. False: there is none to give. */
bool store_sqlite_reserve_release(struct sqlite_reserve *reserve);
/* Takes the room again, if it was given up. False: the disk is still full. */
bool store_sqlite_reserve_take(struct sqlite_reserve *reserve);
void store_sqlite_reserve_close(struct sqlite_reserve *reserve);

#endif
