/* SPDX-License-Identifier: MIT */
/*
 * What a store goes through that a second writer shares: another node, as it is
 * seen by the first. Over the fake server and, by with_server.sh, over real ones.
 */
#include "support/share_case.h"

static void share_remove(struct store_case *sc, const char *id)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_delete_job(batch, id, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

/* As a node that knows the job so claims it. */
static enum store_verdict share_claim(
    struct store_case *sc, const char *id, uint32_t expected, uint32_t revision)
{
	enum store_verdict verdict = STORE_CLAIM_REFUSED;
	struct store_batch *batch = store_batch_new(sc->store);
	struct job_state state;

	job_state_init(&state);
	state.last_run = expected + 1;
	state.run_count = expected + 1;
	state.revision = revision;
	store_batch_claim(batch, id, expected, &state, &verdict);
	store_case_put_run(batch, id, expected + 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	return verdict;
}

SHARE_TEST(sees_what_another_adds_changes_and_removes)
{
	share_put(two, "a", 1);
	share_await(both, one, "a 1/0;");
	share_put(two, "a", 2);
	share_await(both, one, "a 2/0;");
	share_remove(two, "a");
	share_await(both, one, "a gone;");
	/* What it wrote itself is no news. */
	share_put(one, "own", 1);
	share_await(both, two, "own 1/0;");
	share_put(two, "b", 1);
	share_await(both, one, "b 1/0;");
	cr_expect(!strstr(strbuf_peek(&one->texts), "own"), "%s", strbuf_peek(&one->texts));
}

SHARE_TEST(is_told_in_the_order_in_which_it_was_written)
{
	char id[16], told[24];

	for (int i = 0; i < 30; i++) {
		struct store_case *writer = i % 3 ? two : one;

		snprintf(id, sizeof(id), "j%d", i);
		share_put(writer, id, 1);
	}
	for (int i = 0; i < 30; i++) {
		snprintf(told, sizeof(told), "j%d 1/0;", i);
		if (i % 3)
			share_await(both, one, told);
	}
}

SHARE_TEST(hears_what_was_written_between_its_own)
{
	for (unsigned i = 1; i <= 4; i++) {
		char ours[8], theirs[8], told[16];

		snprintf(ours, sizeof(ours), "o%u", i);
		snprintf(theirs, sizeof(theirs), "t%u", i);
		snprintf(told, sizeof(told), "t%u 1/0;", i);
		share_put(one, ours, 1);
		share_put(two, theirs, 1);
		share_put(one, ours, 2);
		share_await(both, one, told);
		share_await(both, two, "2/0;");
	}
}

SHARE_TEST(loses_a_claim_that_another_has_made)
{
	share_put(one, "a", 1);
	share_await(both, two, "a 1/0;");
	cr_assert_eq(share_claim(two, "a", 0, 1), STORE_CLAIM_DONE);
	cr_assert_eq(share_claim(one, "a", 0, 1), STORE_CLAIM_LOST);
	/* It is told how the job is, so that the next one holds. */
	share_await(both, one, "a 1/1;");
	cr_expect_str_eq(store_case_runs(one, "a"), "a/1");
	cr_expect_str_eq(one->runs[0].node, "two");
	cr_assert_eq(share_claim(one, "a", 1, 1), STORE_CLAIM_DONE);
	cr_expect_str_eq(store_case_runs(one, "a"), "a/2 a/1");
}

SHARE_TEST(loses_a_claim_that_was_made_by_an_older_definition)
{
	share_put(one, "a", 1);
	share_await(both, two, "a 1/0;");
	share_put(two, "a", 2);
	cr_assert_eq(share_claim(one, "a", 0, 1), STORE_CLAIM_LOST);
	share_await(both, one, "a 2/0;");
	cr_assert_eq(share_claim(one, "a", 0, 2), STORE_CLAIM_DONE);
	share_remove(two, "a");
	cr_assert_eq(share_claim(one, "a", 1, 2), STORE_CLAIM_LOST);
	share_await(both, one, "a gone;");
}

/* A claim as a part of a change: it holds, or nothing of it does. */
SHARE_TEST(refuses_a_claim_that_must_hold_and_does_not)
{
	struct store_batch *batch = store_batch_new(one->store);
	struct job_state state;

	share_put(two, "a", 1);
	share_await(both, one, "a 1/0;");
	cr_assert_eq(share_claim(two, "a", 0, 1), STORE_CLAIM_DONE);
	job_state_init(&state);
	state.run_count = state.last_run = 2;
	state.revision = 1;
	store_batch_claim(batch, "a", 0, &state, NULL);
	store_case_put_run(batch, "a", 2, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(one, batch), SCHEDD_ECONFLICT);
	cr_expect_str_eq(store_case_runs(one, "a"), "a/1");
}

/* By itself, and among others: each statement has its own way to the fence. */
SHARE_TEST(stores_no_claim_under_an_epoch_that_is_over)
{
	static const char end[] = "$SCHEDD_TEST_SQL \"UPDATE schedd_nodes SET epoch = epoch + 1 WHERE name = 'one'\"";

	if (!both->real || strcmp(getenv("SCHEDD_TEST_STORE_TYPE"), "postgresql") != 0)
		return;
	share_put(two, "a", 1);
	share_await(both, one, "a 1/0;");
	for (uint32_t more = 0; more < 2; more++) {
		struct store_batch *batch = store_batch_new(one->store);
		uint64_t epoch = store_epoch(one->store);
		enum store_verdict verdict;
		struct job_state state;

		cr_assert_eq(system(end), 0);
		job_state_init(&state);
		state.run_count = state.last_run = 1;
		state.revision = 1;
		store_batch_claim(batch, "a", 0, &state, &verdict);
		store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
		if (more)
			store_case_put_run(batch, "a", 9, RUN_MISSED, 0);
		cr_assert_lt(store_case_commit(one, batch), 0);
		cr_expect_str_eq(store_case_runs(two, "a"), "");
		for (int i = 0; i < 6000 && store_epoch(one->store) == epoch; i++)
			share_turn(both);
		share_load(one);
	}
}

/* Of two that change a job at once, one finds that it does not know it any more. */
SHARE_TEST(refuses_a_change_of_what_has_changed)
{
	struct store_batch *batch = store_batch_new(one->store);
	struct job_record job;
	struct job_state state;
	uint32_t last = 0;

	job_state_init(&state);
	state.revision = 1;
	state.last_run = 0;
	state.next_fire = SCHEDD_TIME_NONE;
	share_put(one, "a", 1);
	share_await(both, two, "a 1/0;");
	cr_assert_eq(share_claim(two, "a", 0, 1), STORE_CLAIM_DONE);
	store_batch_expect_same(batch, "a", &state);
	store_case_put_job(one, batch, "{\"id\":\"a\",\"shell\":\"false\",\"revision\":2}");
	cr_assert_eq(store_case_commit(one, batch), SCHEDD_ECONFLICT);
	batch = store_batch_new(one->store);
	store_batch_expect_idle(batch, "a");
	cr_assert_eq(store_case_commit(one, batch), SCHEDD_ECONFLICT);
	/* Nor is an id given twice. */
	job = store_case_job(one, "{\"id\":\"a\",\"shell\":\"true\"}");
	batch = store_batch_new(one->store);
	store_batch_add_job(batch, job.job, &job.state, &last);
	cr_assert_eq(store_case_commit(one, batch), SCHEDD_ECONFLICT);
	store_case_drop(&job);
}

SHARE_TEST(does_once_what_a_text_stands_for)
{
	struct store_batch *batch = store_batch_new(one->store);

	store_batch_put_text(batch, "after.a", "1");
	store_batch_put_text(batch, "group.io", "limit=3");
	cr_assert_eq(store_case_commit(one, batch), 0);
	share_await(both, two, "group.io is limit=3;");
	batch = store_batch_new(two->store);
	store_batch_take_text(batch, "after.a");
	cr_assert_eq(store_case_commit(two, batch), 0, "%s", two->err.message);
	batch = store_batch_new(one->store);
	store_batch_take_text(batch, "after.a");
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(one, batch), SCHEDD_ECONFLICT);
	cr_expect_str_eq(store_case_runs(one, "a"), "");
}

SHARE_TEST(hands_over_a_slot_and_messages)
{
	struct store_batch *batch;
	char id[16] = "";

	/* A job in slot 7. */
	for (int i = 0; node_slot(NULL, id) != 7; i++)
		snprintf(id, sizeof(id), "s%d", i);
	share_put(one, id, 1);
	cr_assert_eq(share_claim(one, id, 0, 1), STORE_CLAIM_DONE);
	batch = store_batch_new(one->store);
	store_batch_give(batch, 7, 2);
	store_batch_tell(batch, 2, STORE_TELL_ASK, "42", "how are you?");
	cr_assert_eq(store_case_commit(one, batch), 0, "%s", one->err.message);
	share_await(both, two, "1 says ask 42: how are you?;");
	/* What claims have changed is known before the slot is. */
	share_await(both, two, " counts 1, ");
	share_await(both, two, "slot 7 of 2;");
	/* Who does not have it does not give it away. */
	batch = store_batch_new(one->store);
	store_batch_give(batch, 7, 1);
	cr_assert_eq(store_case_commit(one, batch), 0);
	share_await(both, two, "slot 7 of 2;");
}

/* Of many at once, which are read in another way than few. */
SHARE_TEST(hands_over_many_slots_at_once)
{
	struct store_batch *batch;
	char id[16], told[40];

	for (int i = 0; i < 24; i++) {
		snprintf(id, sizeof(id), "m%d", i);
		share_put(one, id, 1);
		cr_assert_eq(share_claim(one, id, 0, 1), STORE_CLAIM_DONE);
	}
	share_await(both, two, "m23 1/");
	batch = store_batch_new(one->store);
	for (uint32_t slot = 7; slot < 135; slot++)
		store_batch_give(batch, slot, 2);
	cr_assert_eq(store_case_commit(one, batch), 0, "%s", one->err.message);
	while (!two->texts.length || !strstr(strbuf_peek(&two->texts), "slot 7 of 2;"))
		share_turn(both);
	for (int i = 0; i < 24; i++) {
		snprintf(told, sizeof(told), "m%d counts 1, ", i);
		snprintf(id, sizeof(id), "m%d", i);
		cr_expect_eq(strstr(strbuf_peek(&two->texts), told) != NULL, node_slot(NULL, id) - 7 < 128u, "%s", told);
	}
}

static void take_output(
    int rc, const struct schedd_error *err, const char *bytes, size_t length, void *context)
{
	struct store_case *sc = context;

	cr_assert_eq(rc, 0, "%s", err ? err->message : "");
	strbuf_printf(&sc->texts, "wrote '%.*s';", (int)length, bytes ? bytes : "");
}

SHARE_TEST(shows_what_a_run_wrote_elsewhere)
{
	struct store_batch *batch = store_batch_new(two->store);

	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	store_batch_put_output(batch, "a", 1, "hello", 5);
	cr_assert_eq(store_case_commit(two, batch), 0, "%s", two->err.message);
	store_share_output(one->store, "a", 1, take_output, one);
	share_await(both, one, "wrote 'hello';");
	store_share_output(one->store, "a", 2, take_output, one);
	share_await(both, one, "wrote '';");
}

static void refreshed(int rc, const struct schedd_error *err, void *context)
{
	struct store_case *sc = context;

	cr_assert_eq(rc, 0, "%s", err ? err->message : "");
	strbuf_add(&sc->texts, "that is all;");
}

SHARE_TEST(says_on_request_what_runs_elsewhere)
{
	char id[16] = "";

	/* A claim is no news by itself: of what is another's it is asked for. */
	for (int i = 0; node_slot(NULL, id) != 7; i++)
		snprintf(id, sizeof(id), "s%d", i);
	share_put(one, id, 1);
	share_await(both, two, " 1/0;");
	cr_assert_eq(share_claim(one, id, 0, 1), STORE_CLAIM_DONE);
	store_share_refresh(two->store, id, refreshed, two);
	share_await(both, two, " counts 1, 1 run;");
	share_await(both, two, "that is all;");
}

SHARE_TEST(lets_in_each_name_once)
{
	struct share_case third = {.real = both->real};
	uint64_t epoch = store_epoch(two->store);

	share_prepare(&third.one, "memory", "two", third.options[0]);
	third.one.config.type = two->config.type;
	third.one.config.url = two->config.url;
	third.one.config.path = two->config.path;
	cr_assert_neq(store_case_open(&third.one), 0);
	cr_expect_eq(store_state(third.one.store), STORE_HELD);
	cr_expect(strstr(store_state_why(third.one.store), "node 'two' is "), "%s",
	    store_state_why(third.one.store));
	store_case_clear(&third.one);
	cr_expect_eq(store_epoch(two->store), epoch);
	share_put(two, "a", 1);
	share_await(both, one, "a 1/0;");
}

/* The feed is read on from where it stood: nothing is missed, and nobody is taken over. */
SHARE_FAKE_TEST(reads_on_where_it_was_cut_off)
{
	uint64_t epoch = store_epoch(one->store);
	char id[16], told[24];

	share_put(two, "before", 1);
	share_await(both, one, "before 1/0;");
	for (int round = 0; round < 3; round++) {
		fake_server_bar(FAKE, "one", true);
		share_await_state(both, one, STORE_AWAY);
		for (int i = 0; i < 5; i++) {
			snprintf(id, sizeof(id), "j%d-%d", round, i);
			share_put(two, id, 1);
		}
		share_remove(two, id);
		fake_server_bar(FAKE, "one", false);
		for (int i = 0; i < 4; i++) {
			snprintf(told, sizeof(told), "j%d-%d 1/0;", round, i);
			share_await(both, one, told);
		}
		/* It is told as it is, not as it was. */
		share_await(both, one, "-4 gone;");
		share_await_state(both, one, STORE_OK);
	}
	cr_expect_eq(store_epoch(one->store), epoch);
}

/* Lines that were thrown away are missed: everything is loaded anew, under another epoch. */
SHARE_FAKE_TEST(reads_all_anew_behind_a_gap)
{
	uint64_t epoch = store_epoch(one->store);

	share_put(two, "kept", 1);
	share_await(both, one, "kept 1/0;");
	fake_server_bar(FAKE, "one", true);
	share_await_state(both, one, STORE_AWAY);
	share_put(two, "new", 1);
	share_put(two, "kept", 2);
	share_remove(two, "new");
	share_put(two, "other", 1);
	fake_server_forget_feed(FAKE);
	share_put(two, "last", 1);
	fake_server_bar(FAKE, "one", false);
	for (int i = 0; i < 6000 && store_epoch(one->store) == epoch; i++)
		share_turn(both);
	share_await_state(both, one, STORE_OK);
	cr_assert_eq(store_epoch(one->store), epoch + 1);
	cr_expect_eq(share_load(one), 3u);
	cr_expect_eq(store_case_record(one, "kept")->state.revision, 2u);
	/* And listens again. */
	share_put(two, "later", 1);
	share_await(both, one, "later 1/0;");
}

/* A beat of the old epoch is on its way meanwhile, and refused: what was joined under the new one holds. */
Test(store_fake, keeps_its_new_lease_when_a_beat_of_the_old_one_is_refused)
{
	struct share_case both = {.real = false};
	struct store_case *one = &both.one, *two = &both.two;
	uint64_t epoch;
	int beats;

	share_prepare(one, "fake", "one", both.options[0]);
	share_prepare(two, "fake", "two", both.options[1]);
	cr_assert_str_eq(both.options[0][2].name, "lease");
	both.options[0][2].text = "3s";
	cr_assert_eq(store_case_open(one), 0, "%s", one->err.message);
	share_load(one);
	cr_assert_eq(store_case_open(two), 0, "%s", two->err.message);
	share_load(two);
	epoch = store_epoch(one->store);
	fake_server_stick(FAKE, "one");
	for (int i = 0; i < 6000 && fake_server_stuck_beats(FAKE) == 0; i++)
		share_turn(&both);
	cr_assert_eq(fake_server_stuck_beats(FAKE), 1);
	fake_server_bar(FAKE, "one", true);
	share_await_state(&both, one, STORE_AWAY);
	share_put(two, "new", 1);
	fake_server_forget_feed(FAKE);
	share_put(two, "last", 1);
	fake_server_bar(FAKE, "one", false);
	for (int i = 0; i < 6000 && store_epoch(one->store) == epoch; i++)
		share_turn(&both);
	share_await_state(&both, one, STORE_OK);
	cr_assert_gt(store_epoch(one->store), epoch);
	share_load(one);
	beats = fake_server_beats(FAKE);
	fake_server_stick(FAKE, NULL);
	for (int i = 0; i < 6000 && fake_server_beats(FAKE) < beats + 2; i++)
		share_turn(&both);
	cr_expect_geq(fake_server_beats(FAKE), beats + 2, "no beat comes any more");
	store_case_clear(two);
	store_case_clear(one);
}

static void count_answer(int rc, const struct schedd_error *err, void *context)
{
	struct store_case *sc = context;

	store_case_done(rc, err, sc);
	strbuf_printf(&sc->texts, "answer %d;", rc);
}

/* A dead node's slots and open runs are ours; what it still had on its way is refused. */
SHARE_FAKE_TEST(takes_over_a_node_whose_lease_is_over)
{
	struct store_batch *batch;

	share_put(two, "a", 1);
	cr_assert_eq(share_claim(two, "a", 0, 1), STORE_CLAIM_DONE);
	fake_server_bar(FAKE, "two", true);
	share_await_state(both, two, STORE_AWAY);
	batch = store_batch_new(two->store);
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	store_commit(two->store, batch, count_answer, two);
	fake_server_expire(FAKE, "two");
	/* Who comes looks at the others at once. */
	fake_server_bar(FAKE, "one", true);
	share_await_state(both, one, STORE_AWAY);
	fake_server_bar(FAKE, "one", false);
	share_await(both, one, "two is dead: a/1;");
	batch = store_batch_new(one->store);
	store_case_put_run(batch, "a", 1, RUN_LOST, 1);
	cr_assert_eq(store_case_commit(one, batch), 0, "%s", one->err.message);
	fake_server_bar(FAKE, "two", false);
	share_await(both, two, "answer -");
	share_await_state(both, two, STORE_OK);
	cr_expect(!store_leased(two->store, 1));
	/* Told late it is known, but lost it stays. */
	batch = store_batch_new(two->store);
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(two, batch), 0, "%s", two->err.message);
	cr_expect_str_eq(store_case_runs(one, "a"), "a/1");
	cr_expect_eq(one->runs[0].state, RUN_LOST);
	cr_expect_str_eq(one->runs[0].reason, "this node lost its lease; told late: success");
}
