/* SPDX-License-Identifier: MIT */
#include "model/run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "model/job.h"

Test(run, names_every_state_and_trigger)
{
	for (int i = RUN_QUEUED; i <= RUN_LOST; i++) {
		enum run_state back;

		cr_assert(run_state_parse(run_state_name((enum run_state)i), &back));
		cr_assert_eq((int)back, i);
		cr_assert_eq(run_ended(back), i >= RUN_SUCCESS);
	}
	for (int i = RUN_BY_SCHEDULE; i <= RUN_BY_AFTER; i++) {
		enum run_trigger back;

		cr_assert(run_trigger_parse(run_trigger_name((enum run_trigger)i), &back));
		cr_assert_eq((int)back, i);
	}
	cr_assert_not(run_state_parse("done", &(enum run_state){0}));
	cr_assert_not(run_trigger_parse("", &(enum run_trigger){0}));
}

static void same_json(const struct run *run, const char *expected)
{
	struct strbuf out = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = run_to_value(run, &arena);
	json_write(&out, &value);
	cr_assert_str_eq(strbuf_peek(&out), expected);
	strbuf_clear(&out);
	arena_clear(&arena);
}

Test(run, has_the_json_that_is_promised)
{
	struct run run;

	run_init(&run);
	run.job = strdup("backup");
	run.number = 42;
	same_json(&run,
	    "{\"job\":\"backup\",\"run\":42,\"id\":\"backup/42\",\"state\":\"queued\","
	    "\"scheduled_at\":null,\"started_at\":null,\"ended_at\":null,\"trigger\":\"schedule\","
	    "\"attempt\":1,\"exit_code\":null,\"signal\":null,\"reason\":null,\"duration\":null,"
	    "\"max_rss\":null,\"cpu_seconds\":null,\"output_bytes\":0,\"output_dropped\":0,"
	    "\"coalesced\":0,\"count\":1,\"until\":null,\"pid\":null,\"node\":null,\"actor\":null}");
	run.state = RUN_SUCCESS;
	run.scheduled_at = 1000000;
	run.started_at = 1000100;
	run.ended_at = 4214100;
	run.exit_code = 0;
	run.max_rss = 18432000;
	run.cpu_us = 800000;
	run.pid = 77;
	same_json(&run,
	    "{\"job\":\"backup\",\"run\":42,\"id\":\"backup/42\",\"state\":\"success\","
	    "\"scheduled_at\":1000000,\"started_at\":1000100,\"ended_at\":4214100,"
	    "\"trigger\":\"schedule\",\"attempt\":1,\"exit_code\":0,\"signal\":null,"
	    "\"reason\":null,\"duration\":3.214,\"max_rss\":18432000,\"cpu_seconds\":0.8,"
	    "\"output_bytes\":0,\"output_dropped\":0,\"coalesced\":0,\"count\":1,\"until\":null,"
	    "\"pid\":77,\"node\":null,\"actor\":null}");
	run_clear(&run);
}

Test(run, has_a_row_for_each_member_of_its_json)
{
	const struct run_field *row = run_fields();
	struct arena arena;
	struct value value;
	struct run run;

	arena_init(&arena);
	run_init(&run);
	value = run_to_value(&run, &arena);
	for (uint32_t i = 0; i < value.map.count; i++, row++)
		cr_assert_str_eq(row->name, value.map.members[i].key);
	cr_assert_null(row->name);
	arena_clear(&arena);
}

Test(run, copies_what_it_owns)
{
	struct run run, copy;

	run_init(&run);
	run.job = strdup("a");
	run.reason = strdup("No such file or directory");
	run.attempts = strdup("[{\"attempt\":1}]");
	run.actor = strdup("uid 0");
	run.node = strdup("web1");
	cr_assert_eq(run_copy(&copy, &run), 0);
	run_clear(&run);
	cr_assert_str_eq(copy.reason, "No such file or directory");
	cr_assert_str_eq(copy.actor, "uid 0");
	cr_assert_str_eq(copy.node, "web1");
	run_clear(&copy);
}

Test(run, lists_attempts)
{
	struct run run;
	struct arena arena;
	struct value list;

	arena_init(&arena);
	run_init(&run);
	cr_assert_eq(run_attempts(&run, &arena).array.count, 0);
	run.started_at = run.attempt_started = 5;
	run.state = RUN_RUNNING;
	list = run_attempts(&run, &arena);
	cr_assert_eq(list.array.count, 1);
	cr_assert_eq(value_get_int(&list.array.items[0], "started_at", 0), 5);
	/* It waits for its second one, which then begins. */
	run.attempt = 2;
	run.attempt_started = SCHEDD_TIME_NONE;
	run.attempts = (char[]){"[{\"attempt\":1,\"started_at\":5}]"};
	cr_assert_eq(run_attempts(&run, &arena).array.count, 1);
	run.attempt_started = 7;
	list = run_attempts(&run, &arena);
	cr_assert_eq(list.array.count, 2);
	cr_assert_eq(value_get_int(&list.array.items[1], "started_at", 0), 7);
	/* Once that has ended it is in the record, and not twice in the list. */
	run.attempts =
	    (char[]){"[{\"attempt\":1,\"started_at\":5},{\"attempt\":2,\"started_at\":7}]"};
	cr_assert_eq(run_attempts(&run, &arena).array.count, 2);
	/* A run that was lost began, though nobody knows when. */
	run.attempts = (char[]){"[{\"attempt\":1,\"started_at\":5}]"};
	run.attempt_started = SCHEDD_TIME_NONE;
	run.state = RUN_LOST;
	cr_assert_eq(run_attempts(&run, &arena).array.count, 2);
	run.attempts = (char[]){"{"};
	run.state = RUN_SUCCESS;
	cr_assert_eq(run_attempts(&run, &arena).array.count, 0);
	arena_clear(&arena);
}

Test(run, reads_its_id)
{
	static const char *const bad[] = {"", "a", "a/", "/1", "a/0", "a/01", "a/-1", "a/1x",
	    "a/1/2", "a/4294967296", "a b/1", "-a/1"};
	char id[JOB_ID_MAX + 1];
	uint32_t number;

	cr_assert(run_parse_id("backup.daily-1/4294967295", id, &number));
	cr_assert_str_eq(id, "backup.daily-1");
	cr_assert_eq(number, UINT32_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(run_parse_id(bad[i], id, &number), "%s", bad[i]);
}
