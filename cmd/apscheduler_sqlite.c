/* SPDX-License-Identifier: MIT */
/* Through SQLite's library, loaded when it is asked for: schedctl needs it for nothing else. */
#include <stdio.h>
#include "base/dynlib.h"
#include "base/strbuf.h"
#include "cmd/apscheduler_source.h"

#define SQLITE_READONLY_FLAG 1
#define SQLITE_ROW_CODE 100
#define SQLITE_DONE_CODE 101
#define SQLITE_BUSY_WAIT 5000 /* milliseconds: a scheduler may be writing */

/* From sqlite3.h; its functions keep these shapes for good. */
struct sqlite_calls {
	int (*open_v2)(const char *path, void **db, int flags, const char *vfs);
	int (*busy_timeout)(void *db, int milliseconds);
	int (*prepare_v2)(void *db, const char *text, int bytes, void **stmt, const char **tail);
	int (*step)(void *stmt);
	const unsigned char *(*column_text)(void *stmt, int column);
	const void *(*column_blob)(void *stmt, int column);
	int (*column_bytes)(void *stmt, int column);
	int (*finalize)(void *stmt);
	const char *(*errmsg)(void *db);
	int (*close)(void *db);
};

static int sqlite_load(struct sqlite_calls *calls, struct schedd_error *err)
{
	static const char *const names[] = {"libsqlite3.so.0", "libsqlite3.so", NULL};
	const struct dynlib_symbol symbols[] = {
	    {"sqlite3_open_v2", (void **)&calls->open_v2},
	    {"sqlite3_busy_timeout", (void **)&calls->busy_timeout},
	    {"sqlite3_prepare_v2", (void **)&calls->prepare_v2},
	    {"sqlite3_step", (void **)&calls->step},
	    {"sqlite3_column_text", (void **)&calls->column_text},
	    {"sqlite3_column_blob", (void **)&calls->column_blob},
	    {"sqlite3_column_bytes", (void **)&calls->column_bytes},
	    {"sqlite3_finalize", (void **)&calls->finalize},
	    {"sqlite3_errmsg", (void **)&calls->errmsg},
	    {"sqlite3_close", (void **)&calls->close},
	    {NULL, NULL},
	};

	return dynlib_library("SQLite", names, symbols, err);
}

static int sqlite_rows(const struct sqlite_calls *calls, void *db, const char *question,
    apscheduler_source_fn call, void *context, struct schedd_error *err)
{
	void *stmt = NULL;
	int code, rc = 0;

	if (calls->prepare_v2(db, question, -1, &stmt, NULL))
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "%s", calls->errmsg(db));
	while (rc == 0 && (code = calls->step(stmt)) == SQLITE_ROW_CODE) {
		const char *id = (const char *)calls->column_text(stmt, 0);
		const void *pickle = calls->column_blob(stmt, 1);

		rc = call(id ? id : "", pickle, (size_t)calls->column_bytes(stmt, 1), context);
	}
	if (rc == 0 && code != SQLITE_DONE_CODE)
		rc = schedd_error_set(err, SCHEDD_EFAILED, "%s", calls->errmsg(db));
	else if (rc)
		schedd_error_nomem(err);
	calls->finalize(stmt);
	return rc;
}

int apscheduler_sqlite_read(const struct apscheduler_source *source,
    const struct apscheduler_url *url, apscheduler_source_fn call, void *context,
    struct schedd_error *err)
{
	const char *path = url ? url->path : source->place;
	struct strbuf question = STRBUF_EMPTY;
	struct sqlite_calls calls;
	void *db = NULL;
	int rc = sqlite_load(&calls, err);

	if (rc)
		return rc;
	if (!path)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "'%s' names no file: an SQLite store in memory is nowhere else", source->place);
	strbuf_printf(&question, "SELECT id, job_state FROM %s ORDER BY next_run_time IS NULL, "
				 "next_run_time, id", source->table);
	if (calls.open_v2(path, &db, SQLITE_READONLY_FLAG, NULL))
		rc = schedd_error_set(err, SCHEDD_ENOTFOUND, "%s: %s", path,
		    db ? calls.errmsg(db) : "out of memory");
	else
		calls.busy_timeout(db, SQLITE_BUSY_WAIT);
	if (rc == 0 && strbuf_failed(&question))
		rc = schedd_error_nomem(err);
	if (rc == 0) {
		rc = sqlite_rows(&calls, db, strbuf_peek(&question), call, context, err);
		if (rc)
			schedd_error_prefix(err, "%s", path);
	}
	calls.close(db);
	strbuf_clear(&question);
	return rc;
}
