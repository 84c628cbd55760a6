/* SPDX-License-Identifier: MIT */
/* Which jobs have more than most have is read from an index beside them. */
#include "store/sql_text.h"
#include "support/sql_case.h"
#include "support/store_case.h"

#define LOAD_JOBS 300

/* "job-0" …, each third of them with something that most have not. */
static void load_init(struct store_case *sc)
{
	struct store_batch *batch;

	store_case_init(sc, "sqlite");
	batch = store_batch_new(sc->store);
	for (int i = 0; i < LOAD_JOBS; i++) {
		char json[96];

		snprintf(json, sizeof(json),
		    i % 3 ? "{\"id\":\"job-%d\",\"shell\":\"true\"}"
			  : "{\"id\":\"job-%d\",\"shell\":\"true\",\"nice\":7,\"env\":{\"A\":\"b\"}}",
		    i);
		store_case_put_job(sc, batch, json);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0);
}

static void load_reopen(struct store_case *sc, const char *meanwhile)
{
	store_close(sc->store);
	sc->store = NULL;
	sql_case_exec(sc->path, meanwhile);
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
}

/* How many of the loaded have it, and no others. */
static int load_uncommon(const struct store_case *sc)
{
	int count = 0;

	for (size_t i = 0; i < sc->record_count; i++) {
		const struct schedd_job *job = sc->records[i].job;
		bool wanted = strncmp(job->id, "job-", 4) == 0 && atoi(job->id + 4) % 3 == 0;

		cr_expect_eq(job_details(job)->nice == 7, wanted, "%s", job->id);
		cr_expect_eq(job_details(job)->env.count == 1, wanted, "%s", job->id);
		count += wanted;
	}
	return count;
}

Test(store_sqlite_load, reads_all_of_the_jobs_that_have_more_than_most)
{
	struct store_case sc;

	load_init(&sc);
	load_reopen(&sc, "");
	cr_assert_eq(store_case_load(&sc), (size_t)LOAD_JOBS);
	cr_expect_eq(load_uncommon(&sc), LOAD_JOBS / 3);
	store_case_clear(&sc);
}

Test(store_sqlite_load, sees_what_was_changed_by_hand)
{
	struct store_case sc;

	load_init(&sc);
	load_reopen(&sc,
	    "UPDATE jobs SET nice = NULL, env = NULL; UPDATE jobs SET nice = 7, env = '{\"A\":\"b\"}' "
	    "WHERE CAST(substr(id, 5) AS INTEGER) % 3 = 0; DELETE FROM jobs WHERE id = 'job-0';"
	    "INSERT INTO jobs (id, shell, nice) VALUES (x'6a6f622d31', 'true', 5), (x'', 'true', 5), ('', 'true', 5)");
	cr_assert_eq(store_case_load(&sc), (size_t)LOAD_JOBS + 2);
	cr_expect_eq(load_uncommon(&sc), LOAD_JOBS / 3 - 1);
	store_case_clear(&sc);
}

/* The table is right. */
Test(store_sqlite_load, brings_no_job_back_that_the_index_alone_has)
{
	/* Each on a connection of its own: one that knows the index keeps it in step. */
	static const char *const damage[] = {
	    "CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'jobs_uncommon'",
	    "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'jobs_uncommon'",
	    "DELETE FROM jobs WHERE id = 'job-33'",
	    "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept"};
	struct store_case sc;

	load_init(&sc);
	store_close(sc.store);
	sc.store = NULL;
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++)
		sql_case_exec(sc.path, damage[i]);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	cr_assert_eq(store_case_load(&sc), LOAD_JOBS - 1u);
	cr_expect_eq(load_uncommon(&sc), LOAD_JOBS / 3 - 1);
	store_case_clear(&sc);
}

/* Both come in the order of ids by themselves. */
Test(store_sqlite_load, sorts_nothing)
{
	static void (*const writers[])(struct strbuf *) = {sql_text_jobs_common, sql_text_jobs_uncommon};
	static const char *const plans[] = {"SCAN jobs", "SCAN jobs USING INDEX jobs_uncommon"};
	struct store_case sc;

	load_init(&sc);
	for (int i = 0; i < 2; i++) {
		struct strbuf text = STRBUF_EMPTY;
		sqlite3_stmt *stmt;
		sqlite3 *db;

		strbuf_add(&text, "EXPLAIN QUERY PLAN ");
		writers[i](&text);
		cr_assert_eq(sqlite3_open(sc.path, &db), SQLITE_OK);
		cr_assert_eq(sqlite3_prepare_v2(db, strbuf_peek(&text), -1, &stmt, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
		cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
		cr_expect_str_eq((const char *)sqlite3_column_text(stmt, 3), plans[i]);
		cr_expect_eq(sqlite3_step(stmt), SQLITE_DONE);
		sqlite3_finalize(stmt);
		sqlite3_close(db);
		strbuf_clear(&text);
	}
	store_case_clear(&sc);
}
