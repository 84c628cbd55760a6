/* SPDX-License-Identifier: MIT */
/* A job as a row, through the table of job fields alone. */
#include <string.h>
#include "base/json.h"
#include "base/log.h"
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

/* Reading a table of jobs. */
struct jobs_reader {
	struct sqlite_store *sqlite;
	sqlite3_stmt *stmt;
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

static int jobs_read_column(
    struct jobs_reader *reader, int column, struct job_record *record, struct schedd_error *err)
{
	const struct job_field *field = reader->sqlite->fields[column];
	struct value value;
	int rc;

	if (sqlite3_column_type(reader->stmt, column) == SQLITE_NULL)
		return 0;
	if (sql_text_json(field)) {
		const char *text = sql_text(reader->stmt, column);

		if (!text)
			return schedd_error_nomem(err);
		rc = json_parse(text, (size_t)sqlite3_column_bytes(reader->stmt, column),
		    &reader->arena, &value, err);
		if (rc < 0) {
			schedd_error_prefix(err, "column %s", field->name);
			return rc;
		}
	} else {
		value = jobs_native(reader->stmt, column, field);
	}
	return job_fields_set(record->job, &record->state, field, &value, &reader->context, err);
}

/* The record that stands for a row that cannot be read; its last run is saved if it can be. */
static int jobs_invalid(struct jobs_reader *reader, struct job_record *record, const char *why)
{
	int id = -1, last_run = -1;

	for (int i = 0; i < reader->sqlite->field_count; i++) {
		if (strcmp(reader->sqlite->fields[i]->name, "id") == 0)
			id = i;
		else if (strcmp(reader->sqlite->fields[i]->name, "last_run") == 0)
			last_run = i;
	}
	job_unref(record->job);
	job_state_clear(&record->state);
	job_state_init(&record->state);
	record->job = job_new();
	if (!record->job)
		return SCHEDD_ENOMEM;
	record->job->id = strdup(sql_text(reader->stmt, id));
	record->state.last_run = (uint32_t)sqlite3_column_int64(reader->stmt, last_run);
	record->state.invalid = strdup(why);
	return record->job->id && record->state.invalid ? 0 : SCHEDD_ENOMEM;
}

static int jobs_read_row(
    struct jobs_reader *reader, struct job_record *record, struct schedd_error *err)
{
	struct schedd_error why;
	int rc = 0;

	job_state_init(&record->state);
	record->job = job_new();
	if (!record->job)
		return schedd_error_nomem(err);
	for (int i = 0; i < reader->sqlite->field_count && rc == 0; i++) {
		rc = jobs_read_column(reader, i, record, &why);
		reader->trigger.job_id = record->job->id;
	}
	if (rc < 0 && rc != SCHEDD_ENOMEM) {
		log_warn(reader->sqlite->base.log, "store '%s': job '%s' cannot be read: %s",
		    reader->sqlite->base.name, sql_text(reader->stmt, 0), why.message);
		rc = jobs_invalid(reader, record, why.message);
	}
	if (rc == 0)
		return 0;
	job_unref(record->job);
	job_state_clear(&record->state);
	return schedd_error_nomem(err);
}

int store_sqlite_load(
    struct store *store, store_load_fn call, void *context, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	struct strbuf text = STRBUF_EMPTY;
	struct jobs_reader reader = {.sqlite = sqlite};
	int rc;

	reader.trigger = *store->trigger;
	reader.context.trigger = &reader.trigger;
	arena_init(&reader.arena);
	sql_text_jobs_select(&text);
	if (strbuf_failed(&text))
		return schedd_error_nomem(err);
	rc = sql_prepare(&sqlite->front, strbuf_peek(&text), &reader.stmt, err);
	while (rc == 0 && (rc = sql_step(&sqlite->front, reader.stmt, err)) > 0) {
		struct job_record record;

		rc = jobs_read_row(&reader, &record, err);
		arena_clear(&reader.arena);
		if (rc == 0)
			rc = call(&record, context);
		else
			break;
		if (rc == 0)
			continue;
		schedd_error_set(err, rc, "store '%s': loading was given up", store->name);
		break;
	}
	sqlite->damaged = rc == SCHEDD_EFILE;
	sqlite3_finalize(reader.stmt);
	strbuf_clear(&text);
	/* The pages are not needed a second time. */
	sqlite3_db_release_memory(sqlite->front.db);
	return rc;
}
