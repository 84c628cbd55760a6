/* SPDX-License-Identifier: MIT */
/* A job becomes a row through the table of job fields alone. */
#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "store/sql_text.h"
#include "store/store_sqlite.h"

/* ---- Writing ---- */

static void jobs_bind_json(
    struct sqlite_store *sqlite, sqlite3_stmt *stmt, int index, const struct value *value)
{
	strbuf_reset(&sqlite->text);
	json_exact_write(&sqlite->text, value);
	sqlite3_bind_text(
	    stmt, index, strbuf_peek(&sqlite->text), (int)sqlite->text.length, SQLITE_TRANSIENT);
}

/* Texts of the value outlive the statement: they are the job's or the scratch arena's. */
static void jobs_bind_value(sqlite3_stmt *stmt, int index, const struct value *value)
{
	switch (value->type) {
	case VALUE_BOOL:
		sqlite3_bind_int(stmt, index, value->boolean);
		break;
	case VALUE_INT:
		sqlite3_bind_int64(stmt, index, value->integer);
		break;
	case VALUE_REAL:
		sqlite3_bind_double(stmt, index, value->real);
		break;
	case VALUE_STRING:
		sqlite3_bind_text64(stmt, index, value->string.text, value->string.length,
		    SQLITE_STATIC, SQLITE_UTF8);
		break;
	default:
		sqlite3_bind_null(stmt, index);
	}
}

/* What the details have is the default where a job has none. */
static bool jobs_says_nothing(const struct schedd_job *job, const struct job_state *state,
    const struct job_field *field)
{
	return (field->place == JOB_IN_DETAILS && !job->details) ||
	       job_fields_is_default(job, state, field);
}

static void jobs_bind_field(struct sqlite_store *sqlite, sqlite3_stmt *stmt, int index,
    const struct schedd_job *job, const struct job_state *state, const struct job_field *field)
{
	struct value value = job_fields_get(job, state, field, &sqlite->scratch);

	if (sql_text_json(field))
		jobs_bind_json(sqlite, stmt, index, &value);
	else
		jobs_bind_value(stmt, index, &value);
}

/* From that parameter on; common: nothing but those columns, in which everything is that the job says. */
static void jobs_bind(struct sqlite_store *sqlite, sqlite3_stmt *stmt, int from, bool common,
    const struct schedd_job *job, const struct job_state *state)
{
	for (int i = 0; i < sqlite->field_count; i++)
		if ((!common || sqlite->common[i]) &&
		    !jobs_says_nothing(job, state, sqlite->fields[i]))
			jobs_bind_field(sqlite, stmt, from + (common ? sqlite->common[i] - 1 : i), job,
			    state, sqlite->fields[i]);
}

/* Runs it with what was bound. */
static int jobs_run(struct sqlite_store *sqlite, sqlite3_stmt *stmt, struct schedd_error *err)
{
	int rc;

	if (arena_failed(&sqlite->scratch) || strbuf_failed(&sqlite->text)) {
		rc = schedd_error_set(
		    err, SCHEDD_ENOMEM, "store '%s': out of memory", sqlite->base.name);
		arena_clear(&sqlite->scratch);
		return rc;
	}
	rc = sql_run(&sqlite->writer, stmt, err);
	arena_reset(&sqlite->scratch);
	return rc;
}

static int jobs_write(struct sqlite_store *sqlite, enum sqlite_write write, bool common,
    const struct schedd_job *job, const struct job_state *state, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[write];

	sqlite3_clear_bindings(stmt);
	jobs_bind(sqlite, stmt, 1, common, job, state);
	return jobs_run(sqlite, stmt, err);
}

int store_sqlite_put_job(struct sqlite_store *sqlite, const struct schedd_job *job,
    const struct job_state *state, struct schedd_error *err)
{
	return jobs_write(sqlite, SQLITE_WRITE_PUT_JOB, false, job, state, err);
}

bool store_sqlite_is_common(const struct sqlite_store *sqlite, const struct schedd_job *job,
    const struct job_state *state)
{
	for (int i = 0; i < sqlite->field_count; i++)
		if (!sqlite->common[i] && !jobs_says_nothing(job, state, sqlite->fields[i]))
			return false;
	return true;
}

int store_sqlite_new_job(struct sqlite_store *sqlite, const struct schedd_job *job,
    const struct job_state *state, struct schedd_error *err)
{
	bool common = store_sqlite_is_common(sqlite, job, state);
	int rc = jobs_write(
	    sqlite, common ? SQLITE_WRITE_NEW_COMMON : SQLITE_WRITE_NEW_JOB, common, job, state, err);

	return rc ? rc : sqlite3_changes(sqlite->writer.db) == 0;
}

int store_sqlite_new_many(struct sqlite_store *sqlite, struct store_op *const ops[], struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_NEW_MANY];
	int rc;

	sqlite3_clear_bindings(stmt);
	for (int i = 0; i < SQL_TEXT_MANY; i++)
		jobs_bind(sqlite, stmt, 1 + i * sqlite->common_count, true, ops[i]->put_job.job, &ops[i]->put_job.state);
	rc = jobs_run(sqlite, stmt, err);
	return rc ? rc : sqlite3_changes(sqlite->writer.db) != SQL_TEXT_MANY;
}

bool store_sqlite_is_told_of(const struct store_op *op)
{
	const struct store_op *next = op->next;

	return next && next->kind == STORE_OP_PUT_CHANGE && next->change.job &&
	       strcmp(next->change.job, op->put_job.job->id) == 0;
}
