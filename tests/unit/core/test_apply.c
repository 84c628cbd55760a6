/* SPDX-License-Identifier: MIT */
/* Files of many jobs, where each look at the clock takes so long that all is done in pieces. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/strbuf.h"

#define MANY 300
#define LARGE 1500 /* more than are looked at together */

static struct core_fixture f;

/* Of count jobs, and more behind them. */
static char *file_of(int count, const char *more)
{
	struct strbuf text = STRBUF_EMPTY;

	strbuf_add_char(&text, '[');
	for (int i = 0; i < count; i++)
		strbuf_printf(&text, "%s{'id':'j%04d','command':['x'],'trigger':{'every':'10h'}}",
		    i ? "," : "", i);
	strbuf_printf(&text, "%s%s]", count && *more ? "," : "", more);
	return strbuf_take(&text);
}

static int apply(int count, const char *more, const char *owner, bool prune, bool dry_run)
{
	char *text = file_of(count, more);
	int rc = core_apply(&f, text, owner, prune, dry_run);

	free(text);
	return rc;
}

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	core_open(&f, NULL);
	f.look = 4000;
}

static void teardown(void)
{
	core_close(&f);
}

TestSuite(apply, .init = setup, .fini = teardown);

static void answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	(void)err;
	(void)result;
	*(int *)context = rc;
}

/* Begins to take all jobs of the owner away; *rc is 1 until it is answered. */
static void begin_to_prune(int *rc)
{
	const struct scheduler_actor actor = {1000, 77, "test", NULL};
	struct value none = value_array();
	struct scheduler_apply request = {.jobs = &none, .owner = "o", .prune = true};

	*rc = 1;
	scheduler_apply(
	    f.scheduler, &request, &actor, (struct scheduler_reply){answered, rc});
}

Test(apply, takes_jobs_away_in_pieces)
{
	int rc;

	cr_assert_eq(apply(MANY, "", "o", true, false), 0, "%s", f.err.message);
	cr_assert_eq(apply(0, "{'id':'a','command':['x'],'trigger':{'every':'1h'}}", "p", true, false), 0);
	cr_assert_eq(core_add(&f, "{'id':'z','command':['x'],'trigger':{'every':'1h'}}"), 0);
	cr_assert_eq(scheduler_job_count(f.scheduler), MANY + 2);
	begin_to_prune(&rc);
	cr_assert_eq(rc, 1, "all of it was done at once");
	core_settle(&f);
	cr_assert_eq(rc, 0);
	cr_assert_eq(scheduler_job_count(f.scheduler), 2);
	cr_assert_not_null(scheduler_job_peek(f.scheduler, "a"));
	cr_assert_not_null(scheduler_job_peek(f.scheduler, "z"));
}

Test(apply, waits_for_one_that_is_being_changed)
{
	const struct scheduler_actor actor = {1000, 77, "test", NULL};
	int rc, paused = 1;

	cr_assert_eq(apply(MANY, "", "o", true, false), 0);
	begin_to_prune(&rc);
	scheduler_pause_job(f.scheduler, "j0200", SCHEDD_TIME_NONE, NULL, &actor,
	    (struct scheduler_reply){answered, &paused});
	/* Its store may answer later, which is when it goes on. */
	for (int i = 0; i < 10 && rc == 1; i++)
		core_settle(&f);
	cr_assert_eq(rc, 0);
	cr_assert_eq(paused, 0, "it was paused before its turn came");
	cr_assert_eq(scheduler_job_count(f.scheduler), 0);
}

Test(apply, of_a_large_file_finds_what_it_lacks)
{
	static const char extra[] = "{'id':'x','command':['x'],'trigger':{'every':'1h'}}";

	cr_assert_eq(apply(LARGE, extra, "o", true, false), 0, "%s", f.err.message);
	cr_assert_eq(scheduler_job_count(f.scheduler), LARGE + 1);
	cr_assert_eq(apply(LARGE, "", "o", true, false), 0, "%s", f.err.message);
	cr_assert_eq(scheduler_job_count(f.scheduler), LARGE);
	cr_assert_null(scheduler_job_peek(f.scheduler, "x"));
	cr_assert_eq(apply(LARGE, "", "o", true, false), 0);
	cr_assert_eq(scheduler_job_count(f.scheduler), LARGE);
}

Test(apply, is_undone_in_pieces)
{
	cr_assert_eq(apply(MANY, "{'id':'../'}", "o", true, false), SCHEDD_EINVAL);
	cr_assert_eq(scheduler_job_count(f.scheduler), 0);
	cr_assert_eq(apply(MANY, "", "o", true, true), 0);
	cr_assert_eq(scheduler_job_count(f.scheduler), 0);
	cr_assert_eq(core_add(&f, "{'id':'j0299','command':['x'],'trigger':{'every':'1h'}}"), 0,
	    "%s", f.err.message);
	/* Jobs that would have been changed or taken away are as they were, and may be changed. */
	cr_assert_eq(apply(MANY, "", "o", true, false), 0);
	cr_assert_eq(apply(MANY, "{'id':'../'}", "o", true, false), SCHEDD_EINVAL);
	cr_assert_eq(apply(0, "", "o", true, true), 0);
	cr_assert_eq(scheduler_job_count(f.scheduler), MANY);
	cr_assert_eq(core_modify(&f, "j0150", "{'description':'d'}"), 0);
	cr_assert_eq(core_remove(&f, "j0299"), 0);
}

Test(apply, ends_with_the_scheduler)
{
	int rc;

	cr_assert_eq(apply(MANY, "", "o", true, false), 0);
	begin_to_prune(&rc);
	core_reopen(&f);
	cr_assert_lt(rc, 0, "nobody was told");
	core_settle(&f);
}

/* Files in lists, as they come in parts. */
struct parts {
	struct arena arena;
	struct value lists[3];
	int jobs, rows;
	int at_most; /* rows there is memory for */
};

static int part_job(struct value *job, void *context, struct schedd_error *err)
{
	struct parts *parts = context;

	(void)err;
	cr_expect_eq(parts->rows, parts->jobs, "each is told before the next is taken up");
	cr_expect_not_null(value_get_string(job, "id"));
	parts->jobs++;
	return 0;
}

static bool part_row(struct value *row, void *context)
{
	struct parts *parts = context;

	cr_expect_str_eq(value_get_string(row, "action"), "added");
	/* It is the last time that the job is looked at: its part may be gone. */
	if (parts->jobs == MANY)
		memset(parts->lists[0].array.items, 0xa5, MANY * sizeof(struct value));
	return ++parts->rows <= parts->at_most;
}

static int apply_parts(struct parts *parts, int at_most)
{
	const struct scheduler_actor actor = {1000, 77, "test", NULL};
	struct scheduler_apply request = {.jobs = parts->lists,
	    .lists = 3,
	    .lent = true,
	    .each = part_job,
	    .row = part_row,
	    .each_context = parts};
	int rc = 1;

	arena_init(&parts->arena);
	for (int i = 0; i < 3; i++) {
		char *text = i == 1 ? file_of(0, "") : file_of(MANY, "");

		for (char *at = text; *at; at++)
			if (*at == 'j' && i == 2 && at[1] == '0')
				*at = 'k'; /* other ids */
			else if (*at == '\'')
				*at = '"';
		cr_assert_eq(json_parse(text, strlen(text), &parts->arena, &parts->lists[i], NULL), 0);
		free(text);
	}
	parts->jobs = parts->rows = 0;
	parts->at_most = at_most;
	scheduler_apply(f.scheduler, &request, &actor, (struct scheduler_reply){answered, &rc});
	cr_expect_eq(parts->jobs, 1, "the first piece is one job");
	core_settle(&f);
	arena_clear(&parts->arena);
	return rc;
}

Test(apply, tells_row_by_row_of_parts_that_may_go)
{
	struct parts parts;

	/* Without memory for a row nothing is done. */
	cr_assert_eq(apply_parts(&parts, MANY + 20), SCHEDD_ENOMEM);
	cr_assert_eq(scheduler_job_count(f.scheduler), 0);
	cr_assert_eq(apply_parts(&parts, 2 * MANY), 0);
	cr_assert_eq(parts.rows, 2 * MANY);
	cr_assert_eq(scheduler_job_count(f.scheduler), 2 * MANY);
}

static int leave_out_every_second(struct value *job, void *context, struct schedd_error *err)
{
	int *seen = context;

	(void)job;
	++*seen;
	if (*seen == MANY + 1)
		return schedd_error_set(err, SCHEDD_ECONFLICT, "not this one");
	return *seen % 2;
}

Test(apply, asks_of_each_job)
{
	const struct scheduler_actor actor = {1000, 77, "test", NULL};
	struct arena arena;
	struct value jobs;
	int seen = 0;
	char *text = file_of(MANY, "");

	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	arena_init(&arena);
	cr_assert_eq(json_parse(text, strlen(text), &arena, &jobs, NULL), 0);
	for (int turn = 0; turn < 2; turn++) {
		struct scheduler_apply request = {.jobs = &jobs, .each = leave_out_every_second, .each_context = &seen};
		int rc = 1;

		scheduler_apply(
		    f.scheduler, &request, &actor, (struct scheduler_reply){answered, &rc});
		core_settle(&f);
		cr_assert_eq(rc, turn ? SCHEDD_ECONFLICT : 0);
		cr_assert_eq(scheduler_job_count(f.scheduler), MANY / 2);
	}
	arena_clear(&arena);
	free(text);
}
