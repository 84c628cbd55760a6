/* SPDX-License-Identifier: MIT */
/* What store.h promises of claims and of changes that expect something. */
#include "support/store_case.h"

static void put_a(struct store_case *sc)
{
	struct store_batch *batch = store_batch_new(sc->store);

	store_case_put_job(sc, batch,
	    "{\"id\":\"a\",\"shell\":\"true\",\"last_run\":3,\"revision\":2,\"run_count\":3}");
	store_case_put_job(sc, batch, "{\"id\":\"b\",\"shell\":\"true\"}");
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

static struct job_state claimed(uint32_t last_run)
{
	struct job_state state;

	job_state_init(&state);
	state.next_fire = state.next_run_time = STORE_CASE_NOW + last_run;
	state.run_count = state.last_run = last_run;
	return state;
}

/* Claims a/4 as it is expected, where it may have ended before that was stored. */
static void claim_a(struct store_case *sc, bool ended)
{
	enum store_verdict verdict = STORE_CLAIM_REFUSED;
	struct job_state state = claimed(4);
	struct store_batch *batch;

	put_a(sc);
	batch = store_batch_new(sc->store);
	store_batch_claim(batch, "a", 3, &state, &verdict);
	store_case_put_run(batch, "a", 4, RUN_RUNNING, 0);
	if (ended)
		store_case_put_run(batch, "a", 4, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	cr_assert_eq(verdict, STORE_CLAIM_DONE);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/4");
}

STORE_JOBS_TEST(stores_a_claim_that_finds_what_it_expects)
{
	claim_a(sc, false);
	cr_assert_eq(store_case_load(sc), 2u);
	cr_assert_eq(store_case_record(sc, "a")->state.last_run, 4u);
	cr_assert_eq(store_case_record(sc, "a")->state.run_count, 4u);
	cr_assert_eq(store_case_record(sc, "a")->state.next_run_time, STORE_CASE_NOW + 4);
	cr_assert_eq(store_case_record(sc, "a")->state.revision, 2u);
}

/* What another has claimed is lost with its rows; whatever else is in the batch is stored. */
STORE_JOBS_TEST(loses_a_claim_and_its_runs_alone)
{
	enum store_verdict lost = STORE_CLAIM_DONE, gone = STORE_CLAIM_DONE;
	enum store_verdict good = STORE_CLAIM_REFUSED;
	struct job_state state = claimed(3), first = claimed(1);
	struct store_batch *batch;

	put_a(sc);
	batch = store_batch_new(sc->store);
	store_batch_claim(batch, "a", 2, &state, &lost);
	store_case_put_run(batch, "a", 3, RUN_RUNNING, 0);
	store_case_put_run(batch, "b", 7, RUN_MISSED, 0);
	store_batch_claim(batch, "b", 0, &first, &good);
	store_case_put_run(batch, "b", 1, RUN_RUNNING, 0);
	store_batch_claim(batch, "nobody", 0, &first, &gone);
	store_case_put_run(batch, "nobody", 1, RUN_RUNNING, 0);
	store_batch_put_number(batch, "n", 5);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	cr_assert_eq(lost, STORE_CLAIM_LOST);
	cr_assert_eq(gone, STORE_CLAIM_LOST);
	cr_assert_eq(good, STORE_CLAIM_DONE);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, NULL), "b/1 b/7");
	cr_assert_eq(store_case_number(sc, "n", 0), 5);
	cr_assert_eq(store_case_record(sc, "a")->state.last_run, 3u);
	cr_assert_eq(store_case_record(sc, "a")->state.run_count, 3u);
	cr_assert_eq(store_case_record(sc, "b")->state.last_run, 1u);
}

/* In the order in which they stand there. */
STORE_JOBS_TEST(claims_a_job_twice_in_one_batch)
{
	enum store_verdict one = STORE_CLAIM_REFUSED, two = STORE_CLAIM_REFUSED;
	struct job_state fourth = claimed(4), fifth = claimed(5);
	struct store_batch *batch;

	put_a(sc);
	batch = store_batch_new(sc->store);
	store_batch_claim(batch, "a", 3, &fourth, &one);
	store_case_put_run(batch, "a", 4, RUN_RUNNING, 0);
	store_batch_claim(batch, "a", 4, &fifth, &two);
	store_case_put_run(batch, "a", 5, RUN_RUNNING, 0);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	cr_assert_eq(one, STORE_CLAIM_DONE);
	cr_assert_eq(two, STORE_CLAIM_DONE);
	store_case_reopen(sc);
	cr_assert_str_eq(store_case_runs(sc, NULL), "a/5 a/4");
	cr_assert_eq(store_case_load(sc), 2u);
	cr_assert_eq(store_case_record(sc, "a")->state.last_run, 5u);
}

STORE_JOBS_TEST(stores_a_run_that_stands_twice_in_the_batch_of_its_claim)
{
	claim_a(sc, true);
	cr_assert_eq(sc->runs[0].state, RUN_SUCCESS);
}

STORE_JOBS_TEST(refuses_the_batch_of_a_claim_that_nobody_judges)
{
	struct job_state state = claimed(9);
	struct store_batch *batch;

	put_a(sc);
	batch = store_batch_new(sc->store);
	store_batch_put_number(batch, "n", 5);
	store_batch_claim(batch, "a", 8, &state, NULL);
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_ECONFLICT);
	cr_assert_str_eq(sc->err.message,
	    "store 'default': job 'a' was changed behind the scheduler's back");
	cr_assert_eq(store_case_number(sc, "n", -1), -1);
}

STORE_JOBS_TEST(refuses_a_change_of_what_was_changed_meanwhile)
{
	struct store_batch *batch;

	put_a(sc);
	batch = store_batch_new(sc->store);
	store_batch_expect(batch, "a", 2);
	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"false\",\"revision\":3}");
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	batch = store_batch_new(sc->store);
	store_batch_put_number(batch, "n", 5);
	store_batch_expect(batch, "a", 2);
	store_case_put_job(sc, batch, "{\"id\":\"a\",\"shell\":\"never\",\"revision\":3}");
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_ECONFLICT);
	cr_assert_str_eq(sc->err.message,
	    "store 'default': job 'a' was changed by another meanwhile");
	batch = store_batch_new(sc->store);
	store_batch_expect(batch, "nobody", 1);
	cr_assert_eq(store_case_commit(sc, batch), SCHEDD_ECONFLICT);
	cr_assert_str_eq(sc->err.message,
	    "store 'default': job 'nobody' was removed by another meanwhile");
	cr_assert_eq(store_case_number(sc, "n", -1), -1);
	cr_assert_str_eq(store_case_record(sc, "a")->job->shell, "false");
}

/* ---- Ids that come back ---- */

static uint32_t added(struct store_case *sc, const char *json, uint32_t *last_run)
{
	struct store_batch *batch = store_batch_new(sc->store);
	struct job_record record = store_case_job(sc, json);

	*last_run = 0;
	store_batch_add_job(batch, record.job, &record.state, last_run);
	store_case_drop(&record);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	return *last_run;
}

STORE_TEST(counts_on_from_the_last_run_of_an_id_that_comes_back)
{
	static const char json[] = "{\"id\":\"a\",\"shell\":\"true\"}";
	struct store_batch *batch;
	uint32_t last_run;

	cr_assert_eq(added(sc, json, &last_run), 0u);
	batch = store_batch_new(sc->store);
	store_batch_delete_job(batch, "a", 41);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_eq(added(sc, json, &last_run), 41u);
	store_case_reopen(sc);
	if (store_durable(sc->store)) {
		cr_assert_eq(store_case_load(sc), 1u);
		cr_assert_eq(sc->records[0].state.last_run, 41u);
	}
	/* So it does behind runs that are kept without their job. */
	batch = store_batch_new(sc->store);
	store_case_put_run(batch, "c", 7, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	cr_assert_eq(added(sc, "{\"id\":\"c\",\"shell\":\"true\"}", &last_run), 7u);
}

#define MANY 40

/* Each of many new jobs, told of by a change of its own; some are of ids that were there before, some say more than most. */
static void add_many(struct store_case *sc, uint32_t last_runs[MANY])
{
	struct store_batch *batch = store_batch_new(sc->store);
	char json[128], id[8];

	for (int i = 0; i < MANY; i++) {
		struct job_record record;

		snprintf(id, sizeof(id), "j%02d", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"shell\":\"true %d\"%s}", id, i, i == 21 ? ",\"priority\":3" : "");
		record = store_case_job(sc, json);
		last_runs[i] = UINT32_MAX;
		store_batch_add_job(batch, record.job, &record.state, &last_runs[i]);
		store_case_drop(&record);
		snprintf(json, sizeof(json), "{\"event\":\"job_added\",\"pid\":%d}", i);
		store_batch_put_change(batch, i, id, json);
	}
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
}

STORE_TEST(adds_many_jobs_each_with_its_numbers_and_its_change)
{
	struct store_batch *batch = store_batch_new(sc->store);
	uint32_t last_runs[MANY], last_run;
	char id[8], text[24];

	store_case_put_run(batch, "j30", 7, RUN_SUCCESS, 1);
	cr_assert_eq(store_case_commit(sc, batch), 0, "%s", sc->err.message);
	added(sc, "{\"id\":\"j12\",\"shell\":\"false\"}", &last_run);
	batch = store_batch_new(sc->store);
	store_batch_delete_job(batch, "j12", 41);
	cr_assert_eq(store_case_commit(sc, batch), 0);
	add_many(sc, last_runs);
	for (uint32_t i = 0; i < MANY; i++)
		cr_expect_eq(last_runs[i], i == 12 ? 41u : i == 30 ? 7u : 0u, "j%02u: %u", i, last_runs[i]);
	if (store_durable(sc->store)) {
		store_case_reopen(sc);
		cr_assert_eq(store_case_load(sc), (size_t)MANY);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "j%02d", i);
		snprintf(text, sizeof(text), "true %d", i);
		if (store_durable(sc->store)) {
			cr_expect_str_eq(store_case_record(sc, id)->job->shell, text);
			cr_expect_eq(job_details(store_case_record(sc, id)->job)->priority, i == 21 ? 3 : 0);
		}
		store_query_changes(sc->store, id, SCHEDD_TIME_NONE, 10, store_case_take_value, sc);
		store_case_flush(sc);
		if (store_durable(sc->store))
			cr_expect_eq(sc->value.array.count, 1u, "%s", id);
		if (sc->value.array.count)
			cr_expect_eq(value_get_int(&sc->value.array.items[0], "pid", -1), i);
	}
}

/* ---- Answers ---- */

STORE_TEST(answers_nothing_inside_the_call)
{
	struct store_run_query query = STORE_CASE_ALL;
	struct store_retention retention = STORE_CASE_KEEP_ALL;
	struct store_batch *batch = store_batch_new(sc->store);
	int64_t number = -1;

	store_case_put_run(batch, "a", 1, RUN_SUCCESS, 1);
	store_commit(sc->store, batch, store_case_done, sc);
	store_query_runs(sc->store, &query, store_case_take_runs, sc);
	store_query_changes(sc->store, NULL, SCHEDD_TIME_NONE, 1, store_case_take_value, sc);
	store_query_stats(sc->store, NULL, SCHEDD_TIME_NONE, store_case_take_value, sc);
	store_retain(sc->store, NULL, &retention, 1, store_case_done, sc);
	store_commit(sc->store, NULL, store_case_done, sc);
	store_last_run(sc->store, "a", store_case_take_number, &number);
	cr_assert_eq(sc->answers, 0);
	cr_assert_eq(number, -1);
	store_case_flush(sc);
	cr_assert_eq(sc->answers, 6);
	cr_assert_eq(number, 1);
}
