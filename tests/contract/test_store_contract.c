/* SPDX-License-Identifier: MIT */
/*
 * What store.h promises, held against every type of store. A durable one is
 * closed and opened again before it is asked.
 */
#include <schedd/error.h>
#include "store/store_check.h"
#include "support/store_case.h"

Test(store, offers_its_types)
{
	const char *const *types = store_types();
	int count = 0;

	/* Those built in; the others are on servers. */
	for (; count < 2; count++) {
		struct store_case sc;

		store_case_init(&sc, types[count]);
		cr_assert_str_eq(store_type(sc.store), types[count]);
		cr_assert_str_eq(store_name(sc.store), "default");
		store_case_clear(&sc);
	}
	cr_assert_str_eq(types[count], "postgresql");
	cr_assert_str_eq(types[count + 1], "redis");
	cr_assert_str_eq(types[count + 2], "mysql");
	cr_assert_str_eq(types[count + 3], "etcd");
}

Test(store, refuses_a_type_it_does_not_know)
{
	struct store_case sc;

	store_case_prepare(&sc, "punchcards");
	cr_assert_eq(store_case_open(&sc), SCHEDD_EINVAL);
	cr_assert(strstr(sc.err.message,
		      "store 'default': type 'punchcards' is not known, use sqlite, memory"),
	    "%s", sc.err.message);
	store_case_clear(&sc);
}

/* ---- Runs ---- */

STORE_TEST(returns_a_run_as_it_was_put)
{
	struct store_batch *batch = store_batch_new(sc->store);
	struct run run = store_case_run("backup", 42, RUN_FAILED, 3), *got;

	run.trigger = RUN_BY_HAND;
	run.attempt = 2;
	run.until = run.scheduled_at + SCHEDD_HOUR;
	run.count = 7;
	run.coalesced = 3;
	run.exit_code = 9;
	run.signal = 15;
	run.reason = (char *)"exit code 9: größer";
	run.max_rss = 18432000;
	run.cpu_us = 800000;
	run.output_bytes = 1402;
	run.output_dropped = 12;
	run.pid = 4711;
	run.pid_start = 123456789;
	run.attempts = (char *)"[{\"attempt\":1}]";
	run.actor = (char *)"uid 1000 pid 77 job.run";
	store_batch_put_run(batch, &run);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, "backup"), "backup/42");
	got = &sc->runs[0];
	cr_assert_eq(got->state, RUN_FAILED);
	cr_assert_eq(got->trigger, RUN_BY_HAND);
	cr_assert_eq(got->attempt, 2u);
	cr_assert_eq(got->scheduled_at, run.scheduled_at);
	cr_assert_eq(got->started_at, run.started_at);
	cr_assert_eq(got->ended_at, run.ended_at);
	cr_assert_eq(got->until, run.until);
	cr_assert_eq(got->count, 7u);
	cr_assert_eq(got->coalesced, 3u);
	cr_assert_eq(got->exit_code, 9);
	cr_assert_eq(got->signal, 15);
	cr_assert_str_eq(got->reason, run.reason);
	cr_assert_eq(got->max_rss, 18432000);
	cr_assert_eq(got->cpu_us, 800000);
	cr_assert_eq(got->output_bytes, 1402u);
	cr_assert_eq(got->output_dropped, 12u);
	cr_assert_eq(got->pid, 4711);
	cr_assert_eq(got->pid_start, 123456789u);
	cr_assert_str_eq(got->attempts, run.attempts);
	cr_assert_str_eq(got->actor, run.actor);
}

/* For one run, that is: in a list it may be left out, as it may be long. */
STORE_TEST(keeps_what_a_call_returned)
{
	const struct store_run_query query = {
	    .jobs = (const char *const[]){"backup", NULL}, .number = 42, .limit = 1,
	    .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE};
	struct store_batch *batch = store_batch_new(sc->store);
	struct run run = store_case_run("backup", 42, RUN_SUCCESS, 3);
	static char text[65600];

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "{\"value\":\"ü", 13);
	strcpy(text + sizeof(text) - 3, "\"}");
	run.result = text;
	store_batch_put_run(batch, &run);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	cr_assert_eq(store_case_query(sc, &query), 0);
	cr_assert_eq(sc->run_count, 1u);
	cr_assert_str_eq(sc->runs[0].result, text);
}

STORE_TEST(returns_defaults_as_defaults)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_run(batch, "a", 1, RUN_QUEUED, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/1");
	cr_assert_eq(sc->runs[0].started_at, SCHEDD_TIME_NONE);
	cr_assert_eq(sc->runs[0].ended_at, SCHEDD_TIME_NONE);
	cr_assert_eq(sc->runs[0].until, SCHEDD_TIME_NONE);
	cr_assert_eq(sc->runs[0].attempt, 1u);
	cr_assert_eq(sc->runs[0].count, 1u);
	cr_assert_eq(sc->runs[0].exit_code, -1);
	cr_assert_null(sc->runs[0].reason);
	cr_assert_null(sc->runs[0].actor);
}

/* A reader must never see a run as running that was told to have ended. */
STORE_TEST(answers_with_what_was_given_before_the_question)
{
	for (uint32_t number = 1; number <= 50; number++) {
		struct store_batch *batch = store_batch_new(sc->store);

		store_case_put_run(batch, "a", number, RUN_SUCCESS, 1);
		store_commit(sc->store, batch, NULL, NULL);
		store_case_runs(sc, "a");
		cr_assert_eq(sc->run_count, number);
	}
}

STORE_TEST(replaces_a_run_in_its_place)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_run(batch, "a", 1, RUN_RUNNING, 0);
	store_case_put_run(batch, "b", 1, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	batch = store_batch_new(sc->store);
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 5);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/1 a/1");
	cr_assert_eq(sc->runs[1].state, RUN_SUCCESS);
	cr_assert_eq(sc->runs[1].ended_at - sc->runs[1].started_at, 5 * SCHEDD_SECOND);
}

STORE_TEST(lists_newest_first)
{
	store_case_put_two(sc, 3);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/3 a/3 b/2 a/2 b/1 a/1");
	cr_assert_str_eq(store_case_runs(sc, "a"), "a/3 a/2 a/1");
	cr_assert_str_eq(store_case_runs(sc, "none"), "");
	cr_assert_str_eq(sc->cursor, "");
}

STORE_TEST(orders_one_job_by_number_whenever_its_runs_end)
{
	static const uint32_t order[] = {2, 5, 1, 4, 3};
	struct store_batch *batch = store_batch_new(sc->store);

	for (int i = 0; i < 5; i++)
		store_case_put_run(batch, "a", order[i], RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_str_eq(store_case_runs(sc, "a"), "a/5 a/4 a/3 a/2 a/1");
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/3 a/4 a/1 a/5 a/2");
}

STORE_TEST(filters_by_job_glob_state_and_number)
{
	const char *const glob[] = {"[!b]", NULL}, *const both[] = {"b", "a", NULL};
	const char *const one[] = {"a", NULL};
	struct store_run_query query = STORE_CASE_ALL;

	store_case_put_two(sc, 3);
	query.jobs = glob;
	cr_assert_str_eq(store_case_list(sc, &query), "a/3 a/2 a/1");
	query.jobs = both;
	cr_assert_str_eq(store_case_list(sc, &query), "b/3 a/3 b/2 a/2 b/1 a/1");
	query.states = 1u << RUN_FAILED | 1u << RUN_MISSED;
	cr_assert_str_eq(store_case_list(sc, &query), "a/3");
	query.jobs = NULL;
	cr_assert_str_eq(store_case_list(sc, &query), "a/3");
	query.states = 1u << RUN_RUNNING;
	cr_assert_str_eq(store_case_list(sc, &query), "");
	query.states = 0;
	query.jobs = one;
	query.number = 2;
	cr_assert_str_eq(store_case_list(sc, &query), "a/2");
}

STORE_TEST(filters_by_time)
{
	struct store_run_query query = STORE_CASE_ALL;
	struct store_batch *batch = store_batch_new(sc->store);

	/* a/9 began long ago and ended late, b/9 still runs. */
	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 3600);
	store_case_put_run(batch, "a", 2, RUN_SUCCESS, 1);
	store_case_put_run(batch, "b", 8, RUN_MISSED, 0);
	store_case_put_run(batch, "b", 9, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	query.since = STORE_CASE_NOW + 9 * SCHEDD_MINUTE;
	cr_assert_str_eq(store_case_list(sc, &query), "b/9 a/1");
	query.since = STORE_CASE_NOW + 8 * SCHEDD_MINUTE;
	cr_assert_str_eq(store_case_list(sc, &query), "b/9 b/8 a/1");
	query.until = STORE_CASE_NOW + 8 * SCHEDD_MINUTE;
	cr_assert_str_eq(store_case_list(sc, &query), "b/8 a/1");
	query.since = STORE_CASE_NOW + SCHEDD_DAY;
	cr_assert_str_eq(store_case_list(sc, &query), "");
}

STORE_TEST(continues_behind_a_cursor_while_runs_are_added)
{
	const char *const one[] = {"a", NULL};
	struct store_run_query query = STORE_CASE_ALL;
	char cursor[64];

	store_case_put_two(sc, 3);
	query.limit = 4;
	cr_assert_str_eq(store_case_list(sc, &query), "b/3 a/3 b/2 a/2");
	strcpy(cursor, sc->cursor);
	cr_assert_neq(cursor[0], '\0');
	store_case_put_two(sc, 4);
	query.after = cursor;
	cr_assert_str_eq(store_case_list(sc, &query), "b/1 a/1");
	cr_assert_str_eq(sc->cursor, "");

	query.after = NULL;
	query.jobs = one;
	query.limit = 2;
	cr_assert_str_eq(store_case_list(sc, &query), "a/4 a/3");
	strcpy(cursor, sc->cursor);
	query.after = cursor;
	cr_assert_str_eq(store_case_list(sc, &query), "a/2 a/1");
	cr_assert_str_eq(sc->cursor, "");
}

STORE_TEST(refuses_a_cursor_of_another_question)
{
	static const char *const bad[] = {"n5", "s", "s5x", "", "s-1", "s99999999999999999999999"};
	struct store_run_query query = STORE_CASE_ALL;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		query.after = bad[i];
		cr_assert_eq(store_case_query(sc, &query), SCHEDD_EINVAL, "%s", bad[i]);
	}
}

STORE_TEST(purges_one_run_one_job_or_all)
{
	struct store_batch *batch;

	store_case_put_two(sc, 2);
	batch = store_batch_new(sc->store);
	store_batch_purge_runs(batch, "a", 1);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/2 a/2 b/1");
	batch = store_batch_new(sc->store);
	store_batch_purge_runs(batch, "b", 0);
	store_batch_purge_runs(batch, "none", 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/2");
	batch = store_batch_new(sc->store);
	store_batch_purge_runs(batch, NULL, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_str_eq(store_case_runs(sc, NULL), "");
	store_case_expect_count(sc, 0);
}

STORE_TEST(purges_in_pieces)
{
	bool more = true;
	int pieces = 0;

	store_case_put_two(sc, 5);
	while (more) {
		struct store_batch *batch = store_batch_new(sc->store);

		store_batch_purge_some(batch, "a", 5, 2, &more);
		cr_assert_eq(store_case_commit(sc, batch), 0);
		cr_assert_leq(++pieces, 4);
	}
	cr_expect_str_eq(store_case_runs(sc, NULL), "b/5 b/4 b/3 b/2 b/1");
	more = true;
	while (more) {
		struct store_batch *batch = store_batch_new(sc->store);

		store_batch_purge_some(batch, NULL, 0, 2, &more);
		cr_assert_eq(store_case_commit(sc, batch), 0);
	}
	cr_expect_str_eq(store_case_runs(sc, NULL), "");
	store_case_expect_count(sc, 0);
}

/* ---- Ids that come and go ---- */

STORE_TEST(remembers_the_last_run_of_a_removed_id)
{
	struct store_batch *batch = store_batch_new(sc->store);

	cr_assert_eq(store_case_last_run(sc, "a"), 0u);
	store_case_put_job(
	    sc, batch, "{\"id\":\"a\",\"shell\":\"true\",\"trigger\":{\"every\":60}}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	batch = store_batch_new(sc->store);
	store_batch_delete_job(batch, "a", 41);
	store_commit(sc->store, batch, NULL, NULL);
	/* Seen at once, not only when it is durable. */
	cr_assert_eq(store_case_last_run(sc, "a"), 41u);
	store_case_flush(sc);
	cr_assert_eq(store_case_last_run(sc, "a"), 41u);
	store_case_reopen(sc);
	cr_assert_eq(store_case_last_run(sc, "a"), 41u);
	/* A number never goes down. */
	batch = store_batch_new(sc->store);
	store_batch_delete_job(batch, "a", 7);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_eq(store_case_last_run(sc, "a"), 41u);
}

STORE_TEST(keeps_runs_of_a_removed_job)
{
	struct store_batch *batch;

	store_case_put_two(sc, 2);
	batch = store_batch_new(sc->store);
	store_batch_delete_job(batch, "a", 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_str_eq(store_case_runs(sc, "a"), "a/2 a/1");
	cr_assert_eq(store_case_last_run(sc, "a"), 2u);
}

STORE_TEST(renames_a_job_with_its_runs)
{
	struct store_batch *batch;

	store_case_put_two(sc, 2);
	batch = store_batch_new(sc->store);
	store_batch_put_change(batch, STORE_CASE_NOW, "a", "{\"event\":\"job_added\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	batch = store_batch_new(sc->store);
	store_batch_rename(batch, "a", "c");
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/2 c/2 b/1 c/1");
	cr_assert_str_eq(store_case_runs(sc, "c"), "c/2 c/1");
	cr_assert_str_eq(store_case_runs(sc, "a"), "");
	/* An a that comes again does not use its numbers twice. */
	cr_assert_eq(store_case_last_run(sc, "a"), 2u);
}

STORE_TEST(refuses_a_rename_that_would_mix_two_histories)
{
	struct store_batch *batch;

	store_case_put_two(sc, 2);
	batch = store_batch_new(sc->store);
	store_case_put_run(batch, "d", 1, RUN_SUCCESS, 1);
	store_batch_rename(batch, "a", "b");
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_ECONFLICT);
	cr_assert_str_eq(sc->err.message,
	    "store 'default': runs of a removed job 'b' are still kept, purge them first");
	/* Nothing of the batch is stored. */
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/2 a/2 b/1 a/1");
}

/* ---- Numbers, texts, changes ---- */

STORE_TEST(keeps_numbers)
{
	struct store_batch *batch = store_batch_new(sc->store);

	cr_assert_eq(store_case_number(sc, "seq", -5), -5);
	store_batch_put_number(batch, "seq", 1);
	store_batch_put_number(batch, "seq", INT64_MAX);
	store_batch_put_number(batch, "zero", 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	cr_assert_eq(store_case_number(sc, "seq", -5), INT64_MAX);
	cr_assert_eq(store_case_number(sc, "zero", -5), 0);
}

STORE_TEST(keeps_texts_by_prefix)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_text(batch, "group.io", "2");
	store_batch_put_text(batch, "group.db", "{\"parallel\":1}");
	store_batch_put_text(batch, "groups", "no");
	store_batch_put_text(batch, "gone", "x");
	store_batch_put_text(batch, "gone", NULL);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_texts(sc, "group."), "group.db={\"parallel\":1};group.io=2;");
	cr_assert_str_eq(store_case_texts(sc, "gone"), "");
	batch = store_batch_new(sc->store);
	store_batch_put_text(batch, "group.io", NULL);
	store_batch_put_text(batch, "group.db", "");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_str_eq(store_case_texts(sc, "group."), "group.db=;");
}

STORE_TEST(tells_changes_newest_first)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_batch_put_change(batch, 10, "a", "{\"event\":\"job_added\",\"time\":10}");
	store_batch_put_change(batch, 20, "b", "{\"event\":\"job_added\"}");
	store_batch_put_change(batch, 30, "a", "{\"event\":\"job_removed\",\"job\":\"a\"}");
	store_batch_put_change(batch, 40, NULL, "{\"event\":\"scheduler_paused\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_case_reopen(sc);
	store_query_changes(sc->store, "a", SCHEDD_TIME_NONE, 10, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_str_eq(store_case_json(sc),
	    "[{\"event\":\"job_removed\",\"job\":\"a\",\"time\":30},"
	    "{\"event\":\"job_added\",\"time\":10,\"job\":\"a\"}]");
	store_query_changes(sc->store, NULL, 20, 2, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_str_eq(store_case_json(sc),
	    "[{\"event\":\"scheduler_paused\",\"time\":40},"
	    "{\"event\":\"job_removed\",\"job\":\"a\",\"time\":30}]");
}

STORE_TEST(counts_outcomes_and_percentiles)
{
	struct store_batch *batch = store_batch_new(sc->store);
	struct run missed = store_case_run("a", 101, RUN_MISSED, 0);

	for (uint32_t i = 1; i <= 100; i++)
		store_case_put_run(batch, "a", i, i % 10 ? RUN_SUCCESS : RUN_TIMEOUT, (int)i);
	missed.count = 5;
	store_batch_put_run(batch, &missed);
	store_case_put_run(batch, "b", 1, RUN_RUNNING, 0);
	store_case_put_run(batch, "c", 1, RUN_SKIPPED, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	store_query_stats(sc->store, "a", SCHEDD_TIME_NONE, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_str_eq(store_case_json(sc),
	    "[{\"job\":\"a\",\"runs\":100,\"skips\":5,\"failures\":10,\"states\":{\"success\":90,\"timeout\":"
	    "10,"
	    "\"missed\":5},\"duration_p50\":50,\"duration_p95\":95,\"delay_p50\":0.1,"
	    "\"delay_p95\":0.1}]");
	store_query_stats(sc->store, NULL, SCHEDD_TIME_NONE, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_eq(sc->value.array.count, 2u);
	cr_assert_str_eq(value_get_string(&sc->value.array.items[1], "job"), "c");
	store_query_stats(sc->store, NULL, STORE_CASE_NOW + SCHEDD_DAY, store_case_take_value, sc);
	store_case_flush(sc);
	cr_assert_str_eq(store_case_json(sc), "[]");
}

/* ---- Batches ---- */

STORE_TEST(answers_in_the_order_of_commits)
{
	for (int i = 1; i <= 200; i++) {
		struct store_batch *batch = store_batch_new(sc->store);

		store_batch_put_number(batch, "n", i);
		store_commit(sc->store, batch, store_case_done, sc);
	}
	store_case_flush(sc);
	cr_assert_eq(sc->answers, 200);
	cr_assert_eq(store_case_number(sc, "n", 0), 200);
}

STORE_TEST(takes_an_empty_batch_and_a_callback_that_is_not_there)
{
	cr_assert_eq(store_case_commit(sc, store_batch_new(sc->store)), 0);
	store_commit(sc->store, store_batch_new(sc->store), NULL, NULL);
	store_case_flush(sc);
	store_batch_free(store_batch_new(sc->store));
	store_batch_free(NULL);
}

STORE_TEST(refuses_a_batch_that_is_not_there)
{
	store_batch_put_number(NULL, "n", 1);
	store_batch_put_text(NULL, "n", "");
	store_batch_delete_job(NULL, "a", 1);
	store_batch_purge_runs(NULL, NULL, 0);
	store_batch_rename(NULL, "a", "b");
	store_batch_put_change(NULL, 0, NULL, "{}");
	cr_assert_eq(store_case_commit(sc, NULL), SCHEDD_ENOMEM);
}

STORE_TEST(refuses_a_bad_batch_and_no_other)
{
	struct store_batch *batches[5];

	store_case_put_two(sc, 1);
	for (int i = 0; i < 5; i++) {
		batches[i] = store_batch_new(sc->store);
		store_case_put_run(batches[i], "c", (uint32_t)i + 1, RUN_SUCCESS, 1);
		if (i == 2)
			store_batch_rename(batches[i], "a", "b");
	}
	for (int i = 0; i < 5; i++)
		store_commit(sc->store, batches[i], store_case_done, sc);
	store_case_flush(sc);
	cr_assert_eq(sc->answers, 6);
	cr_assert_str_eq(store_case_runs(sc, "c"), "c/5 c/4 c/2 c/1");
	sc->value = store_status(sc->store, &sc->arena);
	cr_assert_eq(value_get_int(&sc->value, "errors", -1), 1);
	store_case_expect_count(sc, 6);
	cr_assert(strstr(value_get_string(&sc->value, "last_error"), "purge them first"));
}

/* A callback that commits again, as a scheduler does. */
struct chain {
	struct store_case *sc;
	int left;
};

static void chain_done(int rc, const struct schedd_error *err, void *context)
{
	struct chain *chain = context;
	struct store_batch *batch;

	(void)err;
	cr_assert_eq(rc, 0);
	if (chain->left-- == 0)
		return;
	batch = store_batch_new(chain->sc->store);
	store_batch_put_number(batch, "left", chain->left);
	store_commit(chain->sc->store, batch, chain_done, chain);
}

STORE_TEST(can_be_checked_and_keeps_nothing_of_it)
{
	for (int i = 0; i < 3; i++) {
		store_check(sc->store, store_case_take_value, sc);
		store_case_flush(sc);
		cr_assert_eq(sc->rc, 0, "%s", sc->err.message);
		cr_assert(value_get(&sc->value, "write") && value_get(&sc->value, "read") &&
			  value_get(&sc->value, "remove"));
		store_case_reopen(sc);
	}
	cr_assert_str_eq(store_case_runs(sc, NULL), "");
	cr_assert_str_eq(store_case_texts(sc, ""), "");
	cr_assert_eq(store_case_load(sc), 0);
}

STORE_TEST(lets_an_answer_commit_again)
{
	struct chain chain = {sc, 20};

	chain_done(0, NULL, &chain);
	store_case_flush(sc);
	cr_assert_eq(chain.left, -1);
	cr_assert_eq(store_case_number(sc, "left", 5), 0);
}

STORE_TEST(answers_what_waits_when_it_is_closed)
{
	const bool durable = store_durable(sc->store);

	for (int i = 1; i <= 50; i++) {
		struct store_batch *batch = store_batch_new(sc->store);

		store_batch_put_number(batch, "n", i);
		store_commit(sc->store, batch, store_case_done, sc);
	}
	store_close(sc->store);
	sc->store = NULL;
	cr_assert_eq(sc->answers, 50);
	cr_assert_eq(store_case_open(sc), 0);
	cr_assert_eq(store_case_number(sc, "n", 0), durable ? 50 : 0);
}
