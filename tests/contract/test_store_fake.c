/* SPDX-License-Identifier: MIT */
/*
 * What a store on a server goes through, on one that does as it is told: slow,
 * silent, ending before or after it has stored something, written and owned by
 * others.
 */
#include "store/store_batch.h"
#include "support/store_case.h"

#define FAKE "here"

static void fake_await(struct store_case *sc, enum store_state state)
{
	for (int i = 0; i < 600 && store_state(sc->store) != state; i++)
		mailbox_wait_for(sc->config.mailbox, SCHEDD_SECOND / 10);
	cr_assert_eq(store_state(sc->store), state, "%s", store_state_why(sc->store));
}

static void put_number(struct store_case *sc, int64_t number)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, "n", number);
	store_commit(sc->store, batch, store_case_done, sc);
}

Test(store_fake, commits_once_when_the_connection_ends_before_it)
{
	struct store_case sc;

	store_case_init(&sc, "fake");
	fake_server_end(FAKE, FAKE_DIES_BEFORE, 2);
	put_number(&sc, 1);
	store_case_flush(&sc);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	cr_expect_eq(fake_server_commits(FAKE), 1);
	cr_expect_eq(store_case_number(&sc, "n", 0), 1);
	store_case_clear(&sc);
}

/* Whatever becomes of others. */
static void put_owed(struct store_case *sc, const char *key)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_number(batch, key, 1);
	store_batch_owed(batch);
	store_commit(sc->store, batch, store_case_done, sc);
}

static void note_doubt(const struct schedd_error *err, void *context)
{
	cr_expect(strstr(err->message, "not known yet"), "%s", err->message);
	((struct store_case *)context)->answers += 100;
}

Test(store_fake, commits_once_when_the_connection_ends_behind_it)
{
	enum store_verdict verdict = STORE_CLAIM_LOST;
	struct store_batch *batch;
	struct job_state state;
	struct store_case sc;

	store_case_init(&sc, "fake");
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	job_state_init(&state);
	state.last_run = 1;
	fake_server_end(FAKE, FAKE_DIES_AFTER, 1);
	batch = store_batch_new(sc.store);
	store_batch_claim(batch, "a", 0, &state, &verdict);
	store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
	store_batch_on_unknown(batch, note_doubt);
	sc.answers = 0;
	store_commit(sc.store, batch, store_case_done, &sc);
	store_case_flush(&sc);
	cr_expect_eq(sc.answers, 101);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	cr_expect_eq(verdict, STORE_CLAIM_DONE);
	cr_expect_eq(fake_server_commits(FAKE), 2);
	cr_expect_str_eq(store_case_runs(&sc, NULL), "a/1");
	store_case_clear(&sc);
}

Test(store_fake, fails_in_time_while_nobody_answers)
{
	struct schedd_mono begin = schedd_clock_system()->mono(NULL);
	struct store_case sc;

	store_case_init(&sc, "fake");
	fake_server_freeze(FAKE, true);
	put_number(&sc, 1);
	fake_await(&sc, STORE_AWAY);
	put_owed(&sc, "before");
	put_number(&sc, 2);
	put_owed(&sc, "behind");
	for (int i = 0; i < 300 && sc.answers < 1; i++)
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	/* The second was never sent; of the first nobody knows; what is owed waits. */
	cr_expect_eq(sc.answers, 1);
	cr_expect_eq(sc.rc, SCHEDD_EFAILED);
	cr_expect_lt(schedd_clock_system()->mono(NULL).us - begin.us, 20 * SCHEDD_SECOND);
	fake_server_freeze(FAKE, false);
	store_case_flush(&sc);
	cr_expect_eq(sc.answers, 4);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	cr_expect_eq(store_case_number(&sc, "before", 0), 1);
	cr_expect_eq(store_case_number(&sc, "behind", 0), 1);
	fake_await(&sc, STORE_OK);
	store_case_clear(&sc);
}

Test(store_fake, keeps_what_is_owed_while_it_takes_no_writes)
{
	struct store_case sc;

	store_case_init(&sc, "fake");
	fake_server_read_only(FAKE, true);
	put_owed(&sc, "first");
	fake_await(&sc, STORE_READ_ONLY);
	put_owed(&sc, "second");
	put_number(&sc, 1);
	for (int i = 0; i < 300 && sc.answers < 1; i++)
		mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	cr_expect_eq(sc.answers, 1);
	cr_expect_eq(sc.rc, SCHEDD_EFAILED);
	fake_server_read_only(FAKE, false);
	store_case_flush(&sc);
	cr_expect_eq(sc.answers, 3);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	cr_expect_eq(store_case_number(&sc, "first", 0), 1);
	cr_expect_eq(store_case_number(&sc, "second", 0), 1);
	store_case_clear(&sc);
}

static void adopt_change(const struct store_change *change, void *context)
{
	struct store_case *sc = context;

	strbuf_printf(&sc->texts, "%s:%s", change->id,
	    change->kind == STORE_CHANGE_GONE ? "gone" : "changed");
	if (change->record) {
		strbuf_printf(&sc->texts, ":%u", (unsigned)change->record->state.last_run);
		store_case_drop(change->record);
	}
	strbuf_add(&sc->texts, ";");
}

Test(store_fake, tells_how_a_job_is_that_another_has_written)
{
	enum store_verdict first, second;
	struct store_batch *batch;
	struct job_state state;
	struct store_case sc;

	store_case_init(&sc, "fake");
	store_watch(sc.store, adopt_change, &sc);
	batch = store_batch_new(sc.store);
	store_case_put_job(&sc, batch, "{\"id\":\"a\",\"shell\":\"true\"}");
	store_case_put_job(&sc, batch, "{\"id\":\"b\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	fake_server_claim(FAKE, "a", 9);
	fake_server_claim(FAKE, "b", 0);
	job_state_init(&state);
	state.last_run = 1;
	batch = store_batch_new(sc.store);
	store_batch_claim(batch, "a", 0, &state, &first);
	store_batch_claim(batch, "b", 0, &state, &second);
	cr_assert_eq(store_case_commit(&sc, batch), 0);
	cr_expect_eq(first, STORE_CLAIM_LOST);
	cr_expect_eq(second, STORE_CLAIM_LOST);
	store_case_flush(&sc);
	mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 10);
	cr_expect_str_eq(strbuf_peek(&sc.texts), "a:changed:9;b:gone;");
	store_case_clear(&sc);
}

Test(store_fake, writes_nothing_when_another_owns_it)
{
	struct store_case sc;

	store_case_init(&sc, "fake");
	put_number(&sc, 1);
	store_case_flush(&sc);
	fake_server_hold(FAKE, "somebody else");
	put_number(&sc, 2);
	store_case_flush(&sc);
	cr_expect_eq(sc.rc, SCHEDD_EFAILED);
	fake_await(&sc, STORE_HELD);
	cr_expect_eq(fake_server_commits(FAKE), 1);
	fake_server_hold(FAKE, NULL);
	fake_await(&sc, STORE_OK);
	cr_expect_eq(store_epoch(sc.store), 4u);
	put_number(&sc, 3);
	store_case_flush(&sc);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	store_case_clear(&sc);
}

/* Of two that go each for itself the last is cut off, with nothing behind it. */
Test(store_fake, goes_on_behind_one_that_was_cut_off_alone)
{
	struct store_batch *batch;
	struct store_case sc;

	store_case_init(&sc, "fake");
	fake_server_down(FAKE, true);
	fake_await(&sc, STORE_AWAY);
	batch = store_batch_new(sc.store);
	batch->failed = true;
	store_commit(sc.store, batch, store_case_done, &sc);
	put_number(&sc, 2);
	fake_server_end(FAKE, FAKE_DIES_AFTER, 1);
	fake_server_down(FAKE, false);
	store_case_flush(&sc);
	cr_expect_eq(sc.answers, 2);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	put_number(&sc, 3);
	store_case_flush(&sc);
	cr_expect_eq(sc.answers, 3);
	cr_expect_eq(store_case_number(&sc, "n", 0), 3);
	store_case_clear(&sc);
}

/* Slow, cut now and then before and after: every number that was answered is there. */
Test(store_fake, loses_nothing_over_a_bad_line)
{
	struct store_case sc;

	store_case_init(&sc, "fake");
	fake_server_delay(FAKE, 2000);
	for (int i = 1; i <= 60; i++) {
		if (i % 7 == 0)
			fake_server_end(FAKE, i % 2 ? FAKE_DIES_BEFORE : FAKE_DIES_AFTER, 1);
		put_number(&sc, i);
		if (i % 3 == 0)
			mailbox_wait_for(sc.config.mailbox, SCHEDD_SECOND / 100);
	}
	store_case_flush(&sc);
	cr_expect_eq(sc.answers, 60);
	cr_expect_eq(sc.rc, 0, "%s", sc.err.message);
	cr_expect_eq(store_case_number(&sc, "n", 0), 60);
	store_case_clear(&sc);
}
