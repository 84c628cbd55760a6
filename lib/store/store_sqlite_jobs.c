/* SPDX-License-Identifier: MIT */
/* A job as a row, through the table of job fields alone. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/log.h"
#include "store/sql_json.h"
#include "store/sql_text.h"
#include "store/store_sqlite.h"

/* ---- Writing ---- */

static void jobs_bind_json(
    struct sqlite_store *sqlite, sqlite3_stmt *stmt, int index, const struct value *value)
{
	strbuf_reset(&sqlite->text);
	json_write(&sqlite->text, value);
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

int store_sqlite_put_job(
    struct sqlite_store *sqlite, const struct store_op *op, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_PUT_JOB];
	const struct schedd_job *job = op->put_job.job;
	const struct job_state *state = &op->put_job.state;
	int rc;

	sqlite3_clear_bindings(stmt);
	for (int i = 0; i < sqlite->field_count; i++) {
		const struct job_field *field = sqlite->fields[i];
		struct value value;

		if (job_fields_is_default(job, state, field))
			continue;
		value = job_fields_get(job, state, field, &sqlite->scratch);
		if (sql_text_json(field))
			jobs_bind_json(sqlite, stmt, i + 1, &value);
		else
			jobs_bind_value(stmt, i + 1, &value);
	}
	if (arena_failed(&sqlite->scratch) || strbuf_failed(&sqlite->text))
		rc = schedd_error_set(
		    err, SCHEDD_ENOMEM, "store '%s': out of memory", sqlite->base.name);
	else
		rc = sql_run(&sqlite->writer, stmt, err);
	arena_clear(&sqlite->scratch);
	return rc;
}

/* ---- Reading ---- */

/* A statement whose first columns are these fields. */
struct jobs_rows {
	sqlite3_stmt *stmt;
	const struct job_field **fields;
	int count;
};

/*
 * Reading a table of jobs: the columns that most jobs use at once, all columns
 * of those that use others.
 */
struct jobs_reader {
	struct sqlite_store *sqlite;
	struct jobs_rows common;
	struct jobs_rows whole;
	struct trigger_context trigger;
	struct job_fields_context context;
	struct arena arena; /* of one row */
};

static struct value jobs_native(sqlite3_stmt *stmt, int column, const struct job_field *field)
{
	struct value value = {.type = VALUE_NIL};

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_INTEGER:
		value = field->type == JOB_FIELD_BOOL
			    ? value_bool(sqlite3_column_int64(stmt, column) != 0)
			    : value_int(sqlite3_column_int64(stmt, column));
		break;
	case SQLITE_FLOAT:
		value = value_real(sqlite3_column_double(stmt, column));
		break;
	default:
		value.type = VALUE_STRING;
		value.string.text = sql_text(stmt, column);
		value.string.length = (size_t)sqlite3_column_bytes(stmt, column);
		if (!value.string.text)
			value = value_nil();
	}
	return value;
}

static int jobs_read_column(struct jobs_reader *reader, const struct jobs_rows *rows, int column,
    struct job_record *record, struct schedd_error *err)
{
	const struct job_field *field = rows->fields[column];
	struct value value;
	int rc;

	if (sqlite3_column_type(rows->stmt, column) == SQLITE_NULL)
		return 0;
	if (sql_text_json(field)) {
		const char *text = sql_text(rows->stmt, column);

		if (!text)
			return schedd_error_nomem(err);
		rc = sql_json_parse(text, (size_t)sqlite3_column_bytes(rows->stmt, column),
		    &reader->arena, &value, err);
		if (rc < 0) {
			schedd_error_prefix(err, "column %s", field->name);
			return rc;
		}
	} else {
		value = jobs_native(rows->stmt, column, field);
	}
	return job_fields_set(record->job, &record->state, field, &value, &reader->context, err);
}

/* The record that stands for a row that cannot be read; its last run is saved if it can be. */
static int jobs_invalid(const struct jobs_rows *rows, struct job_record *record, const char *why)
{
	const char *id = NULL;
	uint32_t last_run = 0;

	for (int i = 0; i < rows->count; i++) {
		if (strcmp(rows->fields[i]->name, "id") == 0)
			id = sql_text(rows->stmt, i);
		else if (strcmp(rows->fields[i]->name, "last_run") == 0)
			last_run = (uint32_t)sqlite3_column_int64(rows->stmt, i);
	}
	job_unref(record->job);
	job_state_clear(&record->state);
	record->job = job_new();
	if (!record->job || !id)
		return SCHEDD_ENOMEM;
	record->job->id = strdup(id);
	record->state.last_run = last_run;
	record->state.invalid = strdup(why);
	return record->job->id && record->state.invalid ? 0 : SCHEDD_ENOMEM;
}

static int jobs_read_row(struct jobs_reader *reader, const struct jobs_rows *rows,
    struct job_record *record, struct schedd_error *err)
{
	struct schedd_error why;
	int rc = 0;

	job_state_init(&record->state);
	record->job = job_new();
	if (!record->job)
		return schedd_error_nomem(err);
	for (int i = 0; i < rows->count && rc == 0; i++) {
		rc = jobs_read_column(reader, rows, i, record, &why);
		reader->trigger.job_id = record->job->id;
	}
	if (rc < 0 && rc != SCHEDD_ENOMEM) {
		rc = jobs_invalid(rows, record, why.message);
		if (rc == 0)
			log_warn(reader->sqlite->base.log,
			    "store '%s': job '%s' cannot be read: %s", reader->sqlite->base.name,
			    record->job->id, why.message);
	}
	if (rc == 0)
		return 0;
	job_unref(record->job);
	job_state_clear(&record->state);
	return schedd_error_nomem(err);
}

/* The row that stands in common, or all of it if there is more. */
static int jobs_read(
    struct jobs_reader *reader, struct job_record *record, struct schedd_error *err)
{
	const struct sql *sql = &reader->sqlite->front;
	int rc;

	if (!sqlite3_column_int(reader->common.stmt, reader->common.count))
		return jobs_read_row(reader, &reader->common, record, err);
	sqlite3_bind_value(reader->whole.stmt, 1, sqlite3_column_value(reader->common.stmt, 0));
	rc = sql_step(sql, reader->whole.stmt, err);
	if (rc == 0)
		rc = schedd_error_set(err, SCHEDD_EFILE,
		    "store '%s': %s is damaged (a job is listed that cannot be found)", sql->store,
		    sql->path);
	if (rc < 0)
		return rc;
	rc = jobs_read_row(reader, &reader->whole, record, err);
	sqlite3_reset(reader->whole.stmt);
	return rc;
}

static int jobs_reader_open(
    struct jobs_reader *reader, struct sqlite_store *sqlite, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc = 0;

	memset(reader, 0, sizeof(*reader));
	reader->sqlite = sqlite;
	reader->trigger = *sqlite->base.trigger;
	reader->context.trigger = &reader->trigger;
	reader->whole.fields = sqlite->fields;
	reader->whole.count = sqlite->field_count;
	reader->common.fields = calloc((size_t)sqlite->field_count, sizeof(sqlite->fields[0]));
	if (!reader->common.fields)
		return schedd_error_nomem(err);
	for (int i = 0; i < sqlite->field_count; i++)
		if (sql_text_common(sqlite->fields[i]))
			reader->common.fields[reader->common.count++] = sqlite->fields[i];
	sql_text_jobs_common(&text);
	rc = strbuf_failed(&text)
		 ? schedd_error_nomem(err)
		 : sql_prepare(&sqlite->front, strbuf_peek(&text), &reader->common.stmt, err);
	strbuf_reset(&text);
	sql_text_jobs_select(&text);
	if (rc == 0)
		rc = strbuf_failed(&text) ? schedd_error_nomem(err)
					  : sql_prepare(&sqlite->front, strbuf_peek(&text),
						&reader->whole.stmt, err);
	strbuf_clear(&text);
	return rc;
}

static void jobs_reader_close(struct jobs_reader *reader)
{
	sqlite3_finalize(reader->common.stmt);
	sqlite3_finalize(reader->whole.stmt);
	free(reader->common.fields);
}

int store_sqlite_load(
    struct store *store, store_load_fn call, void *context, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	struct jobs_reader reader;
	int rc = jobs_reader_open(&reader, sqlite, err);

	while (rc == 0 && (rc = sql_step(&sqlite->front, reader.common.stmt, err)) > 0) {
		struct job_record record;

		rc = jobs_read(&reader, &record, err);
		arena_clear(&reader.arena);
		if (rc < 0)
			break;
		rc = call(&record, context);
		if (rc < 0)
			schedd_error_set(err, rc, "store '%s': loading was given up", store->name);
	}
	sqlite->damaged = rc == SCHEDD_EFILE;
	jobs_reader_close(&reader);
	/* The pages are not needed a second time. */
	sqlite3_db_release_memory(sqlite->front.db);
	return rc;
}
