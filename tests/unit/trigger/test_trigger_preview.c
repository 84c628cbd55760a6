/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_preview.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include "support/trigger_case.h"
#include "trigger/trigger_ops.h"

static void answers(const char *line, const char *expect)
{
	struct strbuf out = STRBUF_EMPTY;
	struct trigger_case tc;

	trigger_case_init(&tc);
	tc.context.strict = true; /* which JSON does not care about */
	trigger_preview_line(line, strlen(line), &tc.context, &out);
	cr_expect_str_eq(strbuf_peek(&out), expect);
	strbuf_clear(&out);
	trigger_case_clear(&tc);
}

Test(trigger_preview, lists_times_in_the_triggers_zone)
{
	answers("{\"trigger\":{\"cron\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"},"
		"\"from\":\"2027-03-28\",\"n\":2}",
	    "{\"trigger\":{\"type\":\"cron\",\"expr\":\"30 2 * * "
	    "*\",\"timezone\":\"Europe/Berlin\"},"
	    "\"timezone\":\"Europe/Berlin\",\"fire_times\":[\"2027-03-28T03:30:00+02:00\","
	    "\"2027-03-29T02:30:00+02:00\"],\"notes\":[{\"fire_time\":\"2027-03-28T03:30:00+02:"
	    "00\","
	    "\"note\":\"moved\"}]}");
	answers("{\"trigger\":{\"on_calendar\":\"2026-02-03 Asia/Tokyo\"}}",
	    "{\"trigger\":{\"type\":\"cron\",\"on_calendar\":\"2026-02-03\","
	    "\"timezone\":\"Asia/Tokyo\"},\"timezone\":\"Asia/Tokyo\","
	    "\"fire_times\":[\"2026-02-03T00:00:00+09:00\"]}");
}

Test(trigger_preview, moves_dates_in_json_out_of_gaps)
{
	answers("{\"trigger\":{\"at\":\"2026-03-29 02:30\",\"timezone\":\"Europe/Berlin\"}}",
	    "{\"trigger\":{\"type\":\"date\",\"run_at\":\"2026-03-29T03:30:00+02:00\","
	    "\"timezone\":\"Europe/Berlin\"},\"timezone\":\"Europe/Berlin\","
	    "\"fire_times\":[\"2026-03-29T03:30:00+02:00\"]}");
}

Test(trigger_preview, says_which_day_goes_without)
{
	const char *head = "{\"trigger\":{\"type\":\"cron\",\"expr\":\"*/30 2 * * *\","
			   "\"timezone\":\"Europe/Berlin\"},\"timezone\":\"Europe/Berlin\",";
	char expect[1024];

	snprintf(expect, sizeof(expect),
	    "%s\"fire_times\":[\"2027-03-27T02:30:00+01:00\",\"2027-03-29T02:00:00+02:00\"],"
	    "\"notes\":[{\"fire_time\":\"2027-03-29T02:00:00+02:00\",\"note\":\"left_out\","
	    "\"date\":\"2027-03-28\"}]}",
	    head);
	answers("{\"trigger\":{\"cron\":\"*/30 2 * * *\",\"timezone\":\"Europe/Berlin\"},"
		"\"from\":\"2027-03-27T02:30:00+01:00\",\"n\":2}",
	    expect);
	/* Where looking began may be what the day was left out after, too. */
	snprintf(expect, sizeof(expect),
	    "%s\"fire_times\":[\"2027-03-29T02:00:00+02:00\"],"
	    "\"notes\":[{\"fire_time\":\"2027-03-29T02:00:00+02:00\",\"note\":\"left_out\","
	    "\"date\":\"2027-03-28\"}]}",
	    head);
	answers("{\"trigger\":{\"cron\":\"*/30 2 * * *\",\"timezone\":\"Europe/Berlin\"},"
		"\"from\":\"2027-03-27 12:00\",\"n\":1}",
	    expect);
	/* Some of its readings exist, or it is moved: nothing was left out. */
	answers("{\"trigger\":{\"cron\":\"*/30 2,3 * * *\",\"timezone\":\"Europe/Berlin\"},"
		"\"from\":\"2027-03-28\",\"n\":1}",
	    "{\"trigger\":{\"type\":\"cron\",\"expr\":\"*/30 2,3 * * *\","
	    "\"timezone\":\"Europe/Berlin\"},\"timezone\":\"Europe/Berlin\","
	    "\"fire_times\":[\"2027-03-28T03:00:00+02:00\"]}");
}

/* 200 pairs that never meet, and one rule that always answers. */
static void preview_thicket(struct strbuf *out, bool hopeless)
{
	strbuf_add(out, "any (");
	for (int i = 0; i < 200; i++)
		strbuf_printf(out, "%sall (cron '%d %d * * *', cron '%d %d * * *')", i ? ", " : "",
		    i % 60, i / 60, (i + hopeless) % 60, i / 60);
	strbuf_add_char(out, ')');
}

Test(trigger_preview, goes_in_pieces_and_gives_up_where_there_is_too_much_to_search)
{
	for (int hopeless = 0; hopeless < 2; hopeless++) {
		struct trigger_preview preview = {.until = SCHEDD_TIME_NONE,
		    .count = 10000,
		    .wire = true,
		    .planned = SCHEDD_TIME_NONE};
		struct strbuf text = STRBUF_EMPTY;
		struct trigger_preview_walk walk;
		struct schedd_trigger *trigger;
		struct schedd_error err = {0};
		struct trigger_case tc;
		struct arena arena;
		struct value value;
		unsigned pieces = 1;

		trigger_case_init(&tc);
		arena_init(&arena);
		preview_thicket(&text, hopeless);
		trigger = trigger_case_make(&tc, strbuf_peek(&text));
		preview.from = tc.context.now;
		trigger_preview_start(&walk, trigger, &preview);
		for (uint32_t before = 0; trigger_preview_more(&walk, &arena); pieces++) {
			cr_assert_leq(
			    walk.steps - before, TRIGGER_PREVIEW_PIECE + TRIGGER_STEPS_MAX + 1);
			before = walk.steps;
		}
		if (hopeless) {
			/* Its first time is looked for once, and there is none. */
			cr_assert_eq(trigger_preview_end(&walk, &arena, &value, &err), 0);
			cr_assert_eq(walk.found, 0);
		} else {
			cr_assert_gt(pieces, 10);
			cr_assert_eq(
			    trigger_preview_end(&walk, &arena, &value, &err), 0, "%s", err.message);
			cr_assert_eq(value_get(&value, "fire_times")->array.count, 10000);
		}
		walk.given_up = true;
		cr_assert_eq(trigger_preview_end(&walk, &arena, &value, &err), SCHEDD_EFAILED);
		cr_assert(strstr(err.message, "ask for fewer"), "%s", err.message);
		trigger_unref(trigger);
		strbuf_clear(&text);
		arena_clear(&arena);
		trigger_case_clear(&tc);
	}
}

Test(trigger_preview, anchors_and_bounds_by_its_window)
{
	answers("{\"trigger\":\"every 1h\",\"from\":\"2030-01-01T00:00:00Z\","
		"\"until\":\"2030-01-01T02:00:00Z\",\"timezone\":\"Asia/Tokyo\"}",
	    "{\"trigger\":{\"type\":\"interval\",\"seconds\":3600,"
	    "\"start\":\"2030-01-01T10:00:00+09:00\",\"timezone\":\"Asia/Tokyo\"},"
	    "\"timezone\":\"Asia/Tokyo\",\"fire_times\":[\"2030-01-01T10:00:00+09:00\","
	    "\"2030-01-01T11:00:00+09:00\"]}");
	answers("{\"trigger\":{\"cron\":\"0 0 30 2 *\"},\"n\":3}",
	    "{\"trigger\":{\"type\":\"cron\",\"expr\":\"0 0 30 2 *\",\"timezone\":\"UTC\"},"
	    "\"timezone\":\"UTC\",\"fire_times\":[]}");
}

Test(trigger_preview, goes_on_after_an_error)
{
	answers("{\"triger\":{}}",
	    "{\"error\":{\"code\":\"invalid_argument\",\"message\":\"unknown key 'triger', did you "
	    "mean 'trigger'?\",\"exit\":2}}");
	answers("{\"from\":0}",
	    "{\"error\":{\"code\":\"invalid_argument\",\"message\":\"'trigger' is missing\","
	    "\"exit\":2}}");
	answers("{\"trigger\":\"manual\",\"n\":-1}",
	    "{\"error\":{\"code\":\"invalid_argument\",\"message\":\"'n' must be an integer from 0 "
	    "to "
	    "100000\",\"exit\":2}}");
}

Test(trigger_preview, answers_the_wire_in_integers_with_words)
{
	struct trigger_preview preview = {.from = 0,
	    .until = SCHEDD_TIME_NONE,
	    .count = 2,
	    .wire = true,
	    .anonymous = true,
	    .planned = SCHEDD_TIME_NONE};
	struct strbuf out = STRBUF_EMPTY;
	struct schedd_trigger *trigger;
	struct trigger_case tc;
	struct arena arena;
	struct value value;

	trigger_case_init(&tc);
	arena_init(&arena);
	trigger = trigger_case_make(&tc, "every 1s start 1970-01-01T00:00:05Z splay 0");
	cr_assert_eq(trigger_preview_value(trigger, &preview, &arena, &value, NULL), 0);
	json_write(&out, &value);
	cr_assert_str_eq(strbuf_peek(&out),
	    "{\"trigger\":{\"type\":\"interval\",\"seconds\":1,"
	    "\"start\":\"1970-01-01T00:00:05+00:00\",\"timezone\":\"UTC\"},\"timezone\":\"UTC\","
	    "\"text\":\"every 1s tz UTC start 1970-01-01T00:00:05+00:00\",\"words\":\"Every "
	    "second\","
	    "\"fire_times\":[5000000,6000000],\"remarks\":[]}");
	strbuf_clear(&out);
	arena_clear(&arena);
	trigger_unref(trigger);
	trigger_case_clear(&tc);
}
