/* SPDX-License-Identifier: MIT */
/* What SQLite says, with the store's name before it and the system's reason behind it. */
#include "store/sql.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store/store.h"

void store_own_sqlite(void)
{
	/* Refused where it was used before, and then it counts. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int sql_open(
    struct sql *sql, const char *store, const char *path, int flags, struct schedd_error *err)
{
	struct stat st = {0};
	int rc;

	sql->store = store;
	sql->path = path;
	rc = sqlite3_open_v2(path, &sql->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		rc = sql->db ? sql_error(sql, err) : schedd_error_nomem(err);
		sql_close(sql);
		return rc;
	}
	sqlite3_extended_result_codes(sql->db, 1);
	sqlite3_busy_timeout(sql->db, SQL_BUSY_MS);
	(void)!stat(path, &st);
	sql->device = st.st_dev;
	sql->inode = st.st_ino;
	return 0;
}

int sql_open_beside(
    struct sql *sql, const struct sql *first, int flags, struct schedd_error *err)
{
	int rc = sql_open(sql, first->store, first->path, flags, err), moved = 0;

	if (rc < 0)
		return access(first->path, F_OK) < 0 ? sql_error_replaced(first, first->path, err) : rc;
	(void)sqlite3_file_control(sql->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (!moved && sql->inode == first->inode && sql->device == first->device)
		return 0;
	sql_close(sql);
	return sql_error_replaced(first, first->path, err);
}

int sql_error_replaced(const struct sql *sql, const char *file, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "store '%s': %s was removed or replaced while it was in use; save what is in it with "
	    "a backup, put that in its place and start schedd anew",
	    sql->store, file);
}

void sql_close(struct sql *sql)
{
	sqlite3_close(sql->db);
	sql->db = NULL;
}

int sql_error(const struct sql *sql, struct schedd_error *err)
{
	int primary = sqlite3_errcode(sql->db) & 0xff;
	int number = sqlite3_system_errno(sql->db);
	char reason[128] = "";

	if (primary == SQLITE_NOMEM)
		return schedd_error_set(
		    err, SCHEDD_ENOMEM, "store '%s': out of memory", sql->store);
	if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
		return schedd_error_set(err, SCHEDD_EFILE,
		    "store '%s': %s is damaged (%s); put a backup in its place, or save what can "
		    "be saved with sqlite3's .recover",
		    sql->store, sql->path, sqlite3_errmsg(sql->db));
	if (primary == SQLITE_BUSY)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store '%s': another process holds the lock of %s: nothing can be written until it "
		    "lets go",
		    sql->store, sql->path);
	if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && number != 0) {
		char text[100];

		sqlite3_snprintf(
		    sizeof(reason), reason, ": %s", strerror_r(number, text, sizeof(text)));
	}
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "store '%s': %s%s", sql->store, sqlite3_errmsg(sql->db), reason);
}

int sql_exec(const struct sql *sql, const char *text, struct schedd_error *err)
{
	return sqlite3_exec(sql->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_error(sql, err);
}

int sql_prepare(
    const struct sql *sql, const char *text, sqlite3_stmt **out, struct schedd_error *err)
{
	int rc = sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	return rc == SQLITE_OK ? 0 : sql_error(sql, err);
}

int sql_step(const struct sql *sql, sqlite3_stmt *stmt, struct schedd_error *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		rc = sql_error(sql, err);
	else
		rc = 0;
	sqlite3_reset(stmt);
	return rc;
}

int sql_run(const struct sql *sql, sqlite3_stmt *stmt, struct schedd_error *err)
{
	int rc;

	do
		rc = sql_step(sql, stmt, err);
	while (rc > 0);
	return rc;
}

int sql_number(const struct sql *sql, const char *text, int64_t *out, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql, text, &stmt, err);

	if (rc < 0)
		return rc;
	*out = 0;
	rc = sql_step(sql, stmt, err);
	if (rc > 0)
		*out = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

/*
 * Binding fails for lack of memory or a wrong index alone; a text that was not
 * bound is NULL, which a key's NOT NULL refuses.
 */
void sql_bind_text(sqlite3_stmt *stmt, int index, const char *text)
{
	sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
}

void sql_bind_time(sqlite3_stmt *stmt, int index, schedd_time when)
{
	sql_bind_int(stmt, index, when, SCHEDD_TIME_NONE);
}

void sql_bind_int(sqlite3_stmt *stmt, int index, int64_t number, int64_t fallback)
{
	if (number == fallback)
		sqlite3_bind_null(stmt, index);
	else
		sqlite3_bind_int64(stmt, index, number);
}

const char *sql_text(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}

schedd_time sql_time(sqlite3_stmt *stmt, int column)
{
	return sql_int(stmt, column, SCHEDD_TIME_NONE);
}

int64_t sql_int(sqlite3_stmt *stmt, int column, int64_t fallback)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL
		   ? fallback
		   : sqlite3_column_int64(stmt, column);
}
