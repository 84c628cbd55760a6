/* SPDX-License-Identifier: MIT */
/*
 * The parts of type "sqlite". Connections, each of one thread: front reads on
 * the loop's thread, writer belongs to the worker, reader (opened at the first
 * question) to the thread that answers questions, one more to the log's. So
 * neither a long question nor a long log delays a commit, and the loop waits for
 * none of them.
 */
#ifndef SCHEDD_STORE_STORE_SQLITE_H
#define SCHEDD_STORE_STORE_SQLITE_H

#include <stdatomic.h>
#include <sys/types.h>
#include "model/job_fields.h"
#include "store/sql.h"
#include "store/store_batch.h"
#include "store/store_query.h"
#include "store/store_sqlite_known.h"
#include "store/store_sqlite_log.h"
#include "store/store_sqlite_reserve.h"
#include "store/store_worker.h"

/* Statements of the writer, prepared when it is opened. */
enum sqlite_write {
	SQLITE_WRITE_BEGIN,
	SQLITE_WRITE_COMMIT,
	SQLITE_WRITE_ROLLBACK,
	SQLITE_WRITE_VERSION,
	SQLITE_WRITE_CLAIM,
	SQLITE_WRITE_DELETE,
	SQLITE_WRITE_REMEMBER,
	SQLITE_WRITE_LEAVE,
	SQLITE_WRITE_KEY,
	SQLITE_WRITE_KEY_NEW,
	SQLITE_WRITE_KEY_DELETE,
	SQLITE_WRITE_RENAME_JOB,
	SQLITE_WRITE_RENAME_KEY,
	SQLITE_WRITE_RENAME_CHANGES,
	SQLITE_WRITE_REMEMBERED,
	SQLITE_WRITE_HAS_RUNS,
	SQLITE_WRITE_RUN,
	SQLITE_WRITE_RUN_AGAIN,
	SQLITE_WRITE_PURGE_ALL,
	SQLITE_WRITE_PURGE_JOB,
	SQLITE_WRITE_PURGE_RUN,
	SQLITE_WRITE_DELETE_RUN,
	SQLITE_WRITE_META,
	SQLITE_WRITE_META_DELETE,
	SQLITE_WRITE_CHANGE,
	SQLITE_WRITE_COUNT_RUNS,
	SQLITE_WRITE_LAST_RUN,
	SQLITE_WRITE_REVISION,
	SQLITE_WRITE_KEY_MANY,    /* KEY_NEW of SQL_TEXT_MANY rows */
	SQLITE_WRITE_CHANGE_MANY, /* CHANGE, likewise */
	SQLITE_WRITE_PUT_JOB, /* from the table of fields, not among the texts */
	SQLITE_WRITE_NEW_JOB, /* likewise, of a job whose id has no row yet */
	SQLITE_WRITE_NEW_COMMON, /* likewise, of one that has nothing but what most jobs have */
	SQLITE_WRITE_NEW_MANY, /* NEW_COMMON of SQL_TEXT_MANY rows */
	SQLITE_WRITES,
};

struct sqlite_store {
	struct store base;

	/* The loop's thread. */
	struct sql front; /* opened by the worker, then the loop's: for loading */
	struct store_worker *worker;
	struct store_worker *asker; /* NULL: no question yet */
	bool damaged;               /* leave the file as it is when closing */

	/* The worker's thread. */
	struct sql writer;
	sqlite3_stmt *writes[SQLITE_WRITES];
	int64_t run_change; /* rows added to runs in this transaction */
	struct sqlite_known known;
	bool relaxed;       /* transactions do not wait for the disk */
	int64_t busy_since; /* monotonic microseconds: another holds the lock */
	off_t log_size;     /* its bytes when it was looked at last: it grows, unless we empty it */
	ino_t log_inode;    /* of the write-ahead log as it was made; 0: none was seen yet */
	bool full;          /* the last one that failed found no room on the disk */
	struct sqlite_reserve reserve;
	struct sqlite_log log;
	uint32_t
	    retain_rows; /* deleted in one piece of retention, as the disk lets it; 0: unknown */
	uint32_t retain_pages; /* given back in one piece, likewise */
	struct arena scratch;
	struct strbuf text;

	/* The asker's thread. */
	struct sql reader;

	/* Constant, and counters for everybody. */
	const struct job_field **fields; /* those that are columns, in order; owned */
	int field_count;
	uint8_t common[JOB_FIELDS_MAX]; /* by field: which parameter of NEW_COMMON it is; 0: none */
	int common_count; /* of these */
	_Atomic int64_t runs; /* rows in runs */
};

static inline struct sqlite_store *store_sqlite_of(struct store *store)
{
	return (struct sqlite_store *)store;
}

/* ---- store_sqlite_jobs.c ---- */

/* Binds and runs PUT_JOB. */
int store_sqlite_put_job(struct sqlite_store *sqlite, const struct schedd_job *job,
    const struct job_state *state, struct schedd_error *err);
/* The same for a job whose id has no row; 1: it has one, and nothing was done. */
int store_sqlite_new_job(struct sqlite_store *sqlite, const struct schedd_job *job,
    const struct job_state *state, struct schedd_error *err);

/* Has it nothing but what most jobs have? */
bool store_sqlite_is_common(const struct sqlite_store *sqlite, const struct schedd_job *job,
    const struct job_state *state);
/* NEW_MANY of the jobs that SQL_TEXT_MANY operations add, all common; 1: some have a row already, the others have one now. */
int store_sqlite_new_many(struct sqlite_store *sqlite, struct store_op *const ops[], struct schedd_error *err);

/* Does the change that tells of the job follow what adds it? */
bool store_sqlite_is_told_of(const struct store_op *op);

/* ---- store_sqlite_many.c ---- */

/* What comes next in a batch, if that is many new jobs with their changes: *op is what comes behind them. 1: it is to be done by itself. */
int store_sqlite_add_many(struct sqlite_store *sqlite, struct store_op **op, struct schedd_error *err);

/* ---- store_sqlite_load.c ---- */

/* jobs->load. */
void store_sqlite_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context);
/* jobs->reread. */
void store_sqlite_reread(struct store *store, const char *id);

/* ---- store_sqlite_runs.c ---- */

/* The id of the job that a row of runs or changes refers to; and the key to an id. */
#define SQLITE_ID_OF(table) "(SELECT ids.id FROM ids WHERE ids.key = " table ".job)"
#define SQLITE_KEY_OF(parameter) "(SELECT ids.key FROM ids WHERE ids.id = " parameter ")"
/* The columns that store_sqlite_read_run() expects, in its order: id first. */
#define SQLITE_RUN_COLUMNS                                                                         \
	"id, " SQLITE_ID_OF("runs") ", number, state, \"trigger\", attempt, scheduled_at, started_at, ended_at, "       \
	"until, "                                                                                  \
	"count, coalesced, exit_code, signal, reason, max_rss, cpu_us, output_bytes, "             \
	"output_dropped, pid, pid_start, attempts, actor, result"
/* INSERT … ON CONFLICT with the parameters that store_sqlite_bind_run() sets. */
extern const char store_sqlite_put_run[];
/* The same of a row whose id is known, parameter 25; changes nothing where it is another run's by now. */
extern const char store_sqlite_update_run[];
void store_sqlite_bind_run(sqlite3_stmt *stmt, int64_t key, const struct run *run);
/* Without its result, which may be long: store_sqlite_read_result(). Texts are valid until the next step. A state or trigger that no name says is "lost", "schedule".
 */
void store_sqlite_read_run(sqlite3_stmt *stmt, struct run *run);
/* NULL: nothing was returned. Valid until the next step. */
const char *store_sqlite_read_result(sqlite3_stmt *stmt);

/* ---- store_sqlite_commit.c ---- */

/* The highest number ever given to the id ?1. */
#define SQLITE_LAST_RUN                                                                            \
	"SELECT max((SELECT coalesce(max(last_run), 0) FROM ids WHERE id = ?1), "                  \
	"(SELECT coalesce(max(last_run), 0) FROM jobs WHERE id = ?1), "                            \
	"(SELECT coalesce(max(number), 0) FROM runs WHERE job = " SQLITE_KEY_OF(     \
	"?1") "))"

/* The texts of the writer's statements, in the enum's order. */
extern const char *const store_sqlite_writes[];
/* A store_worker_commit_fn: one transaction. */
int store_sqlite_commit_chain(struct store *store, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err);
/*
 * Whether transactions wait for the disk from now on. Those that do not are
 * durable with the next that does, never one without those before it.
 */
int store_sqlite_relax(struct sqlite_store *sqlite, bool relaxed, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* A transaction around what call does; on the worker's thread. */
typedef int (*store_sqlite_change_fn)(
    struct sqlite_store *sqlite, void *context, struct schedd_error *err);
int store_sqlite_transact(struct sqlite_store *sqlite, store_sqlite_change_fn call, void *context,
    struct schedd_error *err) __attribute__((warn_unused_result));

/* ---- store_sqlite_query.c, _retain.c, _backup.c: the ops of the same name ---- */

void store_sqlite_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context);
void store_sqlite_query_changes(struct store *store, const char *job, schedd_time since,
    uint64_t limit, store_value_fn call, void *context);
void store_sqlite_last_run(
    struct store *store, const char *id, store_number_fn call, void *context);
void store_sqlite_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context);
void store_sqlite_retain(struct store *store, const char *job,
    const struct store_retention *retention, uint32_t budget, store_done_fn done, void *context);
void store_sqlite_backup(struct store *store, const char *path, store_done_fn done, void *context);

#endif
