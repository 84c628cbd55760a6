/* SPDX-License-Identifier: MIT */
/*
 * Reading everything back, on the loop's thread in pieces of some milliseconds
 * between which it turns: what jobs share is that thread's. All of it is one
 * reading transaction.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "base/log.h"
#include "store/sql_json.h"
#include "store/sql_text.h"
#include "store/store_letter.h"
#include "store/store_record.h"
#include "store/store_snapshot.h"
#include "store/store_sqlite.h"

#define LOAD_PIECE 5000 /* microseconds */
#define LOAD_ROWS 32    /* between two looks at the clock */

/* ---- Jobs ---- */

/* A statement whose first columns are these fields. */
struct jobs_rows {
	sqlite3_stmt *stmt;
	const struct job_field **fields;
	int count;
};

/*
 * Reading a table of jobs: the columns that most jobs use, and beside it in the
 * same order all columns of those that use others, which an index knows: to
 * look into each row for them takes as long as half the rest.
 */
struct jobs_reader {
	struct sqlite_store *sqlite;
	struct jobs_rows common;
	struct jobs_rows whole; /* stands at the next of the others; of one job: at that */
	bool all_common;        /* none is left */
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

/* The whole row as JSON, for somebody to put right; what is no JSON where it should be, as text. */
static char *jobs_raw(struct jobs_reader *reader, const struct jobs_rows *rows)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value map = value_map();

	for (int i = 0; i < rows->count; i++) {
		const struct job_field *field = rows->fields[i];
		struct value value = jobs_native(rows->stmt, i, field), parsed;

		if (sqlite3_column_type(rows->stmt, i) == SQLITE_NULL)
			continue;
		if (sql_text_json(field) && value.type == VALUE_STRING &&
		    sql_json_parse(
			value.string.text, value.string.length, &reader->arena, &parsed, NULL) == 0)
			value = parsed;
		value_put(&reader->arena, &map, field->name, value);
	}
	json_exact_write(&text, &map);
	if (arena_failed(&reader->arena))
		strbuf_clear(&text);
	return strbuf_take(&text);
}

/* The record that stands for a row that cannot be read; its counters are saved if they can be. */
static int jobs_invalid(struct jobs_reader *reader, const struct jobs_rows *rows,
    struct job_record *record, const char *why)
{
	static const char *const kept[] = {
	    "created_at", "updated_at", "created_by", "revision", "run_count", "last_run"};
	const char *id = NULL;

	for (int i = 0; i < rows->count; i++)
		if (strcmp(rows->fields[i]->name, "id") == 0)
			id = sql_text(rows->stmt, i);
	if (store_record_invalid(record, id ? id : "", why))
		return SCHEDD_ENOMEM;
	for (int i = 0; i < rows->count; i++)
		for (size_t k = 0; k < sizeof(kept) / sizeof(kept[0]); k++)
			if (strcmp(rows->fields[i]->name, kept[k]) == 0)
				(void)!jobs_read_column(reader, rows, i, record, NULL);
	/* Without memory for it the job is shown by its id alone. */
	record->raw = jobs_raw(reader, rows);
	return 0;
}

static int jobs_read_row(struct jobs_reader *reader, const struct jobs_rows *rows,
    struct job_record *record, struct schedd_error *err)
{
	struct schedd_error why;
	int rc = 0;

	job_state_init(&record->state);
	record->raw = NULL;
	record->job = job_new();
	if (!record->job)
		return schedd_error_nomem(err);
	for (int i = 0; i < rows->count && rc == 0; i++) {
		rc = jobs_read_column(reader, rows, i, record, &why);
		reader->trigger.job_id = record->job->id;
	}
	if (rc == 0)
		rc = store_record_check(record->job, &why);
	if (rc < 0 && rc != SCHEDD_ENOMEM) {
		if (jobs_invalid(reader, rows, record, why.message))
			return schedd_error_nomem(err);
		rc = 0;
		log_warn(reader->sqlite->base.log, "store '%s': job '%s' cannot be read: %s",
		    reader->sqlite->base.name, record->job->id, why.message);
	}
	if (rc == 0)
		return 0;
	job_unref(record->job);
	job_state_clear(&record->state);
	return schedd_error_nomem(err);
}

static int jobs_next_whole(struct jobs_reader *reader, struct schedd_error *err)
{
	int rc = sql_step(&reader->sqlite->front, reader->whole.stmt, err);

	reader->all_common = rc <= 0;
	return rc < 0 ? rc : 0;
}

/* Of what may stand in a column of ids: texts, or bytes that somebody wrote by hand. */
static bool jobs_same_id(sqlite3_stmt *a, sqlite3_stmt *b)
{
	int length = sqlite3_column_bytes(a, 0);

	return length == sqlite3_column_bytes(b, 0) &&
	       sqlite3_column_type(a, 0) == sqlite3_column_type(b, 0) &&
	       (length == 0 || memcmp(sqlite3_column_blob(a, 0), sqlite3_column_blob(b, 0),
				   (size_t)length) == 0);
}

static void jobs_drop(struct job_record *record)
{
	job_unref(record->job);
	job_state_clear(&record->state);
	free(record->raw);
}

/* The row that stands in common, or all of it if there is more. */
static int jobs_read(
    struct jobs_reader *reader, struct job_record *record, struct schedd_error *err)
{
	int rc;

	if (reader->all_common || !jobs_same_id(reader->common.stmt, reader->whole.stmt))
		return jobs_read_row(reader, &reader->common, record, err);
	rc = jobs_read_row(reader, &reader->whole, record, err);
	if (rc)
		return rc;
	rc = jobs_next_whole(reader, err);
	if (rc)
		jobs_drop(record);
	return rc;
}

/* 1: a row stands in common; 0: that was all. */
static int jobs_step(struct jobs_reader *reader, struct schedd_error *err)
{
	const struct sql *sql = &reader->sqlite->front;
	int rc = sql_step(sql, reader->common.stmt, err);

	if (rc || reader->all_common)
		return rc;
	return schedd_error_set(err, SCHEDD_EFILE,
	    "store '%s': %s is damaged (its index of jobs is in another order)", sql->store, sql->path);
}

static int jobs_prepare(struct sqlite_store *sqlite, void (*write)(struct strbuf *), sqlite3_stmt **stmt,
    struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc;

	write(&text);
	rc = strbuf_failed(&text) ? schedd_error_nomem(err)
				  : sql_prepare(&sqlite->front, strbuf_peek(&text), stmt, err);
	strbuf_clear(&text);
	return rc;
}

/* whole writes the statement of the rows that are read whole. */
static int jobs_reader_open(struct jobs_reader *reader, struct sqlite_store *sqlite,
    void (*whole)(struct strbuf *), struct schedd_error *err)
{
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
	return jobs_prepare(sqlite, whole, &reader->whole.stmt, err);
}

static void jobs_reader_close(struct jobs_reader *reader)
{
	sqlite3_finalize(reader->common.stmt);
	sqlite3_finalize(reader->whole.stmt);
	free(reader->common.fields);
	arena_clear(&reader->arena);
}

/* ---- What stands beside them ---- */

static int load_meta(
    const struct sql *sql, struct store_snapshot *snapshot, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql, "SELECT key, value FROM meta", &stmt, err);

	while (rc >= 0 && (rc = sql_step(sql, stmt, err)) > 0) {
		const char *key = sql_text(stmt, 0);
		const char *text;

		if (key && sqlite3_column_type(stmt, 1) == SQLITE_INTEGER)
			store_snapshot_add_number(snapshot, key, sqlite3_column_int64(stmt, 1));
		else if (key && (text = sql_text(stmt, 1)))
			store_snapshot_add_text(snapshot, key, text);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static int load_runs(
    const struct sql *sql, struct store_snapshot *snapshot, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql,
	    "SELECT " SQLITE_RUN_COLUMNS " FROM runs WHERE done_at IS NULL ORDER BY id", &stmt,
	    err);

	while (rc >= 0 && (rc = sql_step(sql, stmt, err)) > 0) {
		struct run run;

		store_sqlite_read_run(stmt, &run);
		store_snapshot_add_run(snapshot, &run);
	}
	sqlite3_finalize(stmt);
	return rc;
}

static struct store_snapshot *load_snapshot(struct sqlite_store *sqlite, struct schedd_error *err)
{
	struct store_snapshot *snapshot = store_snapshot_new();
	int rc = snapshot ? load_meta(&sqlite->front, snapshot, err) : schedd_error_nomem(err);

	if (rc == 0)
		rc = load_runs(&sqlite->front, snapshot, err);
	if (rc == 0)
		rc = store_snapshot_finish(snapshot, err);
	if (rc == 0)
		return snapshot;
	store_snapshot_free(snapshot);
	return NULL;
}

/* ---- The pieces ---- */

struct sqlite_loading {
	struct store_letter base;
	struct jobs_reader reader;
	bool begun;
	store_load_fn call;
	store_loaded_fn loaded;
	void *context;
};

static int load_begin(
    struct sqlite_loading *loading, struct sqlite_store *sqlite, struct schedd_error *err)
{
	int rc = sql_exec(&sqlite->front, "BEGIN", err);

	loading->begun = true;
	if (rc == 0)
		rc = jobs_reader_open(&loading->reader, sqlite, sql_text_jobs_uncommon, err);
	if (rc == 0)
		rc = jobs_prepare(sqlite, sql_text_jobs_common, &loading->reader.common.stmt, err);
	return rc ? rc : jobs_next_whole(&loading->reader, err);
}

/* 1: there are more; 0: that was all. */
static int load_piece(
    struct sqlite_loading *loading, struct sqlite_store *sqlite, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + LOAD_PIECE;
	int rc = 1;

	for (unsigned rows = 1; rc > 0; rows++) {
		struct job_record record;

		rc = jobs_step(&loading->reader, err);
		if (rc <= 0)
			break;
		rc = jobs_read(&loading->reader, &record, err);
		arena_reset(&loading->reader.arena);
		if (rc < 0)
			break;
		rc = loading->call(&record, loading->context);
		if (rc < 0)
			return schedd_error_set(
			    err, rc, "store '%s': loading was given up", sqlite->base.name);
		rc = 1;
		if (rows % LOAD_ROWS == 0 && clock->mono(clock->context).us >= end)
			break;
	}
	return rc;
}

static void load_open(struct store_letter *base)
{
	struct sqlite_loading *loading = (struct sqlite_loading *)base;
	struct sqlite_store *sqlite = store_sqlite_of(base->store);
	struct store_snapshot *snapshot = NULL;
	struct schedd_error err;
	int rc = loading->begun ? 0 : load_begin(loading, sqlite, &err);

	if (rc == 0)
		rc = load_piece(loading, sqlite, &err);
	if (rc > 0) {
		store_letter_put(base);
		return;
	}
	jobs_reader_close(&loading->reader);
	if (rc == 0) {
		snapshot = load_snapshot(sqlite, &err);
		rc = snapshot ? 0 : err.code;
	}
	sqlite->damaged = rc == SCHEDD_EFILE;
	if (!sqlite3_get_autocommit(sqlite->front.db))
		(void)!sql_exec(&sqlite->front, "COMMIT", NULL);
	/* The pages are not needed a second time. */
	sqlite3_db_release_memory(sqlite->front.db);
	loading->loaded(rc, rc < 0 ? &err : NULL, snapshot, loading->context);
}

void store_sqlite_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context)
{
	struct sqlite_loading *loading = store_letter_new(store, sizeof(*loading), load_open);
	struct schedd_error err;

	if (!loading) {
		loaded(schedd_error_nomem(&err), &err, NULL, context);
		return;
	}
	loading->call = call;
	loading->loaded = loaded;
	loading->context = context;
	store_letter_put(&loading->base);
}

/* ---- One job once more ---- */

struct sqlite_reading {
	struct store_letter base;
	const char *id;
};

/* 1: it is there; 0: it is gone. What cannot be read is there, and invalid. */
static int reread_job(struct sqlite_store *sqlite, const char *id, struct job_record *record)
{
	struct jobs_reader reader;
	struct schedd_error err;
	int rc = jobs_reader_open(&reader, sqlite, sql_text_jobs_select, &err);

	if (rc == 0) {
		sql_bind_text(reader.whole.stmt, 1, id);
		rc = sql_step(&sqlite->front, reader.whole.stmt, &err);
	}
	if (rc > 0) {
		rc = jobs_read_row(&reader, &reader.whole, record, &err);
		rc = rc == 0 ? 1 : rc;
	}
	jobs_reader_close(&reader);
	if (rc >= 0)
		return rc;
	record->job = NULL;
	job_state_init(&record->state);
	return store_record_invalid(record, id, err.message) == 0 ? 1 : SCHEDD_ENOMEM;
}

static void reread_open(struct store_letter *base)
{
	const struct sqlite_reading *reading = (struct sqlite_reading *)base;
	struct store *store = base->store;
	struct job_record record;
	struct store_change change = {.id = reading->id};
	int rc =
	    reading->id ? reread_job(store_sqlite_of(store), reading->id, &record) : SCHEDD_ENOMEM;

	change.kind = rc > 0 ? STORE_CHANGE_JOB : STORE_CHANGE_GONE;
	change.record = rc > 0 ? &record : NULL;
	if (rc >= 0 && store->watch)
		store->watch(&change, store->watch_context);
}

void store_sqlite_reread(struct store *store, const char *id)
{
	struct sqlite_reading *reading = store_letter_new(store, sizeof(*reading), reread_open);

	if (!reading)
		return;
	reading->id = arena_strdup(&reading->base.arena, id);
	store_letter_put(&reading->base);
}
