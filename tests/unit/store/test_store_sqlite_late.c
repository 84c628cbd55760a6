/* SPDX-License-Identifier: MIT */
/* Batches that nobody waits for: they go together, and whoever looks finds them. */
#include "support/store_case.h"

static void put_late(struct store_case *sc, int number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, "late", number);
	store_batch_late(batch);
	store_commit(sc->store, batch, store_case_done, sc);
}

static int64_t transactions(struct store_case *sc)
{
	const struct value status = store_status(sc->store, &sc->arena);

	return value_get_int(&status, "transactions", -1);
}

/* How many transactions twenty batches take that may be late. */
static int64_t put_twenty_late(struct store_case *sc)
{
	int64_t before;

	cr_assert_eq(store_case_commit(sc, store_batch_new(sc->store)), 0);
	before = transactions(sc);
	for (int i = 0; i < 20; i++)
		put_late(sc, i);
	sc->answers = 0;
	/* Nobody hurries it. */
	while (sc->answers < 20)
		cr_assert_geq(mailbox_wait_for(sc->config.mailbox, STORE_CASE_LIMIT), 1);
	cr_expect_eq(sc->rc, 0, "%s", sc->err.message);
	return transactions(sc) - before;
}

Test(store_sqlite_late, gathers_what_may_be_late)
{
	struct store_case sc;
	int64_t taken;
	int rounds = 0;

	store_case_init(&sc, "sqlite");
	/* A busy machine may have taken its time between two of them. */
	do
		taken = put_twenty_late(&sc);
	while (taken > 1 && rounds++ < 200);
	cr_expect_eq(taken, 1);
	store_case_clear(&sc);
}

/* Who asks finds it, and so does who takes the store up after it was closed. */
Test(store_sqlite_late, shows_what_may_be_late)
{
	struct store_case sc;

	store_case_init(&sc, "sqlite");
	for (int i = 0; i < 20; i++) {
		struct store_batch *batch = store_batch_new(sc.store);

		store_batch_put_change(batch, STORE_CASE_NOW + i, "a", "{}");
		store_batch_late(batch);
		store_commit(sc.store, batch, NULL, NULL);
		store_query_changes(sc.store, "a", SCHEDD_TIME_NONE, 100, store_case_take_value, &sc);
		store_case_flush(&sc);
		cr_expect_eq(sc.value.type, VALUE_ARRAY);
		cr_expect_eq(sc.value.array.count, (uint32_t)i + 1);
	}
	put_late(&sc, 7);
	store_close(sc.store);
	cr_assert_eq(store_case_open(&sc), 0, "%s", sc.err.message);
	(void)store_case_load(&sc);
	cr_expect_eq(store_snapshot_number(sc.snapshot, "late", 0), 7);
	store_case_clear(&sc);
}
