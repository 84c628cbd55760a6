/* SPDX-License-Identifier: MIT */
/* Leaving a store: nobody waits, what was asked is answered, and it is closed at once when it says so. */
#include "store/store_batch.h"
#include "support/store_case.h"

static void left_note(void *context)
{
	++*(int *)context;
}

static void put_number(struct store_case *sc, int64_t number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, "n", number);
	store_commit(sc->store, batch, store_case_done, sc);
}

static void await_left(struct store_case *sc, const int *left)
{
	for (int i = 0; i < 600 && !*left; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(*left, 1, "it did not leave");
}

static void take_runs(int rc, const struct schedd_error *err, const struct run *runs, size_t count,
    const char *cursor, void *context)
{
	(void)runs;
	(void)cursor;
	cr_expect_eq(rc, 0, "%s", err ? err->message : "");
	*(size_t *)context += count;
}

/* Closed, and opened again. */
static void close_and_look(struct store_case *sc, int64_t number)
{
	bool durable = store_durable(sc->store);

	store_close(sc->store);
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
	cr_expect_eq(store_case_number(sc, "n", 0), durable ? number : 0);
}

STORE_TEST(leaves_when_all_was_answered)
{
	const struct store_run_query query = {
	    .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = 10};
	struct store_batch *batch;
	size_t runs = 0;
	int left = 0;

	store_case_load(sc);
	batch = store_batch_new(sc->store);
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	sc->answers = 0;
	for (int i = 1; i <= 20; i++)
		put_number(sc, i);
	store_query_runs(sc->store, &query, take_runs, &runs);
	store_leave(sc->store, left_note, &left);
	cr_expect_eq(left, 0);
	await_left(sc, &left);
	cr_expect_eq(sc->answers, 20);
	cr_expect_eq(sc->rc, 0, "%s", sc->err.message);
	cr_expect_eq(runs, 1u);
	/* Nothing is taken any more. */
	put_number(sc, 21);
	while (sc->answers < 21)
		cr_assert_gt(mailbox_wait_for(sc->config.mailbox, STORE_CASE_LIMIT), 0);
	cr_expect_eq(sc->rc, SCHEDD_EFAILED);
	cr_expect(strstr(sc->err.message, "being closed"), "%s", sc->err.message);
	close_and_look(sc, 20);
}

STORE_TEST(is_closed_while_it_leaves)
{
	int left = 0;

	put_number(sc, 7);
	store_leave(sc->store, left_note, &left);
	close_and_look(sc, 7);
	for (int i = 0; i < 3; i++)
		mailbox_deliver(sc->config.mailbox);
	cr_expect_eq(left, 0);
	cr_expect_eq(sc->answers, 1);
}

/* The longest that one turn of the loop took, in microseconds. */
static int64_t turn_until(struct store_case *sc, const int *left)
{
	int64_t longest = 0;

	while (!*left) {
		int64_t begin, took;

		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 50);
		begin = schedd_clock_system()->mono(NULL).us;
		mailbox_deliver(sc->config.mailbox);
		took = schedd_clock_system()->mono(NULL).us - begin;
		longest = took > longest ? took : longest;
	}
	return longest;
}

static void silent_init(struct store_case *sc, const char *type)
{
	static const struct store_option options[] = {
	    {"timeout", "1s"}, {"connect_timeout", "1s"}, {"run_as", "root"}, {NULL, NULL}};
	static const struct store_option plain[] = {
	    {"timeout", "1s"}, {"connect_timeout", "1s"}, {NULL, NULL}};

	store_case_prepare(sc, type);
	sc->config.options = geteuid() == 0 ? options : plain;
	cr_assert_eq(store_case_open(sc), 0, "%s", sc->err.message);
}

/* Its server keeps silent while a batch is with it: the calls return at once, its time passes elsewhere. */
static void leave_silent(const char *type)
{
	struct store_case sc;
	int64_t begin, asked;
	int left = 0;

	silent_init(&sc, type);
	fake_server_freeze("here", true);
	put_number(&sc, 1);
	begin = schedd_clock_system()->mono(NULL).us;
	store_leave(sc.store, left_note, &left);
	asked = schedd_clock_system()->mono(NULL).us - begin;
	cr_expect_lt(asked, SCHEDD_SECOND / 2);
	cr_expect_lt(turn_until(&sc, &left), SCHEDD_SECOND / 2);
	cr_expect_eq(sc.answers, 1);
	cr_expect_eq(sc.rc, SCHEDD_EFAILED);
	begin = schedd_clock_system()->mono(NULL).us;
	store_close(sc.store);
	cr_expect_lt(schedd_clock_system()->mono(NULL).us - begin, SCHEDD_SECOND / 2);
	sc.store = NULL;
	fake_server_freeze("here", false);
	store_case_clear(&sc);
}

Test(store_leave, waits_for_no_silent_server)
{
	leave_silent("fake");
}

Test(store_leave, waits_for_none_whose_runs_another_keeps)
{
	leave_silent("alone_over_sqlite");
}

/* One that never came has nothing to wait for but its attempt to connect. */
Test(store_leave, waits_for_none_that_never_came)
{
	static const struct store_option options[] = {{"connect_timeout", "1s"}, {NULL, NULL}};
	struct store_case sc;
	int left = 0;

	store_case_prepare(&sc, "fake");
	sc.config.options = options;
	fake_server_freeze("here", true);
	cr_assert_eq(store_open_as(store_case_ops("fake"), &sc.config, &sc.store, &sc.err), 0);
	store_leave(sc.store, left_note, &left);
	cr_expect_lt(turn_until(&sc, &left), SCHEDD_SECOND / 2);
	store_close(sc.store);
	sc.store = NULL;
	fake_server_freeze("here", false);
	store_case_clear(&sc);
}
