/* SPDX-License-Identifier: MIT */
/* What the writer remembers of jobs is never taken for what stands in the file. */
#include "support/sql_case.h"
#include "support/store_case.h"

static void known_commit(struct store_case *sc, const char *id, uint32_t number, enum run_state state)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_run(batch, id, number, state, run_ended(state) ? 5 : 0);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

static const char known_rows[] =
    "SELECT coalesce(group_concat(ids.id || '/' || number || ' ' || state), '') FROM "
    "(SELECT * FROM runs ORDER BY id) AS runs JOIN ids ON ids.key = runs.job";

Test(store_sqlite_known, writes_a_run_again_in_its_place)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	known_commit(&sc, "a", 1, RUN_RUNNING);
	known_commit(&sc, "b", 1, RUN_RUNNING);
	known_commit(&sc, "a", 2, RUN_RUNNING);
	known_commit(&sc, "a", 1, RUN_SUCCESS);
	known_commit(&sc, "a", 2, RUN_FAILED);
	known_commit(&sc, "b", 1, RUN_SUCCESS);
	cr_expect_str_eq(sql_case_text(sc.path, known_rows), "a/1 success,b/1 success,a/2 failed");
	sc.value = store_status(sc.store, &sc.arena);
	cr_expect_eq(value_get_int(&sc.value, "runs", -1), 3);
	store_case_clear(&sc);
}

/* Its id may be another run's by then. */
Test(store_sqlite_known, writes_a_run_anew_whose_row_is_gone)
{
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	known_commit(&sc, "a", 1, RUN_RUNNING);
	batch = store_batch_new(sc.store);
	store_batch_purge_runs(batch, "a", 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	known_commit(&sc, "b", 1, RUN_RUNNING);
	known_commit(&sc, "a", 1, RUN_SUCCESS);
	cr_expect_str_eq(sql_case_text(sc.path, known_rows), "b/1 running,a/1 success");
	store_case_clear(&sc);
}

Test(store_sqlite_known, forgets_what_a_failed_batch_made)
{
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	known_commit(&sc, "before", 1, RUN_RUNNING);
	batch = store_batch_new(sc.store);
	store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
	store_batch_expect(batch, "nobody", 7);
	cr_assert_lt(store_case_commit(&sc, batch), 0);
	known_commit(&sc, "b", 1, RUN_RUNNING); /* takes the key that was given back, and the row */
	known_commit(&sc, "a", 1, RUN_SUCCESS);
	cr_expect_str_eq(sql_case_text(sc.path, known_rows), "before/1 running,b/1 running,a/1 success");
	store_case_clear(&sc);
}

Test(store_sqlite_known, heeds_what_others_write)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	known_commit(&sc, "a", 1, RUN_RUNNING);
	sql_case_exec(sc.path, "UPDATE ids SET id = 'moved' WHERE id = 'a'");
	known_commit(&sc, "a", 2, RUN_RUNNING);
	cr_expect_str_eq(sql_case_text(sc.path, known_rows), "moved/1 running,a/2 running");
	store_case_clear(&sc);
}

Test(store_sqlite_known, follows_a_rename)
{
	struct store_case sc;
	struct store_batch *batch;

	store_case_init(&sc, "sqlite");
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	batch = store_batch_new(sc.store);
	store_batch_rename(batch, "a", "b");
	cr_assert_eq(store_case_commit(&sc, batch), 0, "%s", sc.err.message);
	known_commit(&sc, "b", 1, RUN_SUCCESS);
	known_commit(&sc, "a", 1, RUN_RUNNING);
	cr_expect_str_eq(sql_case_text(sc.path, known_rows), "b/1 success,a/1 running");
	store_case_clear(&sc);
}

/* More jobs than are remembered, and ids that are too long for it. */
Test(store_sqlite_known, lets_jobs_drive_out_each_other)
{
	static const enum run_state states[] = {RUN_RUNNING, RUN_SUCCESS};
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	for (int step = 0; step < 2; step++) {
		struct store_batch *batch = store_batch_new(sc.store);

		for (int i = 0; i < 12000; i++) {
			char id[64];

			snprintf(id, sizeof(id), i % 10 ? "job-%d" : "job-%052d", i);
			store_case_put_run(batch, id, 1, states[step], step ? 5 : 0);
		}
		cr_assert_eq(store_case_commit(&sc, batch), 0);
	}
	cr_expect_str_eq(sql_case_text(sc.path,
			     "SELECT count(*) || ' ' || count(DISTINCT job) || ' ' || "
			     "count(CASE WHEN state = 'success' THEN 1 END) FROM runs"),
	    "12000 12000 12000");
	store_case_clear(&sc);
}
