/* SPDX-License-Identifier: MIT */
/* Row by row behind step 3; begun and not finished is told by the old tables that are there. */
#include "store/sql_rekey.h"

#include "base/strbuf.h"
#include "store/sql_text.h"

#define REKEY_ROWS "4096" /* moved in one transaction: a log of about a megabyte */

#define REKEY_VALUES                                                                               \
	"number, state, \"trigger\", attempt, scheduled_at, started_at, ended_at, done_at, until, " \
	"count, coalesced, exit_code, signal, reason, max_rss, cpu_us, output_bytes, "             \
	"output_dropped, pid, pid_start, attempts, actor, result"

/* How the rows of one table are moved. ?1: the last of them. */
struct rekey_table {
	const char *left; /* the last of the next piece; no row: none is left */
	const char *ids;
	const char *copy;
	const char *drop;
};

static const struct rekey_table rekey_tables[] = {
    {"SELECT max(id) FROM (SELECT id FROM old_runs ORDER BY id LIMIT " REKEY_ROWS
     ") HAVING count(*) > 0",
	"INSERT OR IGNORE INTO ids (id) SELECT DISTINCT job FROM old_runs WHERE id <= ?1",
	"INSERT INTO runs (id, job, " REKEY_VALUES ") SELECT id, (SELECT key FROM ids WHERE ids.id "
	"= old_runs.job), " REKEY_VALUES " FROM old_runs WHERE id <= ?1",
	"DELETE FROM old_runs WHERE id <= ?1"},
    {"SELECT max(id) FROM (SELECT id FROM old_changes ORDER BY id LIMIT " REKEY_ROWS
     ") HAVING count(*) > 0",
	"INSERT OR IGNORE INTO ids (id) SELECT DISTINCT job FROM old_changes WHERE id <= ?1",
	"INSERT INTO changes (id, time, job, change) SELECT id, time, (SELECT key FROM ids WHERE "
	"ids.id = old_changes.job), change FROM old_changes WHERE id <= ?1",
	"DELETE FROM old_changes WHERE id <= ?1"},
};

static int rekey_rows(
    const struct sql *sql, const char *text, int64_t last, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(sql, text, &stmt, err);

	if (rc)
		return rc;
	sqlite3_bind_int64(stmt, 1, last);
	rc = sql_run(sql, stmt, err);
	sqlite3_finalize(stmt);
	return rc;
}

/* 1: rows were moved; 0: none are left. */
static int rekey_piece(
    const struct sql *sql, const struct rekey_table *table, struct schedd_error *err)
{
	sqlite3_stmt *stmt;
	int64_t last = 0;
	int rc = sql_prepare(sql, table->left, &stmt, err);

	if (rc)
		return rc;
	rc = sql_step(sql, stmt, err);
	if (rc > 0)
		last = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc <= 0)
		return rc;
	rc = sql_exec(sql, "BEGIN IMMEDIATE", err);
	if (rc == 0)
		rc = rekey_rows(sql, table->ids, last, err);
	if (rc == 0)
		rc = rekey_rows(sql, table->copy, last, err);
	if (rc == 0)
		rc = rekey_rows(sql, table->drop, last, err);
	if (rc == 0)
		rc = sql_exec(sql, "COMMIT", err);
	if (rc && !sqlite3_get_autocommit(sql->db))
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
	return rc ? rc : 1;
}

/* Ids without a job are of use only as long as something refers to them, or a number has to be
 * remembered. */
static const char rekey_end[] =
    "BEGIN IMMEDIATE;\n"
    "UPDATE ids SET last_run = 0 WHERE last_run IS NULL AND NOT EXISTS\n"
    "  (SELECT 1 FROM jobs WHERE jobs.id = ids.id);\n"
    "DROP TABLE old_runs; DROP TABLE old_changes;\n"
    "COMMIT";

int sql_rekey_run(const struct sql *sql, struct schedd_error *err)
{
	int64_t begun;
	int rc = sql_number(
	    sql, "SELECT count(*) FROM sqlite_schema WHERE name = 'old_runs'", &begun, err);

	if (rc || !begun)
		return rc;
	/* A piece that a crash of the machine takes back is moved again. */
	rc = sql_exec(sql, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32000", err);
	for (size_t i = 0; rc == 0 && i < sizeof(rekey_tables) / sizeof(rekey_tables[0]); i++)
		do
			rc = rekey_piece(sql, &rekey_tables[i], err);
		while (rc > 0);
	for (const char *const *index = sql_text_indexes(); rc == 0 && *index; index++)
		rc = sql_exec(sql, *index, err);
	if (rc == 0)
		rc = sql_exec(sql, "PRAGMA synchronous = FULL; PRAGMA cache_size = -2000", err);
	if (rc == 0)
		rc = sql_exec(sql, rekey_end, err);
	if (rc && !sqlite3_get_autocommit(sql->db))
		sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
