/* SPDX-License-Identifier: MIT */
/*
 * Retention as a chore of the worker: first along all runs from the oldest,
 * then job by job, then the changes, then the free pages go back to the file
 * system. A piece is as large as fits into RETAIN_TIME, the disk included: that
 * is found out by doing, for a row costs a page of an index or none at all.
 */
#include <stdlib.h>
#include <string.h>
#include "store/store_retention.h"
#include "store/store_sqlite.h"

#define RETAIN_TIME 1000      /* microseconds for one piece: so long a claim may wait */
#define RETAIN_REST 1000      /* microseconds between two pieces, at least */
#define RETAIN_RESTS 2        /* times as long as a piece took: a third of the disk is not the claims' */
#define RETAIN_REST_MOST 20000 /* however long it took */
#define RETAIN_FIRST 32       /* rows or pages in the very first piece */
#define RETAIN_LEAST 16       /* likewise, however slow the disk is */
#define RETAIN_MOST 512       /* likewise, however fast */
#define RETAIN_LOOK 256       /* rows looked at in one piece */
#define RETAIN_SKIP 4096      /* entries of an index passed over at once */
#define RETAIN_CHANGES 64     /* changes, or ids, deleted in one piece */
#define RETAIN_SLACK_PAGES 64 /* free pages that are kept for the next runs */
#define RETAIN_LOG 3000       /* pages in the log that wait for being copied */

struct sqlite_retain;

struct retain_stage {
	/* One piece; *more: the stage goes on. NULL ends the list. */
	int (*piece)(struct sqlite_retain *chore, bool *more, struct schedd_error *err);
	bool budgeted; /* over when the budget is used up */
};

/* What is asked over and over. */
enum retain_query {
	RETAIN_QUERY_ALL,  /* runs from the oldest on */
	RETAIN_QUERY_SPAN, /* could a job have more than so many? */
	RETAIN_QUERY_PASS, /* passes over its newest */
	RETAIN_QUERY_JOB,  /* its runs from the oldest on */
	RETAIN_QUERY_NEXT, /* the job behind a job, by key */
	RETAIN_QUERY_IDLE, /* how far a piece of the ids of no use goes */
	RETAIN_QUERIES,
};

#define KEY SQLITE_KEY_OF("?1")

static const char *const retain_queries[RETAIN_QUERIES] = {
    [RETAIN_QUERY_ALL] = "SELECT id, " SQLITE_ID_OF("runs") ", done_at FROM runs WHERE id > ?1 ORDER BY id",
    /* The numbers themselves nearly always tell without counting. */
    [RETAIN_QUERY_SPAN] = "SELECT (SELECT max(number) FROM runs WHERE job = " KEY ") - "
			  "(SELECT min(number) FROM runs WHERE job = " KEY ") >= ?2",
    [RETAIN_QUERY_PASS] = "SELECT number FROM runs WHERE job = " KEY " AND number < ?2 "
			  "ORDER BY number DESC LIMIT 1 OFFSET ?3",
    [RETAIN_QUERY_JOB] = "SELECT id, number, done_at FROM runs WHERE job = " KEY " ORDER BY number",
    [RETAIN_QUERY_NEXT] = "SELECT job, " SQLITE_ID_OF("runs") " FROM runs WHERE job > ?1 ORDER BY job LIMIT 1",
    [RETAIN_QUERY_IDLE] = ("SELECT max(key) FROM (SELECT key FROM ids WHERE last_run = 0 AND "
			   "key > ?1 ORDER BY key LIMIT ?2) HAVING count(*) > 0"),
};

/* Which runs of a job are beyond the number to keep. It takes several pieces where that is large.
 */
struct retain_threshold {
	char job[JOB_ID_MAX + 1];
	bool begun;     /* for that job */
	bool known;     /* number is final */
	int64_t number; /* the highest that has to go, 0: none; until then the last passed over */
	int64_t left;   /* to pass over */
};

struct sqlite_retain {
	struct store_task task;
	struct sqlite_store *sqlite;
	struct store_rules rules;
	const struct retain_stage *stage;
	sqlite3_stmt *stmts[RETAIN_QUERIES]; /* the worker's; NULL: not prepared yet */
	struct schedd_mono begin;            /* of this piece */
	struct schedd_mono rest;             /* until then, before the next one */
	uint32_t budget;                     /* rows that may still be deleted */
	uint32_t deleted;
	schedd_time now;
	int64_t after;            /* first stage: the serial it has come to */
	int64_t key;              /* second stage: likewise */
	int64_t idle;             /* the stage of ids: likewise */
	int64_t idle_end;         /* where its piece ends */
	char job[JOB_ID_MAX + 1]; /* second stage: whose that is */
	struct retain_threshold threshold;
	bool more;                  /* of the stage */
	bool shrunk;                /* pages were given back */
	int64_t found[RETAIN_MOST]; /* serials to delete in this piece */
	uint32_t found_count;
	store_done_fn done; /* may be NULL */
	void *context;
	int rc;
	struct schedd_error err;
};

/* ---- Pieces ---- */

static schedd_span retain_took(const struct sqlite_retain *chore)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us - chore->begin.us;
}

/* After a piece that was as large as it might be, or took too long. */
static void retain_adapt(uint32_t *amount, schedd_span took)
{
	if (took > RETAIN_TIME)
		*amount -= *amount / 4;
	else if (took < RETAIN_TIME * 2 / 3)
		*amount += *amount / 8 + 1;
	if (*amount < RETAIN_LEAST)
		*amount = RETAIN_LEAST;
	if (*amount > RETAIN_MOST)
		*amount = RETAIN_MOST;
}

static int retain_query(struct sqlite_retain *chore, enum retain_query query, sqlite3_stmt **out,
    struct schedd_error *err)
{
	int rc = 0;

	if (!chore->stmts[query])
		rc = sql_prepare(
		    &chore->sqlite->writer, retain_queries[query], &chore->stmts[query], err);
	*out = chore->stmts[query];
	return rc;
}

/* ---- Finding ---- */

static uint32_t retain_room(const struct sqlite_retain *chore)
{
	return chore->budget < chore->sqlite->retain_rows ? chore->budget
							  : chore->sqlite->retain_rows;
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
			*surplus = RETAIN_MOST;
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
	rc = retain_query(chore, RETAIN_QUERY_ALL, &stmt, err);
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, chore->after);
	*more = false;
	while ((rc = sql_step(sql, stmt, err)) > 0) {
		const char *job = sql_text(stmt, 1);
		bool excepted = surplus <= 0 && job && store_rules_except(&chore->rules, job);

		if (chore->found_count == retain_room(chore) || looked++ == RETAIN_LOOK) {
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
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

/* Has the job so many numbers that some may be beyond the number to keep? */
static int retain_begin_threshold(struct sqlite_retain *chore, struct schedd_error *err)
{
	struct retain_threshold *threshold = &chore->threshold;
	int64_t keep = chore->rules.retention.keep_runs;
	sqlite3_stmt *stmt;
	int rc;

	threshold->begun = true;
	threshold->known = true;
	threshold->number = 0;
	if (keep < 0)
		return 0;
	rc = retain_query(chore, RETAIN_QUERY_SPAN, &stmt, err);
	if (rc < 0)
		return rc;
	sql_bind_text(stmt, 1, threshold->job);
	sqlite3_bind_int64(stmt, 2, keep);
	rc = sql_step(&chore->sqlite->writer, stmt, err);
	if (rc > 0 && sqlite3_column_int(stmt, 0)) {
		threshold->known = false;
		threshold->number = INT64_MAX;
		threshold->left = keep;
	}
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

/* Goes on from the newest run towards the first one that is too many. */
static int retain_pass(struct sqlite_retain *chore, struct schedd_error *err)
{
	struct retain_threshold *threshold = &chore->threshold;
	int64_t skip = threshold->left < RETAIN_SKIP ? threshold->left : RETAIN_SKIP;
	sqlite3_stmt *stmt;
	int rc = retain_query(chore, RETAIN_QUERY_PASS, &stmt, err);

	if (rc < 0)
		return rc;
	sql_bind_text(stmt, 1, threshold->job);
	sqlite3_bind_int64(stmt, 2, threshold->number);
	sqlite3_bind_int64(stmt, 3, skip);
	rc = sql_step(&chore->sqlite->writer, stmt, err);
	if (rc < 0)
		return rc;
	threshold->number = rc > 0 ? sqlite3_column_int64(stmt, 0) : 0;
	threshold->known = rc == 0 || skip == threshold->left;
	threshold->left -= skip + 1;
	sqlite3_reset(stmt);
	return 0;
}

/* Runs that come meanwhile are the next pass's concern: a threshold is found once. */
static int retain_threshold(struct sqlite_retain *chore, const char *job, struct schedd_error *err)
{
	struct retain_threshold *threshold = &chore->threshold;
	int rc = 0;

	if (!threshold->begun || strcmp(threshold->job, job) != 0) {
		sqlite3_snprintf(sizeof(threshold->job), threshold->job, "%s", job);
		rc = retain_begin_threshold(chore, err);
	}
	while (rc == 0 && !threshold->known && retain_took(chore) < RETAIN_TIME)
		rc = retain_pass(chore, err);
	return rc;
}

/* The oldest of one job that are too many or (by_age) too old, once the threshold is known. */
static int retain_find_job(
    struct sqlite_retain *chore, const char *job, bool by_age, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = retain_threshold(chore, job, err);
	int64_t number = chore->threshold.number;

	if (rc < 0 || !chore->threshold.known || (number == 0 && !by_age))
		return rc;
	rc = retain_query(chore, RETAIN_QUERY_JOB, &stmt, err);
	if (rc < 0)
		return rc;
	sql_bind_text(stmt, 1, job);
	while (chore->found_count < retain_room(chore) &&
	       (rc = sql_step(&chore->sqlite->writer, stmt, err)) > 0) {
		if (sqlite3_column_type(stmt, 2) == SQLITE_NULL)
			continue;
		if (sqlite3_column_int64(stmt, 1) > number &&
		    !(by_age && retain_is_old(chore, sqlite3_column_int64(stmt, 2))))
			break;
		chore->found[chore->found_count++] = sqlite3_column_int64(stmt, 0);
	}
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

static int retain_find_one(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	int rc = retain_find_job(chore, chore->rules.job, true, err);

	*more = chore->found_count > 0 || !chore->threshold.known;
	return rc;
}

/* The job whose key comes next; "": none. */
static int retain_next_job(struct sqlite_retain *chore, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = retain_query(chore, RETAIN_QUERY_NEXT, &stmt, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, chore->key);
	rc = sql_step(&chore->sqlite->writer, stmt, err);
	chore->job[0] = '\0';
	if (rc > 0) {
		const char *job = sql_text(stmt, 1);

		chore->key = sqlite3_column_int64(stmt, 0);
		sqlite3_snprintf(sizeof(chore->job), chore->job, "%s", job ? job : "?");
	}
	sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

/* Job by job; one of which more is left is looked at again in the next piece. */
static int retain_find_each(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	int rc = 0;

	*more = chore->rules.retention.keep_runs > 0;
	while (
	    *more && chore->found_count < retain_room(chore) && retain_took(chore) < RETAIN_TIME) {
		int64_t before = chore->key;

		rc = retain_next_job(chore, err);
		*more = rc == 0 && chore->job[0];
		if (!*more || store_rules_except(&chore->rules, chore->job))
			continue;
		rc = retain_find_job(chore, chore->job, false, err);
		if (rc < 0)
			break;
		if (!chore->threshold.known || chore->found_count == retain_room(chore))
			chore->key = before;
	}
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
	sqlite3_bind_int64(stmt, 3, RETAIN_CHANGES);
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

static int retain_delete_ids(struct sqlite_store *sqlite, void *context, struct schedd_error *err)
{
	const struct sqlite_retain *chore = context;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(&sqlite->writer,
	    "DELETE FROM ids WHERE last_run = 0 AND key > ?1 AND key <= ?2 AND NOT EXISTS "
	    "(SELECT 1 FROM runs WHERE runs.job = ids.key) AND NOT EXISTS (SELECT 1 FROM changes "
	    "WHERE changes.job = ids.key) AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = ids.id)",
	    &stmt, err);

	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, chore->idle);
	sqlite3_bind_int64(stmt, 2, chore->idle_end);
	rc = sql_run(&sqlite->writer, stmt, err);
	sqlite3_finalize(stmt);
	store_sqlite_known_forget(&sqlite->known);
	return rc;
}

/* Ids of removed jobs to which nothing refers any more, and of which nothing has to be known. */
static int retain_ids(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = retain_query(chore, RETAIN_QUERY_IDLE, &stmt, err);

	*more = false;
	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, chore->idle);
	sqlite3_bind_int64(stmt, 2, RETAIN_CHANGES);
	rc = sql_step(&chore->sqlite->writer, stmt, err);
	if (rc > 0)
		chore->idle_end = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	if (rc <= 0)
		return rc;
	*more = true;
	rc = store_sqlite_transact(chore->sqlite, retain_delete_ids, chore, err);
	chore->idle = chore->idle_end;
	return rc;
}

/* Only when nothing more is to be deleted: until then the pages at the end would be moved in vain.
 */
static int retain_vacuum(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	const struct sql *sql = &chore->sqlite->writer;
	uint32_t *pages = &chore->sqlite->retain_pages;
	char text[64];
	int64_t free_pages;
	int rc = sql_number(sql, "PRAGMA freelist_count", &free_pages, err);

	*more = rc == 0 && chore->budget > 0 && free_pages > RETAIN_SLACK_PAGES;
	if (!*more)
		return rc;
	sqlite3_snprintf(sizeof(text), text, "PRAGMA incremental_vacuum(%u)", *pages);
	rc = sql_exec(sql, text, err);
	retain_adapt(pages, retain_took(chore));
	chore->shrunk = true;
	return rc;
}

/* The file gets shorter when the log is copied into it. */
static int retain_settle(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	(void)err;
	*more = chore->shrunk && store_sqlite_log_wait(&chore->sqlite->log, 0);
	return 0;
}

/* ---- The chore ---- */

static const struct retain_stage retain_stages_all[] = {
    {retain_find_all, true},
    {retain_find_each, true},
    {retain_changes, false},
    {retain_ids, false},
    {retain_vacuum, false},
    {retain_settle, false},
    {NULL, false},
};

static const struct retain_stage retain_stages_one[] = {
    {retain_find_one, true},
    {retain_vacuum, false},
    {retain_settle, false},
    {NULL, false},
};

/*
 * One piece; *more: its stage goes on. It does not wait for the disk: rows that
 * come back with a crash of the machine are deleted by the next pass.
 */
static int retain_piece(struct sqlite_retain *chore, bool *more, struct schedd_error *err)
{
	uint32_t room = retain_room(chore);
	int rc = store_sqlite_relax(chore->sqlite, true, err);

	chore->found_count = 0;
	if (rc == 0 && (!chore->stage->budgeted || chore->budget > 0))
		rc = chore->stage->piece(chore, more, err);
	if (rc < 0 || chore->found_count == 0)
		return rc;
	rc = store_sqlite_transact(chore->sqlite, retain_delete, chore, err);
	chore->budget -= chore->found_count;
	chore->deleted += chore->found_count;
	if (chore->found_count == room || retain_took(chore) > RETAIN_TIME)
		retain_adapt(&chore->sqlite->retain_rows, retain_took(chore));
	return rc;
}

/* Commits come between, and are not held up by a rest: none waits for more than the piece it meets. */
static void retain_rest_after(struct sqlite_retain *chore, schedd_span took)
{
	schedd_span rest = took * RETAIN_RESTS;

	chore->rest.us = chore->begin.us + took;
	chore->rest.us += rest < RETAIN_REST ? RETAIN_REST : rest < RETAIN_REST_MOST ? rest : RETAIN_REST_MOST;
}

static bool retain_step(struct store_task *task)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct sqlite_retain *chore = (struct sqlite_retain *)task;
	bool more = false;

	if (store_worker_rest(chore->sqlite->worker, chore->rest))
		return true;
	chore->begin = clock->mono(clock->context);
	if (store_sqlite_log_wait(&chore->sqlite->log, RETAIN_LOG)) {
		retain_rest_after(chore, 0);
		return true;
	}
	if (!chore->sqlite->retain_rows)
		chore->sqlite->retain_rows = chore->sqlite->retain_pages = RETAIN_FIRST;
	chore->rc = retain_piece(chore, &more, &chore->err);
	retain_rest_after(chore, retain_took(chore));
	if (chore->rc == 0 && !more)
		chore->stage++;
	if (chore->rc == 0 && chore->stage->piece)
		return true;
	for (int i = 0; i < RETAIN_QUERIES; i++)
		sqlite3_finalize(chore->stmts[i]);
	return false;
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
