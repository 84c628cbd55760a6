/* SPDX-License-Identifier: MIT */
/*
 * Type "sqlite": one file, write-ahead log, every commit forced to disk before
 * it is answered. Other processes may read it at any time.
 */
#include "store/store_sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/duration.h"
#include "base/file_system.h"
#include "base/log.h"
#include "store/sql_migrate.h"
#include "store/sql_text.h"

/* ---- Opening and closing ---- */

static int sqlite_list_fields(struct sqlite_store *sqlite, struct schedd_error *err)
{
	uint8_t common = 0;
	int count = 0;

	for (const struct job_field *field = job_fields(); field->name; field++)
		count += sql_text_stored(field);
	sqlite->fields = calloc((size_t)count, sizeof(sqlite->fields[0]));
	if (!sqlite->fields)
		return schedd_error_nomem(err);
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (sql_text_stored(field))
			sqlite->fields[sqlite->field_count++] = field;
	for (int i = 0; i < sqlite->field_count; i++)
		sqlite->common[i] = sql_text_common(sqlite->fields[i]) ? ++common : 0;
	sqlite->common_count = common;
	return 0;
}

/* Somebody else writes: nobody waits for us meanwhile, and we not for long. */
static int sqlite_wait_busy(void *context, int count)
{
	struct sqlite_store *sqlite = context;
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t now = clock->mono(clock->context).us;
	struct timespec pause = {0, count < 10 ? 1000000 : 20000000};

	if (count == 0)
		sqlite->busy_since = now;
	else
		store_worker_stuck(sqlite->worker);
	if (now - sqlite->busy_since >= SQL_BUSY_MS * 1000)
		return 0;
	nanosleep(&pause, NULL);
	return 1;
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

	if (rc == 0) {
		sqlite3_busy_handler(sqlite->writer.db, sqlite_wait_busy, sqlite);
		rc = sql_number(&sqlite->writer, "PRAGMA page_count", &pages, err);
	}
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

static const struct {
	enum sqlite_write write;
	void (*text)(struct strbuf *out);
} sqlite_job_writes[] = {
    {SQLITE_WRITE_PUT_JOB, sql_text_jobs_put},
    {SQLITE_WRITE_NEW_JOB, sql_text_jobs_new},
    {SQLITE_WRITE_NEW_COMMON, sql_text_jobs_new_common},
    {SQLITE_WRITE_NEW_MANY, sql_text_jobs_new_many},
};

static int sqlite_prepare_writes(struct sqlite_store *sqlite, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	int rc = 0;

	for (int i = 0; i < SQLITE_WRITE_PUT_JOB && rc == 0; i++)
		rc = sql_prepare(&sqlite->writer, store_sqlite_writes[i], &sqlite->writes[i], err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(sqlite_job_writes) / sizeof(sqlite_job_writes[0]) && rc == 0; i++) {
		strbuf_reset(&text);
		sqlite_job_writes[i].text(&text);
		rc = strbuf_failed(&text)
			 ? schedd_error_nomem(err)
			 : sql_prepare(&sqlite->writer, strbuf_peek(&text),
			       &sqlite->writes[sqlite_job_writes[i].write], err);
	}
	strbuf_clear(&text);
	return rc;
}

static int sqlite_open_front(struct sqlite_store *sqlite, struct schedd_error *err)
{
	int rc = sql_open_beside(&sqlite->front, &sqlite->writer, SQLITE_OPEN_READONLY, err);

	if (rc == 0)
		rc = sql_exec(&sqlite->front, "PRAGMA cache_size = -500", err);
	return rc;
}

/* Nobody else uses them. May be called again. */
static void sqlite_close_files(struct sqlite_store *sqlite)
{
	store_sqlite_log_clear(&sqlite->log);
	sql_close(&sqlite->reader);
	sql_close(&sqlite->front);
	for (int i = 0; i < SQLITE_WRITES; i++) {
		sqlite3_finalize(sqlite->writes[i]);
		sqlite->writes[i] = NULL;
	}
	/* The last one to close brings the log into the database, unless that is past help. */
	if (sqlite->damaged)
		sqlite3_db_config(sqlite->writer.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite->damaged = false;
	sql_close(&sqlite->writer);
	store_sqlite_reserve_close(&sqlite->reserve);
}

static bool sqlite_leave_step(struct store_task *task)
{
	sqlite_close_files(store_sqlite_of(task->store));
	return false;
}

static void sqlite_leave_answer(struct store_task *task)
{
	struct store *store = task->store;

	free(task);
	store_gone(store);
}

/* Nothing else is under way: the log goes into the database without the loop. */
static void sqlite_leave_files(struct store *store)
{
	struct store_task *task = calloc(1, sizeof(*task));

	if (!task) {
		store_gone(store);
		return;
	}
	task->step = sqlite_leave_step;
	task->answer = sqlite_leave_answer;
	store_worker_do(store_sqlite_of(store)->worker, task);
}

static void sqlite_leave(struct store *store)
{
	store_when_settled(store, sqlite_leave_files);
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);

	store_worker_free(sqlite->asker);
	store_worker_free(sqlite->worker);
	sqlite_close_files(sqlite);
	arena_clear(&sqlite->scratch);
	strbuf_clear(&sqlite->text);
	store_sqlite_known_clear(&sqlite->known);
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
	int64_t kept = 0, span, rows, change;
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

/* Opening, as a task of the worker. */
struct sqlite_opening {
	struct store_task task;
	int rc;
	struct schedd_error err;
};

/* Several machines have it: a write-ahead log is written by those of one machine alone. */
static int sqlite_check_place(const struct store *store, struct schedd_error *err)
{
	char name[FILE_SYSTEM_NAME];

	if (!file_system_is_remote(store->path, name))
		return 0;
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "store '%s': %s is on %s, which other machines have at the same time: locks and the memory that "
	    "SQLite shares do not hold between machines, so jobs could run twice and the file be damaged. Keep "
	    "it on a disk of this machine (path, or state_dir), or jobs of several machines in a store of "
	    "type " STORE_SHARE_TYPES,
	    store->name, store->path, name);
}

static bool sqlite_open_step(struct store_task *task)
{
	struct sqlite_opening *opening = (struct sqlite_opening *)task;
	struct sqlite_store *sqlite = store_sqlite_of(task->store);
	struct schedd_error *err = &opening->err;
	struct sql look = {0};

	opening->rc = sqlite_check_place(&sqlite->base, err);
	if (opening->rc == 0)
		opening->rc =
		    sql_migrate_inspect(&look, sqlite->base.name, sqlite->base.path, err);
	if (opening->rc == 0 && !store_sqlite_reserve_open(&sqlite->reserve, sqlite->base.path))
		opening->rc = schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': %s is open in another schedd: two would run its jobs twice",
		    sqlite->base.name, sqlite->base.path);
	if (opening->rc == 0)
		opening->rc = sqlite_open_writer(sqlite, err);
	sql_close(&look);
	if (opening->rc == 0)
		opening->rc = sqlite_prepare_writes(sqlite, err);
	if (opening->rc == 0)
		opening->rc = sqlite_open_front(sqlite, err);
	if (opening->rc == 0)
		opening->rc = sqlite_read_count(sqlite, err);
	if (opening->rc == 0)
		store_sqlite_reserve_fill(&sqlite->reserve);
	return false;
}

static void sqlite_open_answer(struct store_task *task)
{
	struct sqlite_opening *opening = (struct sqlite_opening *)task;

	store_set_state(task->store, opening->rc == 0 ? STORE_OK : STORE_REFUSED,
	    opening->rc == 0 ? NULL : &opening->err);
	free(opening);
}

static int sqlite_open(
    struct store *store, const struct store_config *config, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	struct sqlite_opening *opening = calloc(1, sizeof(*opening));
	int rc = opening ? sqlite_list_fields(sqlite, err) : schedd_error_nomem(err);

	(void)config;
	if (rc == 0) {
		sqlite->worker = store_worker_new(store, "store", store_sqlite_commit_chain, err);
		rc = sqlite->worker ? 0 : SCHEDD_EFAILED;
	}
	if (rc < 0) {
		free(opening);
		sqlite_close(store);
		return rc;
	}
	opening->task.step = sqlite_open_step;
	opening->task.answer = sqlite_open_answer;
	store_worker_do(sqlite->worker, &opening->task);
	return 0;
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

static void sqlite_commit(struct store *store, struct store_batch *batch)
{
	store_worker_commit(store_sqlite_of(store)->worker, batch);
}

static void sqlite_hurry(struct store *store)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);

	if (sqlite->worker)
		store_worker_hurry(sqlite->worker);
}

static const struct job_store_ops sqlite_jobs = {
    .open = sqlite_open,
    .close = sqlite_close,
    .leave = sqlite_leave,
    .status = sqlite_status,
    .load = store_sqlite_load,
    .last_run = store_sqlite_last_run,
    .reread = store_sqlite_reread,
    .commit = sqlite_commit,
    .hurry = sqlite_hurry,
};

static const struct history_ops sqlite_history = {
    .runs = store_sqlite_query_runs,
    .cursor = store_query_cursor_behind,
    .changes = store_sqlite_query_changes,
    .stats = store_sqlite_query_stats,
    .retain = store_sqlite_retain,
    .backup = store_sqlite_backup,
};

const struct store_ops store_sqlite_ops = {
    .type = "sqlite",
    .durable = true,
    .needs_path = true,
    .keeps_jobs = true,
    .size = sizeof(struct sqlite_store),
    .jobs = &sqlite_jobs,
    .history = &sqlite_history,
};
