/* SPDX-License-Identifier: MIT */
/* What store_retain() promises, held against every type of store. */
#include "support/store_case.h"

STORE_TEST(keeps_so_many_runs_of_a_job)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;

	store_case_put_two(sc, 5);
	retention.keep_runs = 2;
	cr_assert_eq(store_case_retain(sc, "a", retention, 2), 2);
	cr_assert_str_eq(store_case_runs(sc, "a"), "a/5 a/4 a/3");
	cr_assert_eq(store_case_retain(sc, "a", retention, 100), 1);
	cr_assert_str_eq(store_case_runs(sc, "a"), "a/5 a/4");
	cr_assert_eq(store_case_retain(sc, "a", retention, 100), 0);
	cr_assert_str_eq(store_case_runs(sc, "b"), "b/5 b/4 b/3 b/2 b/1");
}

STORE_TEST(keeps_so_many_runs_of_every_job_but_some)
{
	const char *const except[] = {"b", NULL};
	struct store_retention retention = STORE_CASE_KEEP_ALL;

	store_case_put_two(sc, 4);
	retention.keep_runs = 1;
	retention.except = except;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 3);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/4 a/4 b/3 b/2 b/1");
	retention.except = NULL;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 3);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/4 a/4");
	retention.keep_runs = 0;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 2);
	cr_assert_str_eq(store_case_runs(sc, NULL), "");
}

/* More than is passed over at once on the way to the first that is too many. */
STORE_TEST(keeps_thousands_of_runs_of_a_job)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_batch *batch = store_batch_new(sc->store);

	for (uint32_t i = 1; i <= 9100; i++)
		store_case_put_run(batch, i <= 100 ? "b" : "a", i, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	retention.keep_runs = 8999;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 10000), 1);
	retention.keep_runs = 4097;
	cr_assert_eq(store_case_retain(sc, "a", retention, 10000), 8999 - 4097);
	retention.keep_runs = 4096;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 10000), 1);
	retention.keep_runs = 1;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 10000), 4095 + 99);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/9100 b/100");
}

STORE_TEST(forgets_what_is_old_but_never_what_goes_on)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
	store_batch_put_change(batch, STORE_CASE_NOW, "a", "{}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_put_two(sc, 4);
	batch = store_batch_new(sc->store);
	store_batch_purge_runs(batch, "a", 1);
	store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	retention.keep_for = SCHEDD_HOUR;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 0);
	sc->now = STORE_CASE_NOW + SCHEDD_HOUR + 3 * SCHEDD_MINUTE + 30 * SCHEDD_SECOND;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 5);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/1 b/4 a/4");
	sc->now = STORE_CASE_NOW + SCHEDD_DAY;
	cr_assert_eq(store_case_retain(sc, "b", retention, 100), 1);
	retention.keep_runs = 0;
	cr_assert_eq(store_case_retain(sc, "a", retention, 100), 1);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/1");
	store_query_changes(sc->store, NULL, SCHEDD_TIME_NONE, 10, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_str_eq(store_case_json(sc), "[]");
}

STORE_TEST(keeps_so_many_runs_in_all)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;

	store_case_put_two(sc, 300);
	retention.max_runs = 7;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 100);
	cr_assert_eq(store_case_retain(sc, NULL, retention, 10000), 493);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/300 a/300 b/299 a/299 b/298 a/298 b/297");
	store_case_reopen(sc);
	store_case_expect_count(sc, 7);
}

STORE_TEST(keeps_so_many_changes)
{
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_batch *batch = store_batch_new(sc->store);

	for (int i = 0; i < 500; i++)
		store_batch_put_change(batch, i, "a", "{}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	retention.max_changes = 3;
	cr_assert_eq(store_case_retain(sc, NULL, retention, 100), 0);
	store_query_changes(sc->store, NULL, SCHEDD_TIME_NONE, 1000, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_str_eq(store_case_json(sc), "[{\"time\":499,\"job\":\"a\"},{\"time\":498,\"job\":"
					      "\"a\"},{\"time\":497,\"job\":\"a\"}]");
}
