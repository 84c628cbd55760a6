/* SPDX-License-Identifier: MIT */
/* A disk that is full or fails: the batch is refused, the store goes on. */
#include <schedd/error.h>
#include "support/faulty_vfs.h"
#include "support/sql_case.h"
#include "support/store_case.h"

static void fault_init(struct store_case *sc)
{
	faulty_install();
	store_case_init(sc, "sqlite");
}

static int put_number(struct store_case *sc, const char *key, int64_t number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, key, number);
	return store_case_commit(sc, batch);
}

Test(store_fault, forces_every_commit_to_disk_before_it_is_answered)
{
	struct store_case sc;

	fault_init(&sc);
	for (int i = 0; i < 10; i++) {
		int before = atomic_load(&faulty.syncs);

		cr_assert_eq(put_number(&sc, "n", i), 0);
		cr_assert_gt(atomic_load(&faulty.syncs), before);
	}
	store_case_clear(&sc);
}

Test(store_fault, refuses_batches_on_a_full_disk_and_goes_on_after)
{
	struct store_case sc;
	struct store_batch *batch;

	fault_init(&sc);
	cr_assert_eq(put_number(&sc, "n", 1), 0);
	atomic_store(&faulty.write, SQLITE_FULL);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(put_number(&sc, "n", 2), SCHEDD_EFAILED);
		cr_assert_str_eq(sc.err.message, "store 'default': database or disk is full");
	}
	batch = store_batch_new(sc.store);
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), SCHEDD_EFAILED);
	sc.value = store_status(sc.store, &sc.arena);
	cr_assert_eq(value_get_int(&sc.value, "errors", -1), 4);
	cr_assert_eq(value_get_int(&sc.value, "runs", -1), 0);
	cr_assert_str_eq(
	    value_get_string(&sc.value, "last_error"), "store 'default': database or disk is full");
	cr_assert_eq(store_case_number(&sc, "n", -1), 1);
	atomic_store(&faulty.write, 0);
	cr_assert_eq(put_number(&sc, "n", 3), 0);
	store_case_reopen(&sc);
	cr_assert_eq(store_case_number(&sc, "n", -1), 3);
	cr_assert_str_eq(store_case_runs(&sc, NULL), "");
	store_case_clear(&sc);
}

Test(store_fault, refuses_batches_that_cannot_be_forced_to_disk)
{
	struct store_case sc;

	fault_init(&sc);
	cr_assert_eq(put_number(&sc, "n", 1), 0);
	atomic_store(&faulty.sync, SQLITE_IOERR_FSYNC);
	cr_assert_eq(put_number(&sc, "n", 2), SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message, "disk I/O error"), "%s", sc.err.message);
	atomic_store(&faulty.sync, 0);
	cr_assert_eq(store_case_number(&sc, "n", -1), 1);
	cr_assert_eq(put_number(&sc, "m", 5), 0);
	store_case_reopen(&sc);
	cr_assert_eq(store_case_number(&sc, "n", -1), 1);
	cr_assert_eq(store_case_number(&sc, "m", -1), 5);
	store_case_clear(&sc);
}

Test(store_fault, answers_every_batch_of_a_group_that_fails)
{
	struct store_case sc;

	fault_init(&sc);
	atomic_store(&faulty.write, SQLITE_IOERR_WRITE);
	for (int i = 0; i < 100; i++) {
		struct store_batch *batch = store_batch_new(sc.store);

		store_batch_put_number(batch, "n", i);
		store_commit(sc.store, batch, store_case_done, &sc);
	}
	store_case_flush(&sc);
	cr_assert_eq(sc.answers, 100);
	atomic_store(&faulty.write, 0);
	sc.value = store_status(sc.store, &sc.arena);
	cr_assert_eq(value_get_int(&sc.value, "errors", -1), 100);
	cr_assert_eq(store_case_number(&sc, "n", -1), -1);
	store_case_clear(&sc);
}

Test(store_fault, fails_a_backup_without_leaving_anything)
{
	struct store_case sc;
	char path[128];

	fault_init(&sc);
	cr_assert_eq(put_number(&sc, "n", 1), 0);
	snprintf(path, sizeof(path), "%s/copy.db", sc.directory);
	atomic_store(&faulty.write, SQLITE_FULL);
	store_backup(sc.store, path, store_case_done, &sc);
	store_case_flush(&sc);
	atomic_store(&faulty.write, 0);
	cr_assert_eq(sc.rc, SCHEDD_EFAILED);
	cr_assert(strstr(sc.err.message, "disk is full"), "%s", sc.err.message);
	cr_assert_eq(access(path, F_OK), -1);
	cr_assert_eq(put_number(&sc, "n", 2), 0);
	store_case_clear(&sc);
}

Test(store_fault, retains_nothing_on_a_full_disk_and_says_so)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_case sc;

	fault_init(&sc);
	store_case_put_two(&sc, 10);
	retention.keep_runs = 1;
	atomic_store(&faulty.write, SQLITE_FULL);
	cr_assert_eq(store_case_retain(&sc, NULL, retention, 100), SCHEDD_EFAILED);
	atomic_store(&faulty.write, 0);
	cr_assert_eq(store_case_retain(&sc, NULL, retention, 100), 18);
	cr_assert_str_eq(store_case_runs(&sc, NULL), "b/10 a/10");
	store_case_clear(&sc);
}

/* Pages that are written tell of work that would hold up the claims behind it. */
Test(store_fault, renames_a_job_without_writing_its_runs_anew)
{
	struct store_case sc;
	struct store_batch *batch;
	int before;

	fault_init(&sc);
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	for (uint32_t i = 1; i <= 10000; i++)
		store_case_put_run(batch, "a", i, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_assert_eq(put_number(&sc, "n", 1), 0); /* the log was copied */
	before = atomic_load(&faulty.writes);
	batch = store_batch_new(sc.store);
	store_batch_rename(batch, "a", "b");
	cr_assert_eq(store_case_commit(&sc, batch), 0, "%s", sc.err.message);
	cr_expect_lt(atomic_load(&faulty.writes) - before, 100);
	cr_expect_str_eq(sql_case_text(sc.path, "SELECT count(*) FROM run_list WHERE run LIKE 'b/%'"),
	    "10000");
	cr_expect_eq(store_case_last_run(&sc, "a"), 10000u);
	store_case_clear(&sc);
}
