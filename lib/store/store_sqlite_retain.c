/* SPDX-License-Identifier: MIT */
/*
 * Retention as a chore of the worker, in pieces of a few milliseconds: first
 * along all runs from the oldest, then job by job, then the changes, then the
 * free pages go back to the file system.
 */
#include <stdlib.h>
#include <string.h>
#include "store/store_retention.h"
#include "store/store_sqlite.h"

#define RETAIN_ROWS 128       /* deleted in one piece */
#define RETAIN_JOBS 256       /* looked at in one piece */
#define RETAIN_PAGES 32       /* given back in one piece */
#define RETAIN_SLACK_PAGES 64 /* free pages that are kept for the next runs */

struct sqlite_retain;

struct retain_stage {
	/* One piece; *more: the stage goes on. NULL ends the list. */
	int (*piece)(struct sqlite_retain *chore, bool *more, struct schedd_error *err);
	bool budgeted; /* over when the budget is used up */
};

struct sqlite_retain {
	struct store_task task;
	struct sqlite_store *sqlite;
	struct store_rules rules;
	const struct retain_stage *stage;
	uint32_t budget; /* rows that may still be deleted */
	uint32_t deleted;
	schedd_time now;
	int64_t after;              /* first stage: the serial it has come to */
	char job[JOB_ID_MAX + 1];   /* second stage: likewise */
	bool more;                  /* of the stage */
	int64_t found[RETAIN_ROWS]; /* serials to delete in this piece */
	uint32_t found_count;
	store_done_fn done; /* may be NULL */
	void *context;
	int rc;
	struct schedd_error err;
};

/* ---- Finding ---- */

static uint32_t retain_room(const struct sqlite_retain *chore)
{
	return chore->budget < RETAIN_ROWS ? chore->budget : RETAIN_ROWS;
}

static bool retain_is_old(const struct sqlite_retain *chore, schedd_time done_at)
{
	const struct store_retention *retention = &chore->rules.retention;

	return retention->keep_for != SCHEDD_SPAN_NONE &&
	       done_at < chore->now - retention->keep_for;
}

/* Bytes in use, the free pages not counted. */
static int retain_bytes(const struct sql *sql, int64_t *bytes, struct schedd_error *err)
{
	int64_t pages, free_pages, size;
	int rc = sql_number(sql, "PRAGMA page_count", &pages, err);

	if (rc == 0)
		rc = sql_number(sql, "PRAGMA freelist_count", &free_pages, err);
	if (rc == 0)
		rc = sql_number(sql, "PRAGMA page_size", &size, err);
	*bytes = rc == 0 ? (pages - free_pages) * size : 0;
	return rc;
}

/* How many of the oldest have to go for the totals' sake; at most what one piece deletes. */
static int retain_surplus(
    const struct sqlite_retain *chore, int64_t *surplus, struct schedd_error *err)
{
	const struct store_retention *retention = &chore->rules.retention;
	int64_t bytes;
	int rc = 0;

	*surplus = 0;
	if (retention->max_runs >= 0)
		*surplus = atomic_load(&chore->sqlite->runs) - retention->max_runs;
	if (retention->max_bytes > 0) {
		rc = retain_bytes(&chore->sqlite->writer, &bytes, err);
		if (bytes > retention->max_bytes)
			*surplus = RETAIN_ROWS;
	}
	return rc;
}

/* Along all runs: see store_retention.c, whose rules these are. */
static int retain_find_all(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	const struct sql *sql = &chore->sqlite->writer;
	int64_t surplus, looked = 0;
	sqlite3_stmt *stmt;
	int rc = retain_surplus(chore, &surplus, err);

	if (rc < 0)
		return rc;
	rc = sql_prepare(
	    sql, "SELECT id, job, done_at FROM runs WHERE id > ?1 ORDER BY id", &stmt, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, chore->after);
	*more = false;
	while ((rc = sql_step(sql, stmt, err)) > 0) {
		const char *job = sql_text(stmt, 1);
		bool excepted = surplus <= 0 && job && store_rules_except(&chore->rules, job);

		if (chore->found_count == retain_room(chore) || looked++ == RETAIN_JOBS) {
			*more = true;
			break;
		}
		if (sqlite3_column_type(stmt, 2) != SQLITE_NULL && !excepted) {
			if (surplus <= 0 && chore->rules.retention.keep_runs != 0 &&
			    !retain_is_old(chore, sqlite3_column_int64(stmt, 2)))
				break;
			chore->found[chore->found_count++] = sqlite3_column_int64(stmt, 0);
			surplus--;
		}
		chore->after = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

/*
 * The highest number of a job that is beyond the number to keep, 0: none. The
 * numbers themselves nearly always tell without counting.
 */
static int retain_threshold(
    struct sqlite_retain *chore, const char *job, int64_t *number, struct schedd_error *err)
{
	const struct sql *sql = &chore->sqlite->writer;
	int64_t keep = chore->rules.retention.keep_runs;
	sqlite3_stmt *stmt;
	int rc;

	*number = 0;
	if (keep < 0)
		return 0;
	rc = sql_prepare(sql,
	    "SELECT CASE WHEN (SELECT max(number) FROM runs WHERE job = ?1) - "
	    "(SELECT min(number) FROM runs WHERE job = ?1) >= ?2 THEN "
	    "(SELECT number FROM runs WHERE job = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2) END",
	    &stmt, err);
	if (rc < 0)
		return rc;
	sql_bind_text(stmt, 1, job);
	sqlite3_bind_int64(stmt, 2, keep);
	rc = sql_step(sql, stmt, err);
	if (rc > 0)
		*number = sql_int(stmt, 0, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

/* The oldest of one job that are too many or (by_age) too old. */
static int retain_find_job(
    struct sqlite_retain *chore, const char *job, bool by_age, struct schedd_error *err)
{
	const struct sql *sql = &chore->sqlite->writer;
	sqlite3_stmt *stmt;
	int64_t threshold;
	int rc = retain_threshold(chore, job, &threshold, err);

	if (rc < 0 || (threshold == 0 && !by_age))
		return rc;
	rc = sql_prepare(
	    sql, "SELECT id, number, done_at FROM runs WHERE job = ?1 ORDER BY number", &stmt, err);
	if (rc < 0)
		return rc;
	sql_bind_text(stmt, 1, job);
	while (chore->found_count < retain_room(chore) && (rc = sql_step(sql, stmt, err)) > 0) {
		if (sqlite3_column_type(stmt, 2) == SQLITE_NULL)
			continue;
		if (sqlite3_column_int64(stmt, 1) > threshold &&
		    !(by_age && retain_is_old(chore, sqlite3_column_int64(stmt, 2))))
			break;
		chore->found[chore->found_count++] = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static int retain_find_one(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	int rc = retain_find_job(chore, chore->rules.job, true, err);

	*more = chore->found_count > 0;
	return rc;
}

/* The job whose id comes next; "": none. */
static int retain_next_job(
    struct sqlite_retain *chore, sqlite3_stmt *stmt, struct schedd_error *err)
{
	int rc;

	sql_bind_text(stmt, 1, chore->job);
	rc = sql_step(&chore->sqlite->writer, stmt, err);
	if (rc > 0 && sql_text(stmt, 0))
		sqlite3_snprintf(sizeof(chore->job), chore->job, "%s", sql_text(stmt, 0));
	else
		chore->job[0] = '\0';
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

/* Job by job; a job of which more is left is looked at again in the next pass. */
static int retain_find_each(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc;

	*more = false;
	if (chore->rules.retention.keep_runs <= 0)
		return 0;
	rc = sql_prepare(&chore->sqlite->writer,
	    "SELECT job FROM runs WHERE job > ?1 ORDER BY job LIMIT 1", &stmt, err);
	*more = rc == 0;
	for (int i = 0; i < RETAIN_JOBS && rc == 0 && chore->found_count < retain_room(chore);
	     i++) {
		char before[sizeof(chore->job)];

		memcpy(before, chore->job, sizeof(before));
		rc = retain_next_job(chore, stmt, err);
		*more = rc == 0 && chore->job[0];
		if (!*more)
			break;
		if (!store_rules_except(&chore->rules, chore->job))
			rc = retain_find_job(chore, chore->job, false, err);
		if (chore->found_count == retain_room(chore))
			memcpy(chore->job, before, sizeof(before));
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- Deleting ---- */

static int retain_delete(struct sqlite_store *sqlite, void *context, struct schedd_error *err)
{
	struct sqlite_retain *chore = context;
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_DELETE_RUN];
	int rc = 0;

	for (uint32_t i = 0; i < chore->found_count && rc == 0; i++) {
		sqlite3_bind_int64(stmt, 1, chore->found[i]);
		rc = sql_run(&sqlite->writer, stmt, err);
	}
	sqlite->run_change -= chore->found_count;
	return rc;
}

/* Changes have no budget: their rows are few and small. */
static int retain_delete_changes(
    struct sqlite_store *sqlite, void *context, struct schedd_error *err)
{
	struct sqlite_retain *chore = context;
	const struct store_retention *retention = &chore->rules.retention;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(&sqlite->writer,
	    "DELETE FROM changes WHERE id < (SELECT min(id) FROM changes) + ?3 AND "
	    "(time < ?1 OR id <= (SELECT max(id) FROM changes) - ?2)",
	    &stmt, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1,
	    retention->keep_for == SCHEDD_SPAN_NONE ? INT64_MIN : chore->now - retention->keep_for);
	sqlite3_bind_int64(
	    stmt, 2, retention->max_changes > 0 ? retention->max_changes : INT64_MAX);
	sqlite3_bind_int64(stmt, 3, RETAIN_ROWS);
	rc = sql_run(&sqlite->writer, stmt, err);
	chore->more = rc == 0 && sqlite3_changes(sqlite->writer.db) > 0;
	sqlite3_finalize(stmt);
	return rc;
}

static int retain_changes(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	const struct store_retention *retention = &chore->rules.retention;
	int rc;

	*more = false;
	if (retention->max_changes <= 0 && retention->keep_for == SCHEDD_SPAN_NONE)
		return 0;
	rc = store_sqlite_transact(chore->sqlite, retain_delete_changes, chore, err);
	*more = chore->more;
	return rc;
}

/* Free pages at the end of the file are cut off by the next checkpoint. */
static int retain_vacuum(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	const struct sql *sql = &chore->sqlite->writer;
	char text[64];
	int64_t free_pages;
	int rc = sql_number(sql, "PRAGMA freelist_count", &free_pages, err);

	*more = rc == 0 && free_pages > RETAIN_SLACK_PAGES;
	if (!*more)
		return rc;
	sqlite3_snprintf(sizeof(text), text, "PRAGMA incremental_vacuum(%d)", RETAIN_PAGES);
	rc = sql_exec(sql, text, err);
	if (rc == 0 && free_pages - RETAIN_PAGES <= RETAIN_SLACK_PAGES)
		sqlite3_wal_checkpoint_v2(sql->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return rc;
}

/* ---- The chore ---- */

static const struct retain_stage retain_stages_all[] = {
    {retain_find_all, true},
    {retain_find_each, true},
    {retain_changes, false},
    {retain_vacuum, false},
    {NULL, false},
};

static const struct retain_stage retain_stages_one[] = {
    {retain_find_one, true},
    {retain_vacuum, false},
    {NULL, false},
};

static bool retain_step(struct store_task *task)
{
	struct sqlite_retain *chore = (struct sqlite_retain *)task;
	bool more = false;

	chore->found_count = 0;
	if (!chore->stage->budgeted || chore->budget > 0)
		chore->rc = chore->stage->piece(chore, &more, &chore->err);
	if (chore->rc == 0 && chore->found_count > 0) {
		chore->rc = store_sqlite_transact(chore->sqlite, retain_delete, chore, &chore->err);
		chore->budget -= chore->found_count;
		chore->deleted += chore->found_count;
	}
	if (chore->rc < 0)
		return false;
	if (!more)
		chore->stage++;
	return chore->stage->piece != NULL;
}

static void retain_answer(struct store_task *task)
{
	struct sqlite_retain *chore = (struct sqlite_retain *)task;

	if (chore->done)
		chore->done(chore->rc < 0 ? chore->rc : (int)chore->deleted,
		    chore->rc < 0 ? &chore->err : NULL, chore->context);
	store_rules_clear(&chore->rules);
	free(chore);
}

void store_sqlite_retain(struct store *store, const char *job,
    const struct store_retention *retention, uint32_t budget, store_done_fn done, void *context)
{
	struct sqlite_retain *chore = calloc(1, sizeof(*chore));
	struct schedd_error err;

	if (!chore || store_rules_init(&chore->rules, job, retention) < 0) {
		if (chore)
			store_rules_clear(&chore->rules);
		free(chore);
		schedd_error_nomem(&err);
		if (done)
			done(SCHEDD_ENOMEM, &err, context);
		return;
	}
	chore->sqlite = store_sqlite_of(store);
	chore->task.step = retain_step;
	chore->task.answer = retain_answer;
	chore->stage = job ? retain_stages_one : retain_stages_all;
	chore->budget = budget;
	chore->now = store->clock->wall(store->clock->context);
	chore->done = done;
	chore->context = context;
	store_worker_do(chore->sqlite->worker, &chore->task);
}
