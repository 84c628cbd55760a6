/* SPDX-License-Identifier: MIT */
/* What SQLite keeps of an index is its statement from the name on, letter by letter. */
#include "store/sql_index.h"

#include <string.h>
#include "store/sql_text.h"

/* Is it there, and over these columns? */
static int index_stands(
    const struct sql *sql, const char *text, bool *stands, struct schedd_error *err)
{
	static const char begin[] = "CREATE INDEX ";
	sqlite3_stmt *stmt;
	const char *kept;
	int rc = sql_prepare(sql,
	    "SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = '" SQL_TEXT_JOBS_INDEX
	    "'",
	    &stmt, err);

	*stands = false;
	if (rc)
		return rc;
	rc = sql_step(sql, stmt, err);
	kept = rc > 0 ? sql_text(stmt, 0) : NULL;
	if (kept && strncmp(kept, begin, strlen(begin)) == 0)
		*stands = strcmp(kept + strlen(begin), text) == 0;
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static int index_make_anew(const struct sql *sql, const char *text, struct schedd_error *err)
{
	struct strbuf all = STRBUF_EMPTY;
	int rc;

	strbuf_printf(&all,
	    "BEGIN IMMEDIATE; DROP INDEX IF EXISTS " SQL_TEXT_JOBS_INDEX "; CREATE INDEX %s; COMMIT", text);
	rc = strbuf_failed(&all) ? schedd_error_nomem(err) : sql_exec(sql, strbuf_peek(&all), err);
	strbuf_clear(&all);
	if (rc && !sqlite3_get_autocommit(sql->db))
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* It follows the table of fields. */
static int index_of_jobs(const struct sql *sql, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	bool stands = false;
	int rc;

	sql_text_jobs_index(&text);
	rc = strbuf_failed(&text) ? schedd_error_nomem(err)
				  : index_stands(sql, strbuf_peek(&text), &stands, err);
	if (rc == 0 && !stands)
		rc = index_make_anew(sql, strbuf_peek(&text), err);
	strbuf_clear(&text);
	return rc;
}

int sql_index_run(const struct sql *sql, struct schedd_error *err)
{
	int rc = 0;

	for (const char *const *index = sql_text_indexes(); rc == 0 && *index; index++)
		rc = sql_exec(sql, *index, err);
	return rc ? rc : index_of_jobs(sql, err);
}
