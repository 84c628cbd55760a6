/* SPDX-License-Identifier: MIT */
/*
 * Type "sqlite": one file, write-ahead log, every commit forced to disk before
 * it is answered. Other processes may read it at any time.
 */
#include "store/store_sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/duration.h"
#include "base/log.h"
#include "store/sql_migrate.h"
#include "store/sql_text.h"

/* ---- Opening and closing ---- */

static int sqlite_list_fields(struct sqlite_store *sqlite, struct schedd_error *err)
{
	int count = 0;

	for (const struct job_field *field = job_fields(); field->name; field++)
		count += sql_text_stored(field);
	sqlite->fields = calloc((size_t)count, sizeof(sqlite->fields[0]));
	if (!sqlite->fields)
		return schedd_error_nomem(err);
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (sql_text_stored(field))
			sqlite->fields[sqlite->field_count++] = field;
	return 0;
}

/*
 * auto_vacuum is settled when the first page is written; of a database that is
 * there nothing must be written before it is known to be sound. A cache of 2 MB
 * holds what one tick touches.
 */
static int sqlite_open_writer(struct sqlite_store *sqlite, struct schedd_error *err)
{
	schedd_time now = sqlite->base.clock->wall(sqlite->base.clock->context);
	int64_t pages = 0;
	int rc = sql_open(&sqlite->writer, sqlite->base.name, sqlite->base.path,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);

	if (rc == 0)
		rc = sql_number(&sqlite->writer, "PRAGMA page_count", &pages, err);
	if (rc == 0 && pages == 0)
		rc = sql_exec(&sqlite->writer, "PRAGMA auto_vacuum = INCREMENTAL", err);
	if (rc == 0)
		rc = sql_exec(&sqlite->writer,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
		    "PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -2000; "
		    "PRAGMA foreign_keys = OFF",
		    err);
	if (rc == 0)
		rc = sql_migrate_run(&sqlite->writer, now, err);
	if (rc == 0)
		store_sqlite_log_init(&sqlite->log, &sqlite->writer);
	return rc;
}

static int sqlite_prepare_writes(struct sqlite_store *sqlite, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc = 0;

	for (int i = 0; i < SQLITE_WRITE_PUT_JOB && rc == 0; i++)
		rc = sql_prepare(&sqlite->writer, store_sqlite_writes[i], &sqlite->writes[i], err);
	if (rc < 0)
		return rc;
	sql_text_jobs_put(&text);
	rc = strbuf_failed(&text) ? schedd_error_nomem(err)
				  : sql_prepare(&sqlite->writer, strbuf_peek(&text),
					&sqlite->writes[SQLITE_WRITE_PUT_JOB], err);
	strbuf_clear(&text);
	return rc;
}

static int sqlite_open_front(struct sqlite_store *sqlite, struct schedd_error *err)
{
	int rc = sql_open(
	    &sqlite->front, sqlite->base.name, sqlite->base.path, SQLITE_OPEN_READONLY, err);

	if (rc == 0)
		rc = sql_exec(&sqlite->front, "PRAGMA cache_size = -500", err);
	if (rc == 0)
		rc = sql_prepare(&sqlite->front,
		    "SELECT max((SELECT coalesce(max(last_run), 0) FROM removed WHERE id = ?1), "
		    "(SELECT coalesce(max(last_run), 0) FROM jobs WHERE id = ?1), "
		    "(SELECT coalesce(max(number), 0) FROM runs WHERE job = ?1))",
		    &sqlite->find_removed, err);
	return rc;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);

	store_worker_free(sqlite->asker);
	store_worker_free(sqlite->worker);
	store_sqlite_log_clear(&sqlite->log);
	sql_close(&sqlite->reader);
	sqlite3_finalize(sqlite->find_removed);
	sql_close(&sqlite->front);
	for (int i = 0; i < SQLITE_WRITES; i++)
		sqlite3_finalize(sqlite->writes[i]);
	/* The last one to close brings the log into the database, unless that is past help. */
	if (sqlite->damaged)
		sqlite3_db_config(sqlite->writer.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sql_close(&sqlite->writer);
	arena_clear(&sqlite->scratch);
	strbuf_clear(&sqlite->text);
	free(sqlite->fields);
}

static int sqlite_correct_count(
    struct sqlite_store *sqlite, void *context, struct schedd_error *err)
{
	(void)err;
	sqlite->run_change = *(int64_t *)context;
	return 0;
}

/* The count that is kept, unless rows were deleted by hand: then they are counted anew. */
static int sqlite_read_count(struct sqlite_store *sqlite, struct schedd_error *err)
{
	int64_t kept, span, rows, change;
	int rc = sql_number(
	    &sqlite->front, "SELECT value FROM meta WHERE key = 'store.runs'", &kept, err);

	if (rc == 0)
		rc = sql_number(&sqlite->front,
		    "SELECT (SELECT max(id) FROM runs) - (SELECT min(id) FROM runs) + 1", &span,
		    err);
	atomic_store(&sqlite->runs, kept);
	if (rc < 0 || (kept <= span && kept >= (span > 0)))
		return rc;
	rc = sql_number(&sqlite->front, "SELECT count(*) FROM runs", &rows, err);
	change = rows - kept;
	return rc < 0 ? rc : store_sqlite_transact(sqlite, sqlite_correct_count, &change, err);
}

static int sqlite_open(
    struct store *store, const struct store_config *config, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	int rc = sql_migrate_inspect(store->name, store->path, err);

	(void)config;
	if (rc < 0)
		return rc;
	rc = sqlite_list_fields(sqlite, err);
	if (rc == 0)
		rc = sqlite_open_writer(sqlite, err);
	if (rc == 0)
		rc = sqlite_prepare_writes(sqlite, err);
	if (rc == 0)
		rc = sqlite_open_front(sqlite, err);
	if (rc == 0)
		rc = sqlite_read_count(sqlite, err);
	if (rc == 0) {
		sqlite->worker = store_worker_new(store, "store", store_sqlite_commit_chain, err);
		rc = sqlite->worker ? 0 : SCHEDD_EFAILED;
	}
	if (rc < 0)
		sqlite_close(store);
	return rc;
}

/* ---- Status ---- */

static int64_t sqlite_file_size(const char *path, const char *suffix)
{
	char name[4096];
	struct stat st;

	sqlite3_snprintf(sizeof(name), name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? st.st_size : 0;
}

static void sqlite_status(struct store *store, struct arena *arena, struct value *map)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);

	value_put(arena, map, "runs",
	    value_int(atomic_load_explicit(&sqlite->runs, memory_order_relaxed)));
	value_put(arena, map, "bytes",
	    value_int(sqlite_file_size(store->path, "") + sqlite_file_size(store->path, "-wal")));
	value_put(
	    arena, map, "transactions", value_int((int64_t)store_worker_groups(sqlite->worker)));
	value_put(
	    arena, map, "longest_piece", duration_to_value(store_worker_longest(sqlite->worker)));
}

/* ---- Reading back ---- */

static int sqlite_add_run(struct run **runs, size_t *count, const struct run *run)
{
	struct run *larger = realloc(*runs, (*count + 1) * sizeof(*larger));

	if (!larger)
		return SCHEDD_ENOMEM;
	*runs = larger;
	return run_copy(&larger[*count], run) < 0 ? SCHEDD_ENOMEM : (int)++*count;
}

static int sqlite_load_unfinished(
    struct store *store, struct run **out, size_t *count, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	sqlite3_stmt *stmt;
	int rc = sql_prepare(&sqlite->front,
	    "SELECT " SQLITE_RUN_COLUMNS " FROM runs WHERE done_at IS NULL ORDER BY id", &stmt,
	    err);

	while (rc >= 0 && (rc = sql_step(&sqlite->front, stmt, err)) > 0) {
		struct run run;

		store_sqlite_read_run(stmt, &run);
		/* A lost one without an end: its process was still there. */
		if ((!run_ended(run.state) || run.state == RUN_LOST) &&
		    sqlite_add_run(out, count, &run) < 0)
			rc = schedd_error_nomem(err);
	}
	sqlite3_finalize(stmt);
	if (rc == 0)
		return 0;
	for (size_t i = 0; i < *count; i++)
		run_clear(&(*out)[i]);
	free(*out);
	*out = NULL;
	*count = 0;
	return rc;
}

static int64_t sqlite_load_number(struct store *store, const char *key, int64_t fallback)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	struct schedd_error err;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(&sqlite->front,
	    "SELECT value FROM meta WHERE key = ? AND typeof(value) = 'integer'", &stmt, &err);

	if (rc == 0) {
		sql_bind_text(stmt, 1, key);
		rc = sql_step(&sqlite->front, stmt, &err);
	}
	if (rc < 0)
		log_error(store->log, "%s", err.message);
	else if (rc > 0)
		fallback = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return fallback;
}

static int sqlite_load_texts(struct store *store, const char *prefix, store_text_fn call,
    void *context, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	size_t length = strlen(prefix);
	sqlite3_stmt *stmt;
	int rc = sql_prepare(&sqlite->front,
	    "SELECT key, value FROM meta WHERE key >= ? AND typeof(value) = 'text' ORDER BY key",
	    &stmt, err);

	if (rc == 0)
		sql_bind_text(stmt, 1, prefix);
	while (rc >= 0 && (rc = sql_step(&sqlite->front, stmt, err)) > 0) {
		const char *key = sql_text(stmt, 0), *text = sql_text(stmt, 1);

		if (!key || !text) {
			rc = schedd_error_nomem(err);
		} else if (strncmp(key, prefix, length) != 0) {
			rc = 0;
			break;
		} else {
			call(key, text, context);
		}
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- Last runs of ids that are no jobs ---- */

/* Looks for an id among what is not committed yet. */
struct sqlite_removal {
	const char *id;
	uint32_t last_run; /* the highest found */
	bool renamed;      /* so it is not said: what came before it has to be looked at */
};

static void sqlite_find_removal(const struct store_batch *batch, void *context)
{
	struct sqlite_removal *removal = context;

	for (const struct store_op *op = batch->removals; op; op = op->delete_job.previous) {
		if (strcmp(op->delete_job.id, removal->id) != 0)
			continue;
		removal->renamed = removal->renamed || op->kind == STORE_OP_RENAME;
		if (op->kind == STORE_OP_DELETE_JOB && op->delete_job.last_run > removal->last_run)
			removal->last_run = op->delete_job.last_run;
	}
}

static void sqlite_find_claims(const struct store_batch *batch, void *context)
{
	struct sqlite_removal *removal = context;

	for (const struct store_op *op = batch->first; op; op = op->next)
		if (op->kind == STORE_OP_CLAIM && op->claim.last_run > removal->last_run &&
		    strcmp(op->claim.id, removal->id) == 0)
			removal->last_run = op->claim.last_run;
}

static uint32_t sqlite_last_run(struct store *store, const char *id)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	struct sqlite_removal removal = {.id = id};
	struct schedd_error err;
	uint32_t kept = 0;
	int rc;

	store_worker_pending(sqlite->worker, sqlite_find_removal, &removal);
	if (removal.renamed)
		store_worker_pending(sqlite->worker, sqlite_find_claims, &removal);
	sql_bind_text(sqlite->find_removed, 1, id);
	rc = sql_step(&sqlite->front, sqlite->find_removed, &err);
	if (rc > 0) {
		kept = (uint32_t)sqlite3_column_int64(sqlite->find_removed, 0);
		sqlite3_reset(sqlite->find_removed);
	} else if (rc < 0) {
		log_error(store->log, "%s", err.message);
	}
	return kept > removal.last_run ? kept : removal.last_run;
}

static void sqlite_commit(struct store *store, struct store_batch *batch)
{
	store_worker_commit(store_sqlite_of(store)->worker, batch);
}

const struct store_ops store_sqlite_ops = {
    .type = "sqlite",
    .durable = true,
    .needs_path = true,
    .keeps_jobs = true,
    .size = sizeof(struct sqlite_store),
    .open = sqlite_open,
    .close = sqlite_close,
    .status = sqlite_status,
    .load = store_sqlite_load,
    .load_unfinished = sqlite_load_unfinished,
    .load_number = sqlite_load_number,
    .load_texts = sqlite_load_texts,
    .last_run = sqlite_last_run,
    .commit = sqlite_commit,
    .query_runs = store_sqlite_query_runs,
    .query_changes = store_sqlite_query_changes,
    .query_stats = store_sqlite_query_stats,
    .retain = store_sqlite_retain,
    .backup = store_sqlite_backup,
};
