/* SPDX-License-Identifier: MIT */
/* Adding, changing and removing jobs. */
#include "support/core_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/message.h"

#define S SCHEDD_SECOND
#define TEN "'trigger':{'type':'interval','seconds':10},'command':['x']"

Test(jobs, are_refused_with_a_sentence)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	cr_expect_eq(core_add(&f, "{'id':'a b'," TEN "}"), SCHEDD_EINVAL);
	cr_expect_eq(core_add(&f, "{'id':'a'," TEN "}"), 0);
	cr_expect_eq(core_add(&f, "{'id':'a'," TEN "}"), SCHEDD_ECONFLICT);
	cr_expect_eq(core_add(&f, "{'id':'b','store':'nowhere'," TEN "}"), SCHEDD_ENOTFOUND);
	cr_expect_eq(core_add(&f, "{'id':'b','executor':'nobody'," TEN "}"), SCHEDD_ENOTFOUND);
	cr_expect_eq(core_add(&f, "{'id':'b','trigger':{'cron':'0 0 30 2 *'},'command':['x']}"),
	    SCHEDD_EINVAL);
	cr_expect_not_null(strstr(f.err.message, "no run times"), "%s", f.err.message);
	cr_expect_eq(core_add(&f, "{'id':'b','trigger':{'at':'2020-01-01'},'command':['x']}"),
	    SCHEDD_EINVAL);
	cr_expect_eq(core_add(&f, "{'id':'b','trigger':{'type':'manual'}}"), SCHEDD_EINVAL);
	cr_expect_eq(core_remove(&f, "b"), SCHEDD_ENOTFOUND);
	cr_expect_eq(scheduler_job_count(f.scheduler), 1);
	core_close(&f);
}

Test(jobs, may_lie_in_the_past_when_that_is_allowed)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	cr_expect_eq(core_add_flags(&f, "{'id':'b','trigger':{'at':'2020-01-01'},'command':['x']}",
			 SCHEDULER_ADD_ALLOW_PAST),
	    0);
	cr_expect_eq(core_tasks(), 1);
	core_close(&f);
}

Test(jobs, get_ids_and_run_once_now_without_a_trigger)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	cr_assert_eq(core_add(&f, "{'command':['x']}"), 0, "%s", f.err.message);
	cr_expect_not_null(strstr(f.json, "\"id\":\"j-"));
	cr_expect_eq(core_tasks(), 1);
	core_close(&f);
}

Test(jobs, keep_their_next_time_while_the_trigger_is_the_same)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_advance(&f, 5 * S);
	cr_assert_eq(core_modify(&f, "a", "{'name':'other'}"), 0, "%s", f.err.message);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 10 * S);
	cr_assert_eq(core_modify(&f, "a", "{'trigger':{'type':'interval','seconds':60}}"), 0);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 65 * S);
	cr_expect_str_eq(core_field(&f, "a", "revision"), "3");
	core_close(&f);
}

Test(jobs, guard_changes_by_their_revision)
{
	struct core_fixture f = {0};
	struct arena arena;
	struct value changes = value_map();

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	arena_init(&arena);
	value_put(&arena, &changes, "name", value_string_ref("n"));
	scheduler_modify(f.scheduler, "a", &changes, 7, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(f.rc, SCHEDD_ECONFLICT);
	scheduler_modify(f.scheduler, "a", &changes, 1, NULL, core_reply(&f));
	core_settle(&f);
	cr_expect_eq(f.rc, 0);
	arena_clear(&arena);
	core_close(&f);
}

Test(jobs, are_paused_by_a_null_next_run_time)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','next_run_time':null," TEN "}");
	cr_expect_str_eq(core_field(&f, "a", "state"), "\"paused\"");
	core_advance(&f, 30 * S);
	cr_expect_eq(core_tasks(), 0);
	core_resume(&f, "a", false);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 40 * S);
	cr_assert_eq(core_modify(&f, "a", "{'next_run_time':1772409632000000}"), 0);
	core_advance(&f, 2 * S);
	cr_expect_eq(core_tasks(), 1);
	cr_expect_eq(core_next(&f, "a"), CORE_EPOCH + 40 * S);
	core_close(&f);
}

Test(jobs, end_after_max_runs)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(
	    &f, "{'id':'a','max_runs':2,'trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, SCHEDD_MINUTE);
	cr_expect_eq(f.calls, 2);
	cr_expect_null(scheduler_job_state(f.scheduler, "a"));
	core_expect_runs(&f, "a", "1 success; 2 success");
	core_close(&f);
}

Test(jobs, never_reuse_run_numbers)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, 30 * S);
	cr_assert_eq(core_remove(&f, "a"), 0);
	core_add(&f, "{'id':'a','trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, 10 * S);
	core_expect_runs(&f, "a", "1 success; 2 success; 3 success; 4 success");
	core_close(&f);
}

Test(jobs, go_on_with_the_definition_a_run_was_started_with)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','timeout':30," TEN "}");
	core_advance(&f, 10 * S);
	core_modify(&f, "a", "{'timeout':5}");
	core_advance(&f, 20 * S);
	cr_expect_eq(core_task_signal(0), 0);
	core_remove(&f, "a");
	core_task_end(0, 0);
	core_expect_runs(&f, "a", "1 success; 2 skipped x2");
	core_close(&f);
}

Test(jobs, keep_history_and_output_under_a_new_name)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','trigger':{'every':'10s'},'call':{'function':'count'}}");
	core_advance(&f, 10 * S);
	scheduler_rename(f.scheduler, "a", "b", NULL, core_reply(&f));
	core_settle(&f);
	cr_assert_eq(f.rc, 0, "%s", f.err.message);
	core_settle(&f);
	core_advance(&f, 10 * S);
	cr_expect_null(scheduler_job_state(f.scheduler, "a"));
	core_expect_runs(&f, "b", "1 success; 2 success");
	core_close(&f);
}

Test(jobs, are_brought_to_what_a_file_says)
{
	struct core_fixture f = {0};

	core_open(&f, NULL);
	core_add(&f, "{'id':'mine'," TEN "}");
	cr_assert_eq(
	    core_apply(&f, "[{'id':'a'," TEN "},{'id':'b'," TEN "}]", "team", false, true), 0);
	cr_expect_eq(scheduler_job_count(f.scheduler), 1);
	cr_assert_eq(
	    core_apply(&f, "[{'id':'a'," TEN "},{'id':'b'," TEN "}]", "team", false, false), 0,
	    "%s", f.err.message);
	cr_expect_eq(scheduler_job_count(f.scheduler), 3);
	cr_assert_eq(core_apply(&f, "[{'id':'a','name':'n'," TEN "}]", "team", true, false), 0);
	cr_expect_str_eq(f.json, "[{\"id\":\"a\",\"action\":\"changed\",\"fields\":[\"name\"]},"
				 "{\"id\":\"b\",\"action\":\"removed\",\"fields\":[]}]");
	cr_assert_eq(core_apply(&f, "[{'id':'a','name':'n'," TEN "}]", "team", true, false), 0);
	cr_expect_str_eq(f.json, "[{\"id\":\"a\",\"action\":\"unchanged\",\"fields\":[]}]");
	cr_expect_eq(scheduler_job_count(f.scheduler), 2);
	/* One bad job and nothing is done. */
	cr_assert_eq(core_apply(&f, "[{'id':'c'," TEN "},{'id':'d','executor':'nobody'," TEN "}]",
			 NULL, false, false),
	    SCHEDD_ENOTFOUND);
	cr_expect_eq(scheduler_job_count(f.scheduler), 2);
	core_close(&f);
}

static void jobs_append(const char *id, void *context)
{
	strbuf_printf(context, "%s ", id);
}

Test(jobs, are_listed_by_next_run_page_by_page)
{
	struct core_fixture f = {0};
	struct scheduler_job_query query = {
	    .due_before = SCHEDD_TIME_NONE, .by_next = true, .limit = 2};
	struct strbuf ids = STRBUF_EMPTY, next = STRBUF_EMPTY, after = STRBUF_EMPTY;
	int pages = 0;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','paused':true," TEN "}");
	core_add(&f, "{'id':'b','trigger':{'type':'manual'},'command':['x']}");
	core_add(&f, "{'id':'c','trigger':{'every':30},'command':['x']}");
	core_add(&f, "{'id':'d'," TEN "}");
	core_add(&f, "{'id':'e','trigger':{'every':20},'command':['x']}");
	core_add(&f, "{'id':'f'," TEN "}");
	do {
		strbuf_reset(&after);
		strbuf_add(&after, strbuf_peek(&next));
		strbuf_reset(&next);
		query.after = pages++ ? strbuf_peek(&after) : NULL;
		cr_assert_eq(
		    scheduler_job_find(f.scheduler, &query, jobs_append, &ids, &next, &f.err), 0);
	} while (next.length);
	cr_expect_str_eq(strbuf_peek(&ids), "d f e c b a ");
	cr_expect_eq(pages, 3);
	query.after = "d";
	cr_expect_eq(scheduler_job_find(f.scheduler, &query, jobs_append, &ids, &next, &f.err),
	    SCHEDD_EINVAL);
	strbuf_clear(&ids);
	strbuf_clear(&next);
	strbuf_clear(&after);
	core_close(&f);
}

/* Pieces as short as they can be; changed is called after each. */
static char *walk_in_pieces(struct core_fixture *f, const struct scheduler_job_query *query,
    void (*changed)(struct core_fixture *f, int piece), int *pieces)
{
	struct strbuf ids = STRBUF_EMPTY;
	struct scheduler_job_walk *walk = scheduler_job_walk_new(f->scheduler, query, &f->err);
	int rc;

	cr_assert_not_null(walk);
	*pieces = 0;
	do {
		rc = scheduler_job_walk_more(walk, 0, jobs_append, &ids, &f->err);
		cr_assert_geq(rc, 0);
		if (changed)
			changed(f, *pieces);
		++*pieces;
	} while (rc);
	scheduler_job_walk_free(walk);
	return strbuf_take(&ids);
}

/* Those that a walk has shown or has still to show; what is there all the time comes once. */
static void remove_and_add(struct core_fixture *f, int piece)
{
	char text[128];

	snprintf(text, sizeof(text), "j%03d", piece * 2);
	cr_expect_eq(core_remove(f, text), 0);
	snprintf(text, sizeof(text), "j%03d", 499 - piece * 2);
	cr_expect_eq(core_remove(f, text), 0);
	snprintf(text, sizeof(text), "{'id':'j%03da'," TEN "}", 250 + piece);
	core_add(f, text);
}

static void many(struct core_fixture *f)
{
	char text[128];

	core_open(f, NULL);
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "{'id':'j%03d'," TEN "}", i);
		core_add(f, text);
	}
}

Test(jobs, are_listed_in_pieces_while_they_change)
{
	static const bool orders[] = {false, true};

	for (size_t i = 0; i < 2; i++) {
		struct core_fixture f = {0};
		struct scheduler_job_query query = {
		    .due_before = SCHEDD_TIME_NONE, .by_next = orders[i]};
		int pieces;
		char *ids, id[16];

		many(&f);
		ids = walk_in_pieces(&f, &query, remove_and_add, &pieces);
		cr_expect_geq(pieces, 500 / 32);
		for (int k = 100; k < 400; k++) {
			const char *found;

			snprintf(id, sizeof(id), "j%03d ", k);
			found = strstr(ids, id);
			cr_assert_not_null(found, "%s is left out", id);
			cr_expect_null(strstr(found + 1, id), "%s comes twice", id);
		}
		free(ids);
		core_close(&f);
	}
}

Test(jobs, are_looked_through_in_pieces_where_none_matches)
{
	struct core_fixture f = {0};
	const char *patterns[101] = {NULL};
	struct scheduler_job_query query = {.due_before = SCHEDD_TIME_NONE, .patterns = patterns};
	int pieces;
	char *ids;

	many(&f);
	patterns[0] = "none*";
	ids = walk_in_pieces(&f, &query, NULL, &pieces);
	cr_expect_geq(pieces, 500 / 32);
	free(ids);
	/* More to compare with: less is looked at in a piece. */
	for (int i = 0; i < 100; i++)
		patterns[i] = "none?";
	ids = walk_in_pieces(&f, &query, NULL, &pieces);
	cr_expect_geq(pieces, 500);
	free(ids);
	core_close(&f);
}

Test(jobs, show_the_members_that_were_asked_for)
{
	static const char *const fields[] = {"state", "id", "trigger_words", "nothing", NULL};
	struct core_fixture f = {0};
	struct arena arena;
	struct value some;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	arena_init(&arena);
	some = scheduler_job_some(f.scheduler, "a", fields, &arena);
	cr_expect_eq(some.map.count, 4);
	cr_expect_str_eq(value_get_string(&some, "state"), "waiting");
	cr_expect_str_eq(value_get_string(&some, "id"), "a");
	cr_expect_not_null(value_get_string(&some, "trigger_words"));
	cr_expect_eq(value_get(&some, "nothing")->type, VALUE_NIL);
	some = scheduler_job_some(f.scheduler, "b", fields, &arena);
	cr_expect_eq(some.type, VALUE_NIL);
	arena_clear(&arena);
	core_close(&f);
}

/* What the answer of a list has of its jobs. */
static void packed_jobs(
    const struct scheduler_job_packer *packer, struct arena *arena, struct value *jobs)
{
	struct strbuf bytes = STRBUF_EMPTY;
	struct value none = value_map();
	struct schedd_error err;
	struct message message;

	message_pack_list(&bytes, 1, "jobs", &packer->packed, packer->count, &none);
	cr_assert_eq(message_unpack(bytes.data, bytes.length, arena, &message, &err), 0, "%s", err.message);
	*jobs = *value_get(&message.result, "jobs");
	strbuf_clear(&bytes);
}

Test(jobs, are_packed_one_by_one_with_the_details_of_each)
{
	static const char *const ids[] = {"a", "b", "none", "c", "d"};
	struct core_fixture f = {0};
	struct scheduler_job_packer packer = {0};
	struct arena arena;
	struct value jobs;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a','tags':{'x':'1'}," TEN "}");
	core_add(&f, "{'id':'b','tags':{'x':'1'}," TEN "}");
	core_add(&f, "{'id':'c'," TEN "}");
	core_add(&f, "{'id':'d','tags':{'y':'2'},'cwd':'/'," TEN "}");
	cr_expect_eq(core_pause(&f, "b", "for a reason that is longer than what is written without a look at its length"), 0);
	arena_init(&arena);
	packer.scheduler = f.scheduler;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		scheduler_job_pack(&packer, ids[i]);
		if (i == 1)
			scheduler_job_pack_pause(&packer);
	}
	packed_jobs(&packer, &arena, &jobs);
	cr_assert_eq(jobs.array.count, 4);
	for (uint32_t i = 0; i < jobs.array.count; i++) {
		struct value *job = &jobs.array.items[i];
		struct value shown = scheduler_job_value(f.scheduler, value_get_string(job, "id"), &arena);

		cr_expect(value_equal(job, &shown));
		cr_expect_str_eq(job->map.members[0].key, "id");
	}
	scheduler_job_pack_clear(&packer);
	arena_clear(&arena);
	core_close(&f);
}

Test(jobs, are_found_by_ids_and_patterns_together)
{
	const char *patterns[] = {"b", "nobody", "b", "c*", "d", NULL};
	struct core_fixture f = {0};
	struct scheduler_job_query query = {.due_before = SCHEDD_TIME_NONE, .patterns = patterns};
	int pieces;
	char *ids;

	core_open(&f, NULL);
	core_add(&f, "{'id':'a'," TEN "}");
	core_add(&f, "{'id':'b'," TEN "}");
	core_add(&f, "{'id':'c1'," TEN "}");
	core_add(&f, "{'id':'c2'," TEN "}");
	core_add(&f, "{'id':'d'," TEN "}");
	ids = walk_in_pieces(&f, &query, NULL, &pieces);
	cr_expect_str_eq(ids, "b c1 c2 d ");
	free(ids);
	query.by_next = true;
	ids = walk_in_pieces(&f, &query, NULL, &pieces);
	cr_expect_str_eq(ids, "b c1 c2 d ");
	free(ids);
	core_close(&f);
}

/* However many ids are asked for, a job is looked up among them: a piece holds as many as without. */
Test(jobs, are_not_held_against_each_of_many_ids)
{
	struct core_fixture f = {0};
	const char *patterns[101] = {NULL};
	struct scheduler_job_query query = {.due_before = SCHEDD_TIME_NONE, .patterns = patterns};
	int pieces;
	char *ids;

	many(&f);
	for (int i = 0; i < 100; i++)
		patterns[i] = "none";
	ids = walk_in_pieces(&f, &query, NULL, &pieces);
	cr_expect_str_eq(ids, "");
	cr_expect_lt(pieces, 100);
	free(ids);
	core_close(&f);
}
