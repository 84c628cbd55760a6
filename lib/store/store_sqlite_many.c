/* SPDX-License-Identifier: MIT */
/*
 * Many new jobs one behind the other, as a file has them: some go into each table by
 * one statement, since to begin and to end one costs as much as to write a row or two.
 */
#include "store/sql_text.h"
#include "store/store_sqlite.h"

/* All that begin there; false: something else comes before they are as many. */
static bool many_take(const struct sqlite_store *sqlite, struct store_op *op, struct store_op *ops[SQL_TEXT_MANY])
{
	for (int i = 0; i < SQL_TEXT_MANY; i++) {
		if (!op || op->kind != STORE_OP_ADD_JOB || store_op_void(op) || !store_sqlite_is_told_of(op) ||
		    store_op_void(op->next) ||
		    !store_sqlite_is_common(sqlite, op->put_job.job, &op->put_job.state))
			return false;
		ops[i] = op;
		op = op->next->next;
	}
	return true;
}

/* Their ids are new here: *key is the first one's, the others have those behind it. 1: some are not. */
static int many_keys(
    struct sqlite_store *sqlite, struct store_op *const ops[], int64_t *key, struct schedd_error *err)
{
	sqlite3_stmt *ask = sqlite->writes[SQLITE_WRITE_KEY];
	int64_t first;
	int rc;

	for (int i = 0; i < SQL_TEXT_MANY; i++)
		sql_bind_text(sqlite->writes[SQLITE_WRITE_KEY_MANY], 1 + i, ops[i]->put_job.job->id);
	rc = sql_run(&sqlite->writer, sqlite->writes[SQLITE_WRITE_KEY_MANY], err);
	if (rc < 0 || sqlite3_changes(sqlite->writer.db) != SQL_TEXT_MANY)
		return rc < 0 ? rc : 1;
	*key = sqlite3_last_insert_rowid(sqlite->writer.db) - (SQL_TEXT_MANY - 1);
	/* They are given one behind the other, unless somebody has used up the highest there is. */
	sql_bind_text(ask, 1, ops[0]->put_job.job->id);
	rc = sql_step(&sqlite->writer, ask, err);
	first = rc > 0 ? sqlite3_column_int64(ask, 0) : 0;
	if (rc > 0)
		sqlite3_reset(ask);
	return rc < 0 ? rc : first != *key;
}

static int many_changes(
    struct sqlite_store *sqlite, struct store_op *const ops[], int64_t key, struct schedd_error *err)
{
	sqlite3_stmt *stmt = sqlite->writes[SQLITE_WRITE_CHANGE_MANY];

	for (int i = 0; i < SQL_TEXT_MANY; i++) {
		const struct store_op *change = ops[i]->next;

		(void)store_sqlite_known_add(&sqlite->known, change->change.job, key + i);
		sqlite3_bind_int64(stmt, 1 + i * 3, change->change.when);
		sqlite3_bind_int64(stmt, 2 + i * 3, key + i);
		sql_bind_text(stmt, 3 + i * 3, change->change.json);
	}
	return sql_run(&sqlite->writer, stmt, err);
}

int store_sqlite_add_many(struct sqlite_store *sqlite, struct store_op **op, struct schedd_error *err)
{
	struct store_op *ops[SQL_TEXT_MANY];
	int64_t key;
	int rc = many_take(sqlite, *op, ops) ? 0 : 1;

	/* What of it is written when one of them turns out to be no new one is written again. */
	if (rc == 0)
		rc = many_keys(sqlite, ops, &key, err);
	if (rc == 0)
		rc = store_sqlite_new_many(sqlite, ops, err);
	if (rc == 0)
		rc = many_changes(sqlite, ops, key, err);
	if (rc)
		return rc;
	for (int i = 0; i < SQL_TEXT_MANY; i++)
		ops[i]->put_job.given = ops[i]->put_job.state.last_run;
	*op = ops[SQL_TEXT_MANY - 1]->next->next;
	return 0;
}
