/* SPDX-License-Identifier: MIT */
/* A look into a database, as a person with sqlite3 would take it. */
#ifndef TESTS_SUPPORT_SQL_CASE_H
#define TESTS_SUPPORT_SQL_CASE_H

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>

/* Runs statements. */
static inline void sql_case_exec(const char *path, const char *text)
{
	char *message = NULL;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, &message), SQLITE_OK, "%s: %s", text,
	    message ? message : "");
	sqlite3_close(db);
}

/* The first column of the first row; valid until the next call. "": none. */
static inline const char *sql_case_text(const char *path, const char *text)
{
	static char result[512];
	sqlite3_stmt *stmt;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK, "%s: %s", text,
	    sqlite3_errmsg(db));
	result[0] = '\0';
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0))
		snprintf(result, sizeof(result), "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return result;
}

#endif
