/* SPDX-License-Identifier: MIT */
/*
 * Questions, on a thread and a connection of their own. Of a question about
 * runs the database answers what an index can, the rest is judged row by row
 * as in every other type of store.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "store/sql_text.h"
#include "store/store_changes.h"
#include "store/store_sqlite.h"
#include "store/store_stats.h"

/* Up to so many runs are found by their time and sorted, more by going back from the newest. */
#define QUERY_BY_TIME_MAX 5000

/* What every question is made of; first member of its kind's struct. */
struct sqlite_question {
	struct store_task task;
	struct sqlite_store *sqlite;
	uint64_t mark; /* batches given to the worker before it: it must see them all */
	int rc;
	struct schedd_error err;
	struct arena arena; /* of the question and its answer */
	/* On the asker's thread. */
	int (*ask)(struct sqlite_question *question, struct schedd_error *err);
	/* On the loop's thread: calls back. */
	void (*tell)(struct sqlite_question *question);
	/* Frees what the arena does not hold; NULL: nothing. */
	void (*clear)(struct sqlite_question *question);
};

/* ---- On the way ---- */

static int question_open_reader(struct sqlite_store *sqlite, struct schedd_error *err)
{
	int rc;

	if (sqlite->reader.db)
		return 0;
	rc = sql_open_beside(&sqlite->reader, &sqlite->writer, SQLITE_OPEN_READONLY, err);
	if (rc == 0)
		rc = sql_exec(&sqlite->reader, "PRAGMA cache_size = -2000", err);
	return rc;
}

static bool question_step(struct store_task *task)
{
	struct sqlite_question *question = (struct sqlite_question *)task;

	store_worker_await(question->sqlite->worker, question->mark);
	question->rc = question_open_reader(question->sqlite, &question->err);
	if (question->rc == 0)
		question->rc = question->ask(question, &question->err);
	if (question->rc == 0 && arena_failed(&question->arena))
		question->rc = schedd_error_nomem(&question->err);
	return false;
}

static void question_answer(struct store_task *task)
{
	struct sqlite_question *question = (struct sqlite_question *)task;

	question->tell(question);
	if (question->clear)
		question->clear(question);
	arena_clear(&question->arena);
	free(question);
}

/* Starts the asker's thread with the first question. */
static void question_put(struct store *store, struct sqlite_question *question)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);

	question->sqlite = sqlite;
	question->mark = store_worker_mark(sqlite->worker);
	question->task.step = question_step;
	question->task.answer = question_answer;
	if (!sqlite->asker)
		sqlite->asker = store_worker_new(store, "store-ask", NULL, &question->err);
	if (sqlite->asker && question->rc == 0) {
		store_worker_do(sqlite->asker, &question->task);
		return;
	}
	if (question->rc == 0)
		question->rc = SCHEDD_EFAILED;
	question_answer(&question->task);
}

/* ---- Runs ---- */

struct runs_question {
	struct sqlite_question base;
	struct store_query query;
	store_runs_fn call;
	void *context;
	struct run *runs;
	size_t count;
	size_t capacity;
	bool more;
	char cursor[STORE_CURSOR_MAX];
};

/* The ways to the rows. ?1: only serials (numbers) below this; all newest first. */
enum runs_way {
	RUNS_BY_NUMBER,  /* of one job, ?2; numbers from ?3 */
	RUNS_UNFINISHED, /* few at any time */
	RUNS_TROUBLE,    /* neither unfinished nor successful */
	RUNS_BY_TIME,    /* done since ?2, or not done */
	RUNS_BY_SERIAL,  /* all */
};

static const char *const runs_ways[] = {
    [RUNS_BY_NUMBER] = "SELECT " SQLITE_RUN_COLUMNS " FROM runs "
		       "WHERE number < ?1 AND job = " SQLITE_KEY_OF(
			   "?2") " AND number >= ?3 ORDER BY number DESC",
    [RUNS_UNFINISHED] = "SELECT " SQLITE_RUN_COLUMNS " FROM runs "
			"WHERE done_at IS NULL AND id < ?1 ORDER BY id DESC",
    [RUNS_TROUBLE] = "SELECT " SQLITE_RUN_COLUMNS " FROM runs INDEXED BY runs_trouble "
		     "WHERE " SQL_TEXT_TROUBLE " AND id < ?1 "
		     "ORDER BY id DESC",
    [RUNS_BY_TIME] = "SELECT " SQLITE_RUN_COLUMNS " FROM runs WHERE id IN "
		     "(SELECT id FROM runs WHERE done_at >= ?2 UNION ALL "
		     "SELECT id FROM runs WHERE done_at IS NULL) AND id < ?1 ORDER BY id DESC",
    [RUNS_BY_SERIAL] = "SELECT " SQLITE_RUN_COLUMNS " FROM runs WHERE id < ?1 ORDER BY id DESC",
};

#define RUNS_STATES_OPEN (1u << RUN_QUEUED | 1u << RUN_RUNNING | 1u << RUN_RETRYING)
#define RUNS_STATES_CALM (RUNS_STATES_OPEN | 1u << RUN_SUCCESS)

/* Are the runs that were done since then so few that sorting them is cheap? */
static int runs_few_since(
    const struct sql *sql, schedd_time since, bool *few, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql,
	    "SELECT count(*) FROM (SELECT 1 FROM runs WHERE done_at >= ?1 LIMIT ?2)", &stmt, err);

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, since);
	sqlite3_bind_int64(stmt, 2, QUERY_BY_TIME_MAX);
	rc = sql_step(sql, stmt, err);
	*few = rc > 0 && sqlite3_column_int64(stmt, 0) < QUERY_BY_TIME_MAX;
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static int runs_choose(const struct runs_question *question, const struct sql *sql,
    enum runs_way *way, struct schedd_error *err)
{
	const struct store_query *query = &question->query;
	bool few = false;
	int rc = 0;

	*way = RUNS_BY_SERIAL;
	if (query->job) {
		*way = RUNS_BY_NUMBER;
	} else if (query->states && !(query->states & ~RUNS_STATES_OPEN)) {
		*way = RUNS_UNFINISHED;
	} else {
		if (query->since != SCHEDD_TIME_NONE)
			rc = runs_few_since(sql, query->since, &few, err);
		if (few)
			*way = RUNS_BY_TIME;
		else if (query->states && !(query->states & RUNS_STATES_CALM))
			*way = RUNS_TROUBLE;
	}
	return rc;
}

static void runs_bind(const struct store_query *query, enum runs_way way, sqlite3_stmt *stmt)
{
	uint64_t before = query->before < INT64_MAX ? query->before : INT64_MAX;

	if (way == RUNS_BY_NUMBER) {
		if (query->number && before > query->number)
			before = (uint64_t)query->number + 1;
		sql_bind_text(stmt, 2, query->job);
		sqlite3_bind_int64(stmt, 3, query->number);
	} else if (way == RUNS_BY_TIME) {
		sqlite3_bind_int64(stmt, 2, query->since);
	}
	sqlite3_bind_int64(stmt, 1, (int64_t)before);
}

/* A deep copy into the arena. */
static void runs_take(struct runs_question *question, const struct run *run)
{
	struct arena *arena = &question->base.arena;
	struct run *taken;

	if (question->count == question->capacity) {
		size_t capacity = question->capacity ? question->capacity * 2 : 64;
		struct run *larger = arena_alloc(arena, capacity * sizeof(*larger));

		if (!larger)
			return;
		if (question->count)
			memcpy(larger, question->runs, question->count * sizeof(*larger));
		question->runs = larger;
		question->capacity = capacity;
	}
	taken = &question->runs[question->count++];
	*taken = *run;
	taken->job = arena_strdup(arena, run->job);
	taken->reason = run->reason ? arena_strdup(arena, run->reason) : NULL;
	taken->attempts = run->attempts ? arena_strdup(arena, run->attempts) : NULL;
	taken->actor = run->actor ? arena_strdup(arena, run->actor) : NULL;
	taken->result = run->result ? arena_strdup(arena, run->result) : NULL;
}

static int runs_ask(struct sqlite_question *base, struct schedd_error *err)
{
	struct runs_question *question = (struct runs_question *)base;
	const struct sql *sql = &base->sqlite->reader;
	enum runs_way way;
	sqlite3_stmt *stmt = NULL;
	int rc = runs_choose(question, sql, &way, err);

	if (rc == 0)
		rc = sql_prepare(sql, runs_ways[way], &stmt, err);
	if (rc < 0)
		return rc;
	runs_bind(&question->query, way, stmt);
	while ((rc = sql_step(sql, stmt, err)) > 0 && !arena_failed(&base->arena)) {
		struct run run;

		store_sqlite_read_run(stmt, &run);
		/* A row that nobody could ask for again: somebody else wrote it. */
		if (!question->query.job && (!job_id_known(run.job) || !run.number))
			continue;
		/* For a list it would be read for nothing. */
		if (question->query.number)
			run.result = (char *)store_sqlite_read_result(stmt);
		if (!store_query_matches(&question->query, &run))
			continue;
		question->more = question->count == question->query.limit;
		if (question->more)
			break;
		run.serial = (uint64_t)sqlite3_column_int64(stmt, 0);
		runs_take(question, &run);
	}
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static void runs_tell(struct sqlite_question *base)
{
	struct runs_question *question = (struct runs_question *)base;

	if (base->rc < 0) {
		question->call(base->rc, &base->err, NULL, 0, NULL, question->context);
		return;
	}
	if (question->more)
		store_query_cursor(
		    &question->query, &question->runs[question->count - 1], question->cursor);
	question->call(0, NULL, question->runs, question->count,
	    question->more ? question->cursor : NULL, question->context);
}

static void runs_clear(struct sqlite_question *base)
{
	store_query_clear(&((struct runs_question *)base)->query);
}

void store_sqlite_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context)
{
	struct runs_question *question = calloc(1, sizeof(*question));
	struct schedd_error err;

	if (!question) {
		schedd_error_nomem(&err);
		call(SCHEDD_ENOMEM, &err, NULL, 0, NULL, context);
		return;
	}
	question->call = call;
	question->context = context;
	question->base.ask = runs_ask;
	question->base.tell = runs_tell;
	question->base.clear = runs_clear;
	question->base.rc = store_query_init(&question->query, query, &question->base.err);
	question_put(store, &question->base);
}

/* ---- Changes and statistics ---- */

struct value_question {
	struct sqlite_question base;
	const char *job; /* NULL: all */
	schedd_time since;
	uint64_t limit;
	store_value_fn call;
	void *context;
	struct value answer;
};

#define CHANGES                                                                                    \
	"SELECT time, " SQLITE_ID_OF("changes") ", change FROM changes WHERE time >= ?1"

static int changes_ask(struct sqlite_question *base, struct schedd_error *err)
{
	struct value_question *question = (struct value_question *)base;
	const struct sql *sql = &base->sqlite->reader;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql,
	    question->job ? CHANGES " AND job = " SQLITE_KEY_OF("?3") " ORDER BY id DESC LIMIT ?2"
			  : CHANGES " ORDER BY id DESC LIMIT ?2",
	    &stmt, err);

	question->answer = value_array();
	if (rc < 0)
		return rc;
	sqlite3_bind_int64(stmt, 1, question->since);
	sqlite3_bind_int64(
	    stmt, 2, question->limit < INT64_MAX ? (int64_t)question->limit : INT64_MAX);
	if (question->job)
		sql_bind_text(stmt, 3, question->job);
	while ((rc = sql_step(sql, stmt, err)) > 0) {
		const char *json = sql_text(stmt, 2);

		store_changes_add(&base->arena, &question->answer, sqlite3_column_int64(stmt, 0),
		    sql_text(stmt, 1), json ? json : "");
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* The columns that counting needs, cheaper than whole runs. */
static void stats_read(sqlite3_stmt *stmt, struct run *run)
{
	const char *job = sql_text(stmt, 0), *state = sql_text(stmt, 1);

	run_init(run);
	run->job = (char *)(job ? job : "");
	if (!state || !run_state_parse(state, &run->state))
		run->state = RUN_LOST;
	run->scheduled_at = sql_time(stmt, 2);
	run->started_at = sql_time(stmt, 3);
	run->ended_at = sql_time(stmt, 4);
	run->count = (uint64_t)sql_int(stmt, 5, 1);
}

#define STATS                                                                                      \
	"SELECT " SQLITE_ID_OF("runs") ", state, scheduled_at, started_at, ended_at, count FROM runs"

static int stats_ask(struct sqlite_question *base, struct schedd_error *err)
{
	struct value_question *question = (struct value_question *)base;
	const struct sql *sql = &base->sqlite->reader;
	struct store_stats stats;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql,
	    question->job
		? STATS " WHERE +done_at >= ?1 AND job = " SQLITE_KEY_OF("?2")
		: STATS " WHERE done_at >= ?1",
	    &stmt, err);

	if (rc < 0)
		return rc;
	store_stats_init(&stats);
	sqlite3_bind_int64(stmt, 1, question->since);
	if (question->job)
		sql_bind_text(stmt, 2, question->job);
	while ((rc = sql_step(sql, stmt, err)) > 0) {
		struct run run;

		stats_read(stmt, &run);
		store_stats_add(&stats, &run);
	}
	sqlite3_finalize(stmt);
	if (rc == 0)
		rc = store_stats_answer(&stats, &base->arena, &question->answer, err);
	store_stats_clear(&stats);
	return rc;
}

static void value_tell(struct sqlite_question *base)
{
	struct value_question *question = (struct value_question *)base;

	if (base->rc < 0)
		question->call(base->rc, &base->err, NULL, question->context);
	else
		question->call(0, NULL, &question->answer, question->context);
}

/* A question whose answer is a value; NULL (and answered) without memory. */
static struct value_question *value_question_new(
    const char *job, schedd_time since, store_value_fn call, void *context)
{
	struct value_question *question = calloc(1, sizeof(*question));
	struct schedd_error err;

	if (!question) {
		schedd_error_nomem(&err);
		call(SCHEDD_ENOMEM, &err, NULL, context);
		return NULL;
	}
	question->base.tell = value_tell;
	question->job = job ? arena_strdup(&question->base.arena, job) : NULL;
	if (arena_failed(&question->base.arena))
		question->base.rc = schedd_error_nomem(&question->base.err);
	question->since = since;
	question->call = call;
	question->context = context;
	return question;
}

/* ---- The last run of an id ---- */

struct number_question {
	struct sqlite_question base;
	const char *id;
	int64_t answer;
	store_number_fn call;
	void *context;
};

static int number_ask(struct sqlite_question *base, struct schedd_error *err)
{
	struct number_question *question = (struct number_question *)base;
	const struct sql *sql = &base->sqlite->reader;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql, SQLITE_LAST_RUN, &stmt, err);

	if (rc < 0)
		return rc;
	sql_bind_text(stmt, 1, question->id);
	rc = sql_step(sql, stmt, err);
	if (rc > 0)
		question->answer = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc < 0 ? rc : 0;
}

static void number_tell(struct sqlite_question *base)
{
	const struct number_question *question = (struct number_question *)base;

	question->call(base->rc, base->rc < 0 ? &base->err : NULL, question->answer,
	    question->context);
}

void store_sqlite_last_run(
    struct store *store, const char *id, store_number_fn call, void *context)
{
	struct number_question *question = calloc(1, sizeof(*question));
	struct schedd_error err;

	if (!question) {
		call(schedd_error_nomem(&err), &err, 0, context);
		return;
	}
	question->base.ask = number_ask;
	question->base.tell = number_tell;
	question->id = arena_strdup(&question->base.arena, id);
	if (!question->id)
		question->base.rc = schedd_error_nomem(&question->base.err);
	question->call = call;
	question->context = context;
	question_put(store, &question->base);
}

void store_sqlite_query_changes(struct store *store, const char *job, schedd_time since,
    uint64_t limit, store_value_fn call, void *context)
{
	struct value_question *question = value_question_new(job, since, call, context);

	if (!question)
		return;
	question->limit = limit;
	question->base.ask = changes_ask;
	question_put(store, &question->base);
}

void store_sqlite_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context)
{
	struct value_question *question = value_question_new(job, since, call, context);

	if (!question)
		return;
	question->base.ask = stats_ask;
	question_put(store, &question->base);
}
