/* SPDX-License-Identifier: MIT */
/* Batches become one transaction; whatever fails in it leaves nothing of it. */
#include <string.h>
#include <sys/stat.h>
#include "store/sql_text.h"
#include "store/store_sqlite.h"

#define SQLITE_MANY(row) row "," row "," row "," row "," row "," row "," row "," row
_Static_assert(SQL_TEXT_MANY == 8, "as many rows are written at once");

const char *const store_sqlite_writes[SQLITE_WRITE_PUT_JOB] = {
    [SQLITE_WRITE_BEGIN] = "BEGIN IMMEDIATE",
    [SQLITE_WRITE_COMMIT] = "COMMIT",
    [SQLITE_WRITE_ROLLBACK] = "ROLLBACK",
    /* Another one as soon as somebody else has written. */
    [SQLITE_WRITE_VERSION] = "PRAGMA data_version",
    [SQLITE_WRITE_CLAIM] = "UPDATE jobs SET next_fire = ?2, next_run_time = ?3, run_count = ?4, "
			   "last_run = ?5 WHERE id = ?1 AND coalesce(last_run, 0) = ?6",
    [SQLITE_WRITE_DELETE] = "DELETE FROM jobs WHERE id = ?1",
    [SQLITE_WRITE_REMEMBER] = "INSERT INTO ids (id, last_run) VALUES (?1, ?2) ON CONFLICT (id) "
			      "DO UPDATE SET last_run = max(coalesce(last_run, 0), ?2)",
    [SQLITE_WRITE_LEAVE] = "UPDATE ids SET last_run = 0 WHERE id = ?1 AND last_run IS NULL",
    [SQLITE_WRITE_KEY] = "SELECT key FROM ids WHERE id = ?1",
    [SQLITE_WRITE_KEY_NEW] = "INSERT OR IGNORE INTO ids (id) VALUES (?1)",
    [SQLITE_WRITE_KEY_DELETE] = "DELETE FROM ids WHERE id = ?1",
    [SQLITE_WRITE_RENAME_JOB] = "UPDATE jobs SET id = ?2 WHERE id = ?1",
    [SQLITE_WRITE_RENAME_KEY] = "UPDATE ids SET id = ?2, last_run = NULL WHERE id = ?1",
    [SQLITE_WRITE_RENAME_CHANGES] = "UPDATE changes SET job = " SQLITE_KEY_OF(
	"?1") " WHERE job = " SQLITE_KEY_OF("?2"),
    [SQLITE_WRITE_REMEMBERED] = "SELECT last_run FROM ids WHERE id = ?1",
    [SQLITE_WRITE_HAS_RUNS] = "SELECT 1 FROM runs WHERE job = " SQLITE_KEY_OF("?1") " LIMIT 1",
    [SQLITE_WRITE_RUN] = store_sqlite_put_run,
    [SQLITE_WRITE_RUN_AGAIN] = store_sqlite_update_run,
    [SQLITE_WRITE_PURGE_ALL] = "DELETE FROM runs WHERE id IN (SELECT id FROM runs LIMIT ?3)",
    [SQLITE_WRITE_PURGE_JOB] = "DELETE FROM runs WHERE id IN "
			       "(SELECT id FROM runs WHERE job = " SQLITE_KEY_OF(
				   "?1") " AND number <= ?2 LIMIT ?3)",
    [SQLITE_WRITE_PURGE_RUN] = "DELETE FROM runs WHERE job = " SQLITE_KEY_OF("?1") " AND number = ?2",
    [SQLITE_WRITE_DELETE_RUN] = "DELETE FROM runs WHERE id = ?1",
    [SQLITE_WRITE_META] = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
    [SQLITE_WRITE_META_DELETE] = "DELETE FROM meta WHERE key = ?1",
    [SQLITE_WRITE_CHANGE] = "INSERT INTO changes (time, job, change) VALUES (?1, ?2, ?3)",
    [SQLITE_WRITE_COUNT_RUNS] = "UPDATE meta SET value = value + ?1 WHERE key = 'store.runs'",
    [SQLITE_WRITE_LAST_RUN] = SQLITE_LAST_RUN,
    [SQLITE_WRITE_REVISION] = "SELECT coalesce(revision, 1) FROM jobs WHERE id = ?1",
    [SQLITE_WRITE_KEY_MANY] = "INSERT OR IGNORE INTO ids (id) VALUES " SQLITE_MANY("(?)"),
    [SQLITE_WRITE_CHANGE_MANY] = "INSERT INTO changes (time, job, change) VALUES " SQLITE_MANY("(?, ?, ?)"),
};

static int sqlite_run(
    struct sqlite_store *sqlite, enum sqlite_write write, struct schedd_error *err)
{
	return sql_run(&sqlite->writer, sqlite->writes[write], err);
}

/* ---- One entry of a batch ---- */

static int sqlite_claim(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_CLAIM];
	int rc;

	sql_bind_text(stmt, 1, op->claim.id);
	sql_bind_time(stmt, 2, op->claim.next_fire);
	sql_bind_time(stmt, 3, op->claim.next_run_time);
	sql_bind_int(stmt, 4, (int64_t)op->claim.run_count, 0);
	sql_bind_int(stmt, 5, op->claim.last_run, 0);
	sqlite3_bind_int64(stmt, 6, op->claim.expected);
	op->claim.given = STORE_CLAIM_DONE;
	rc = sqlite_run(sqlite, SQLITE_WRITE_CLAIM, err);
	if (rc == 0 && sqlite3_changes(sqlite->writer.db) == 0)
		rc = store_op_verdict(&sqlite->base, op, STORE_CLAIM_LOST, err);
	return rc;
}

static int sqlite_put_job(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	return store_sqlite_put_job(sqlite, op->put_job.job, &op->put_job.state, err);
}

/* The one number a statement about an id answers; fallback where there is no row. */
static int sqlite_ask(struct sqlite_store *sqlite, enum sqlite_write write, const char *id,
    int64_t fallback, int64_t *out, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[write];
	int rc;

	sql_bind_text(stmt, 1, id);
	rc = sql_step(&sqlite->writer, stmt, err);
	*out = rc > 0 ? sqlite3_column_int64(stmt, 0) : fallback;
	if (rc > 0)
		sqlite3_reset(stmt);
	return rc < 0 ? rc : 0;
}

/* The key that its runs and changes refer to; made when there is none. *known: NULL where none is kept of it. */
static int sqlite_know(struct sqlite_store *sqlite, const char *id, int64_t *key,
    struct sqlite_known_job **known, struct schedd_error *err)
{
	int rc;

	*known = store_sqlite_known_find(&sqlite->known, id);
	if (*known) {
		*key = (*known)->key;
		return 0;
	}
	rc = sqlite_ask(sqlite, SQLITE_WRITE_KEY, id, 0, key, err);
	if (rc == 0 && *key == 0) {
		sql_bind_text(sqlite->writes[SQLITE_WRITE_KEY_NEW], 1, id);
		rc = sqlite_run(sqlite, SQLITE_WRITE_KEY_NEW, err);
		*key = sqlite3_last_insert_rowid(sqlite->writer.db);
	}
	if (rc == 0)
		*known = store_sqlite_known_add(&sqlite->known, id, *key);
	return rc;
}

static int sqlite_key(
    struct sqlite_store *sqlite, const char *id, int64_t *key, struct schedd_error *err)
{
	struct sqlite_known_job *known;

	return sqlite_know(sqlite, id, key, &known, err);
}

/*
 * A job of an id that nothing here was ever called by: it has no key and no row,
 * and its numbers begin anew. 1: it is not so, and is to be looked at.
 */
static int sqlite_add_unknown(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	const char *id = op->put_job.job->id;
	int rc;

	sql_bind_text(sqlite->writes[SQLITE_WRITE_KEY_NEW], 1, id);
	rc = sqlite_run(sqlite, SQLITE_WRITE_KEY_NEW, err);
	if (rc == 0 && sqlite3_changes(sqlite->writer.db) == 0)
		rc = 1;
	if (rc)
		return rc;
	(void)store_sqlite_known_add(&sqlite->known, id, sqlite3_last_insert_rowid(sqlite->writer.db));
	op->put_job.given = op->put_job.state.last_run;
	return store_sqlite_new_job(sqlite, op->put_job.job, &op->put_job.state, err);
}

/* Its numbers go on from the highest that the id ever had. */
static int sqlite_add_job(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	struct job_state state = op->put_job.state;
	int64_t last;
	int rc = store_sqlite_is_told_of(op) ? sqlite_add_unknown(sqlite, op, err) : 1;

	if (rc <= 0)
		return rc;
	rc = sqlite_ask(sqlite, SQLITE_WRITE_LAST_RUN, op->put_job.job->id, 0, &last, err);
	if (rc < 0)
		return rc;
	if (last > state.last_run)
		state.last_run = (uint32_t)last;
	op->put_job.given = state.last_run;
	return store_sqlite_put_job(sqlite, op->put_job.job, &state, err);
}

static int sqlite_expect(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	int64_t revision;
	int rc = sqlite_ask(
	    sqlite, SQLITE_WRITE_REVISION, op->expect.id, 0, &revision, err);

	if (rc < 0 || revision == op->expect.revision)
		return rc;
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    revision ? "store '%s': job '%s' was changed by another meanwhile"
		     : "store '%s': job '%s' was removed by another meanwhile",
	    sqlite->base.name, op->expect.id);
}

/* A statement about one id that answers nothing. */
static int sqlite_tell(
    struct sqlite_store *sqlite, enum sqlite_write write, const char *id, struct schedd_error *err)
{
	sql_bind_text(sqlite->writes[write], 1, id);
	return sqlite_run(sqlite, write, err);
}

/* A job that comes back under that id goes on from there. */
static int sqlite_remember(
    struct sqlite_store *sqlite, const char *id, int64_t last_run, struct schedd_error *err)
{
	if (last_run == 0)
		return sqlite_tell(sqlite, SQLITE_WRITE_LEAVE, id, err);
	sqlite3_bind_int64(sqlite->writes[SQLITE_WRITE_REMEMBER], 2, last_run);
	return sqlite_tell(sqlite, SQLITE_WRITE_REMEMBER, id, err);
}

static int sqlite_delete_job(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	int rc = sqlite_tell(sqlite, SQLITE_WRITE_DELETE, op->delete_job.id, err);

	return rc ? rc : sqlite_remember(sqlite, op->delete_job.id, op->delete_job.last_run, err);
}

/* Most rows are written twice: what is known of the first time spares the second the search. True: that was it. */
static bool sqlite_put_run_again(struct sqlite_store *sqlite, int64_t key, int64_t row,
    const struct run *run, int *rc, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_RUN_AGAIN];

	store_sqlite_bind_run(stmt, key, run);
	sqlite3_bind_int64(stmt, 25, row);
	*rc = sqlite_run(sqlite, SQLITE_WRITE_RUN_AGAIN, err);
	return *rc < 0 || sqlite3_changes(sqlite->writer.db) == 1;
}

static int sqlite_put_run(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	const struct run *run = &op->run.run;
	struct sqlite_known_job *known;
	int64_t key, row;
	int rc = sqlite_know(sqlite, run->job, &key, &known, err);

	if (rc)
		return rc;
	if (known && known->row && known->number == run->number &&
	    sqlite_put_run_again(sqlite, key, known->row, run, &rc, err))
		return rc;
	/* An insert sets it, an update does not. */
	sqlite3_set_last_insert_rowid(sqlite->writer.db, 0);
	store_sqlite_bind_run(sqlite->writes[SQLITE_WRITE_RUN], key, run);
	rc = sqlite_run(sqlite, SQLITE_WRITE_RUN, err);
	row = sqlite3_last_insert_rowid(sqlite->writer.db);
	if (rc < 0 || row == 0)
		return rc;
	sqlite->run_change++;
	if (known) {
		known->number = run->number;
		known->row = row;
	}
	return 0;
}

static int sqlite_purge(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	enum sqlite_write write = !op->purge.job     ? SQLITE_WRITE_PURGE_ALL
				  : op->purge.number ? SQLITE_WRITE_PURGE_RUN
						     : SQLITE_WRITE_PURGE_JOB;
	int64_t changes;
	int rc;

	if (op->purge.job)
		sql_bind_text(sqlite->writes[write], 1, op->purge.job);
	if (write == SQLITE_WRITE_PURGE_RUN)
		sqlite3_bind_int64(sqlite->writes[write], 2, op->purge.number);
	if (write == SQLITE_WRITE_PURGE_JOB)
		sqlite3_bind_int64(sqlite->writes[write], 2,
		    op->purge.upto ? op->purge.upto : UINT32_MAX);
	if (write != SQLITE_WRITE_PURGE_RUN)
		sqlite3_bind_int64(
		    sqlite->writes[write], 3, op->purge.most ? (int64_t)op->purge.most : -1);
	rc = sqlite_run(sqlite, write, err);
	if (rc)
		return rc;
	changes = sqlite3_changes(sqlite->writer.db);
	sqlite->run_change -= changes;
	op->purge.left = op->purge.most && changes >= (int64_t)op->purge.most;
	return 0;
}

static int sqlite_tell_both(struct sqlite_store *sqlite, enum sqlite_write write,
    const struct store_op *op, struct schedd_error *err)
{
	sql_bind_text(sqlite->writes[write], 2, op->rename.to);
	return sqlite_tell(sqlite, write, op->rename.id, err);
}

/* The job keeps its key, and with it its runs; nothing of it may be mixed with another's. */
static int sqlite_rename(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	const char *id = op->rename.id, *to = op->rename.to;
	int64_t key, given, remembered, taken = 0;
	int rc = sqlite_key(sqlite, id, &key, err);

	if (rc == 0)
		rc = sqlite_ask(sqlite, SQLITE_WRITE_HAS_RUNS, to, 0, &taken, err);
	if (rc == 0 && taken)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store '%s': runs of a removed job '%s' are still kept, purge them first",
		    sqlite->base.name, to);
	if (rc == 0)
		rc = sqlite_ask(sqlite, SQLITE_WRITE_LAST_RUN, id, 0, &given, err);
	if (rc == 0)
		rc = sqlite_ask(sqlite, SQLITE_WRITE_REMEMBERED, to, 0, &remembered, err);
	if (rc == 0)
		rc = sqlite_tell_both(sqlite, SQLITE_WRITE_RENAME_CHANGES, op, err);
	if (rc == 0)
		rc = sqlite_tell(sqlite, SQLITE_WRITE_KEY_DELETE, to, err);
	if (rc == 0)
		rc = sqlite_tell_both(sqlite, SQLITE_WRITE_RENAME_KEY, op, err);
	if (rc == 0)
		rc = sqlite_tell_both(sqlite, SQLITE_WRITE_RENAME_JOB, op, err);
	if (rc == 0 && remembered)
		rc = sqlite_remember(sqlite, to, remembered, err);
	if (rc == 0 && given)
		rc = sqlite_remember(sqlite, id, given, err);
	store_sqlite_known_forget(&sqlite->known);
	return rc;
}

static int sqlite_put_number(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	sql_bind_text(sqlite->writes[SQLITE_WRITE_META], 1, op->number.key);
	sqlite3_bind_int64(sqlite->writes[SQLITE_WRITE_META], 2, op->number.number);
	return sqlite_run(sqlite, SQLITE_WRITE_META, err);
}

static int sqlite_put_text(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	enum sqlite_write write = op->text.text ? SQLITE_WRITE_META : SQLITE_WRITE_META_DELETE;

	sql_bind_text(sqlite->writes[write], 1, op->text.key);
	if (op->text.text)
		sql_bind_text(sqlite->writes[write], 2, op->text.text);
	return sqlite_run(sqlite, write, err);
}

static int sqlite_put_change(
    struct sqlite_store *sqlite, struct store_op *op, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_CHANGE];
	int64_t key = 0;
	int rc = op->change.job ? sqlite_key(sqlite, op->change.job, &key, err) : 0;

	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, op->change.when);
	sql_bind_int(stmt, 2, key, 0);
	sql_bind_text(stmt, 3, op->change.json);
	return sqlite_run(sqlite, SQLITE_WRITE_CHANGE, err);
}

static int (*const sqlite_verbs[STORE_OP_COUNT])(
    struct sqlite_store *, struct store_op *, struct schedd_error *) = {
    [STORE_OP_PUT_JOB] = sqlite_put_job,
    [STORE_OP_ADD_JOB] = sqlite_add_job,
    [STORE_OP_EXPECT] = sqlite_expect,
    [STORE_OP_CLAIM] = sqlite_claim,
    [STORE_OP_DELETE_JOB] = sqlite_delete_job,
    [STORE_OP_PUT_RUN] = sqlite_put_run,
    [STORE_OP_PURGE_RUNS] = sqlite_purge,
    [STORE_OP_RENAME] = sqlite_rename,
    [STORE_OP_PUT_NUMBER] = sqlite_put_number,
    [STORE_OP_PUT_TEXT] = sqlite_put_text,
    [STORE_OP_PUT_CHANGE] = sqlite_put_change,
};

/* ---- A transaction ---- */

/* The number of rows is kept in the same transaction, so that nobody ever has to count them. */
static int sqlite_count_runs(struct sqlite_store *sqlite, struct schedd_error *err)
{
	if (sqlite->run_change == 0)
		return 0;
	sqlite3_bind_int64(sqlite->writes[SQLITE_WRITE_COUNT_RUNS], 1, sqlite->run_change);
	return sqlite_run(sqlite, SQLITE_WRITE_COUNT_RUNS, err);
}

/* What is known holds as long as nobody else writes: people with sqlite3 do. */
static int sqlite_check_known(struct sqlite_store *sqlite, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_VERSION];
	int rc = sql_step(&sqlite->writer, stmt, err);

	if (rc > 0) {
		store_sqlite_known_heed(&sqlite->known, sqlite3_column_int64(stmt, 0));
		sqlite3_reset(stmt);
	}
	return rc < 0 ? rc : 0;
}

int store_sqlite_transact(struct sqlite_store *sqlite, store_sqlite_change_fn call, void *context,
    struct schedd_error *err)
{
	int rc = sqlite_run(sqlite, SQLITE_WRITE_BEGIN, err);

	if (rc < 0)
		return rc;
	sqlite->run_change = 0;
	rc = sqlite_check_known(sqlite, err);
	if (rc == 0)
		rc = call(sqlite, context, err);
	if (rc == 0)
		rc = sqlite_count_runs(sqlite, err);
	if (rc == 0)
		rc = sqlite_run(sqlite, SQLITE_WRITE_COMMIT, err);
	if (rc == 0)
		atomic_fetch_add_explicit(&sqlite->runs, sqlite->run_change, memory_order_relaxed);
	else
		sqlite->full = (sqlite3_errcode(sqlite->writer.db) & 0xff) == SQLITE_FULL;
	if (rc < 0)
		store_sqlite_known_forget(&sqlite->known);
	if (rc < 0 && !sqlite3_get_autocommit(sqlite->writer.db))
		(void)!sqlite_run(sqlite, SQLITE_WRITE_ROLLBACK, NULL);
	return rc;
}

int store_sqlite_relax(struct sqlite_store *sqlite, bool relaxed, struct schedd_error *err)
{
	int rc = 0;

	if (relaxed != sqlite->relaxed)
		rc = sql_exec(&sqlite->writer,
		    relaxed ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", err);
	if (rc == 0)
		sqlite->relaxed = relaxed;
	return rc;
}

/* Batches from first up to end. */
struct sqlite_chain {
	struct store_batch *first, *end;
};

static int sqlite_apply_batch(struct sqlite_store *sqlite, struct store_batch *batch, struct schedd_error *err)
{
	struct store_op *op = batch->first;
	uint32_t alone = batch->count < 2 * SQL_TEXT_MANY ? UINT32_MAX : 0; /* so many are done one by one */
	int rc = 0;

	while (op && rc == 0) {
		rc = alone ? 1 : store_sqlite_add_many(sqlite, &op, err);
		if (rc <= 0)
			continue;
		alone = alone ? alone - 1 : 2 * SQL_TEXT_MANY - 1;
		rc = store_op_void(op) ? 0 : sqlite_verbs[op->kind](sqlite, op, err);
		op = op->next;
	}
	return rc;
}

static int sqlite_apply_chain(struct sqlite_store *sqlite, void *context, struct schedd_error *err)
{
	const struct sqlite_chain *chain = context;
	int rc = 0;

	for (struct store_batch *batch = chain->first; batch != chain->end && rc == 0;
	     batch = batch->next) {
		rc = sqlite_apply_batch(sqlite, batch, err);
		if (!batch->next)
			store_worker_gather(sqlite->worker);
	}
	return rc;
}

/* Are all of them what the reserve is kept for? */
static bool sqlite_chain_ends(const struct store_batch *first, const struct store_batch *end)
{
	for (const struct store_batch *batch = first; batch != end; batch = batch->next)
		if (!batch->ends)
			return false;
	return true;
}

#define SQLITE_LOG_KEPT 16777216 /* bytes that SQLite leaves a log that begins anew; see store_sqlite.c */
#define SQLITE_HEADER 100 /* bytes that any database begins with */

/* Emptied in its place, and with it what stood in it alone: there is nothing to save. */
static int sqlite_log_is_gone(const struct sqlite_store *sqlite, const char *log, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "store '%s': %s was removed or replaced while it was in use, and what was not in the "
	    "database itself yet is gone: start schedd anew with what there is, or with a copy of "
	    "before (a backup)",
	    sqlite->base.name, log);
}

/*
 * Is what is open still what has the name? Otherwise it is written and forced
 * to disk, and no start will ever find it.
 */
static int sqlite_check_place(struct sqlite_store *sqlite, struct schedd_error *err)
{
	const char *what = NULL;
	char log[4096];
	struct stat st;
	int moved = 0;

	sqlite3_snprintf(sizeof(log), log, "%s-wal", sqlite->base.path);
	if (sqlite->log.emptied)
		sqlite->log_size = 0; /* by us */
	sqlite->log.emptied = false;
	if (sqlite3_file_control(sqlite->writer.db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
		SQLITE_OK &&
	    moved)
		what = sqlite->base.path;
	else if (stat(sqlite->base.path, &st) == 0 && st.st_size < SQLITE_HEADER)
		what = sqlite->base.path; /* it was emptied */
	else if (stat(log, &st) < 0)
		what = sqlite->log_inode ? log : NULL;
	else if (!sqlite->log_inode)
		sqlite->log_inode = st.st_ino;
	else if (st.st_ino != sqlite->log_inode)
		what = log;
	else if (st.st_size < sqlite->log_size && st.st_size < SQLITE_LOG_KEPT)
		return sqlite_log_is_gone(sqlite, log, err);
	else
		sqlite->log_size = st.st_size;
	return what ? sql_error_replaced(&sqlite->writer, what, err) : 0;
}

int store_sqlite_commit_chain(struct store *store, struct store_batch *first,
    struct store_batch *end, struct schedd_error *err)
{
	struct sqlite_store *sqlite = store_sqlite_of(store);
	struct sqlite_chain chain = {first, end};
	bool ends = sqlite_chain_ends(first, end);
	int rc = sqlite_check_place(sqlite, err);

	if (rc == 0)
		rc = store_sqlite_relax(sqlite, false, err);
	if (rc < 0)
		return rc;
	if (sqlite->reserve.used && !ends && !store_sqlite_reserve_take(&sqlite->reserve))
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store '%s': database or disk is full, what is left is for ends of runs",
		    store->name);
	rc = store_sqlite_transact(sqlite, sqlite_apply_chain, &chain, err);
	if (rc < 0 && sqlite->full && ends && store_sqlite_reserve_release(&sqlite->reserve))
		rc = store_sqlite_transact(sqlite, sqlite_apply_chain, &chain, err);
	atomic_store_explicit(&store->on_reserve,
	    ends ? rc == 0 && sqlite->reserve.used
		 : rc < 0 && sqlite->full && sqlite->reserve.held,
	    memory_order_relaxed);
	/* It may have gone meanwhile, and with it what was just stored. */
	return rc == 0 ? sqlite_check_place(sqlite, err) : rc;
}
