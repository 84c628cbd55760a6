/* SPDX-License-Identifier: MIT */
/* Runs in pieces: all of them once, in the order of the whole list, whatever happens in between. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 50

struct walked {
	struct scheduler_run_walk *walk;
	struct strbuf ids;
	uint32_t count;
	int rc;
	bool ready;
};

static void walked_ready(
    int rc, const struct schedd_error *err, struct scheduler_run_walk *walk, void *context)
{
	struct walked *walked = context;

	(void)err;
	walked->rc = rc;
	walked->walk = walk;
	walked->ready = true;
}

static void walked_one(const struct value *run, struct arena *arena, void *context)
{
	struct walked *walked = context;

	(void)arena;
	strbuf_printf(&walked->ids, "%s ", value_get_string(run, "id"));
	walked->count++;
}

static void walk_begin(struct core_fixture *f, struct walked *walked, uint64_t limit)
{
	const struct store_run_query query = {
	    .since = SCHEDD_TIME_NONE, .until = SCHEDD_TIME_NONE, .limit = limit};

	memset(walked, 0, sizeof(*walked));
	scheduler_walk_runs(f->scheduler, &query, walked_ready, walked);
	core_settle(f);
	cr_assert(walked->ready);
	cr_assert_eq(walked->rc, 0);
}

Test(run_walk, gives_all_in_pieces_while_others_begin_and_end)
{
	struct core_fixture f = {0};
	struct walked walked;
	struct strbuf expected = STRBUF_EMPTY;
	int rc, pieces = 0;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','call':{'function':'count'},'trigger':{'type':'manual'}}");
	for (int i = 1; i <= RUNS; i++)
		cr_assert_eq(core_run(&f, "a"), 0);
	for (int i = RUNS; i >= 1; i--)
		strbuf_printf(&expected, "a/%d ", i);
	walk_begin(&f, &walked, 1000);
	do {
		rc = scheduler_run_walk_more(walked.walk, 0, walked_one, &walked, NULL);
		pieces++;
		/* What comes meanwhile is not in it. */
		cr_assert_eq(core_run(&f, "a"), 0);
	} while (rc > 0);
	cr_expect_eq(rc, 0);
	cr_expect_geq(pieces, 3);
	cr_expect_str_eq(strbuf_peek(&walked.ids), strbuf_peek(&expected));
	{
		struct value rest = scheduler_run_walk_rest(walked.walk);

		cr_expect_eq(value_get(&rest, "next")->type, VALUE_NIL);
	}
	scheduler_run_walk_free(walked.walk);
	strbuf_clear(&walked.ids);
	strbuf_clear(&expected);
	core_close(&f);
}

Test(run_walk, ends_where_its_limit_is_and_may_be_given_up)
{
	struct core_fixture f = {0};
	struct walked walked;
	struct value rest;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','call':{'function':'count'},'trigger':{'type':'manual'}}");
	for (int i = 1; i <= RUNS; i++)
		cr_assert_eq(core_run(&f, "a"), 0);
	walk_begin(&f, &walked, 20);
	cr_assert_eq(scheduler_run_walk_more(walked.walk, 0, walked_one, &walked, NULL), 1);
	cr_assert_eq(scheduler_run_walk_more(walked.walk, SCHEDD_SPAN_NONE, walked_one, &walked, NULL), 0);
	cr_expect_eq(walked.count, 20);
	rest = scheduler_run_walk_rest(walked.walk);
	cr_expect_eq(value_get(&rest, "next")->type, VALUE_STRING);
	scheduler_run_walk_free(walked.walk);
	strbuf_clear(&walked.ids);
	walk_begin(&f, &walked, 1000);
	cr_assert_eq(scheduler_run_walk_more(walked.walk, 0, walked_one, &walked, NULL), 1);
	scheduler_run_walk_free(walked.walk);
	strbuf_clear(&walked.ids);
	core_close(&f);
}
