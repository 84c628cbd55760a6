/* SPDX-License-Identifier: MIT */
/*
 * A connection to SQLite that speaks in our errors. It belongs to one thread
 * at a time. Only files of lib/store/ include this.
 */
#ifndef SCHEDD_STORE_SQL_H
#define SCHEDD_STORE_SQL_H

#include <sqlite3.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/error.h>

#define SQL_BUSY_MS 2000 /* how long another process may hold the write lock */

struct sql {
	sqlite3 *db;       /* NULL: not open */
	const char *store; /* its alias, for sentences; not owned */
	const char *path;  /* likewise */
	dev_t device;      /* of the file, as it was opened */
	ino_t inode;
};

/* flags as sqlite3_open_v2's. On failure nothing is open. */
int sql_open(struct sql *sql, const char *store, const char *path, int flags,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Another connection to the file that the first has open. SCHEDD_EFAILED: that is no longer what has its
 * name. Reading the other would empty what the two share, for SQLite tells them by that name.
 */
int sql_open_beside(struct sql *sql, const struct sql *first, int flags, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The sentence for a file that is no longer the one that was opened. SCHEDD_EFAILED. */
int sql_error_replaced(const struct sql *sql, const char *file, struct schedd_error *err);
/* All statements must be finalized. Fine for one that is not open. */
void sql_close(struct sql *sql);
/*
 * The sentence for what just failed on this connection: "store 'default':
 * database or disk is full". SCHEDD_EFILE if the file is damaged or no
 * database, SCHEDD_ENOMEM, else SCHEDD_EFAILED.
 */
int sql_error(const struct sql *sql, struct schedd_error *err);
/* Runs statements that answer nothing. */
int sql_exec(const struct sql *sql, const char *text, struct schedd_error *err)
    __attribute__((warn_unused_result));
int sql_prepare(const struct sql *sql, const char *text, sqlite3_stmt **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Runs a prepared statement to its end and makes it ready to be bound again. */
int sql_run(const struct sql *sql, sqlite3_stmt *stmt, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* 1: a row stands in stmt; 0: there are no more (stmt is reset); negative: an error (likewise). */
int sql_step(const struct sql *sql, sqlite3_stmt *stmt, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The integer that a query answers in its first column; 0 where there is no row. */
int sql_number(const struct sql *sql, const char *text, int64_t *out, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* The text stays the caller's until the statement was run. NULL binds NULL. */
void sql_bind_text(sqlite3_stmt *stmt, int index, const char *text);
/* SCHEDD_TIME_NONE binds NULL. */
void sql_bind_time(sqlite3_stmt *stmt, int index, schedd_time when);
/* A number whose default is stored as NULL. */
void sql_bind_int(sqlite3_stmt *stmt, int index, int64_t number, int64_t fallback);
/* The opposite ways. Texts are valid until the next step. */
const char *sql_text(sqlite3_stmt *stmt, int column);
schedd_time sql_time(sqlite3_stmt *stmt, int column);
int64_t sql_int(sqlite3_stmt *stmt, int column, int64_t fallback);

#endif
