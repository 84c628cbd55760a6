/* SPDX-License-Identifier: MIT */
#include "trigger/trigger_form.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/trigger_case.h"

/* What is written and the sentence that refuses it. */
struct refusal {
	const char *text;
	const char *sentence;
};

static void refuse(const struct refusal *rows, size_t count)
{
	struct trigger_case tc;

	trigger_case_init(&tc);
	for (size_t i = 0; i < count; i++) {
		struct schedd_trigger *trigger = NULL;
		struct schedd_error err = {0};

		cr_expect_eq(trigger_case_try(&tc, rows[i].text, &trigger, &err), SCHEDD_EINVAL,
		    "%s", rows[i].text);
		cr_expect_str_eq(err.message, rows[i].sentence);
	}
	trigger_case_clear(&tc);
}

Test(trigger_form, names_what_was_mistyped)
{
	static const struct refusal rows[] = {
	    {"{\"evry\":\"5m\"}", "trigger: unknown key 'evry', did you mean 'every'?"},
	    {"{\"every\":\"5m\",\"strat\":1}",
		"trigger: unknown key 'strat', did you mean 'start'?"},
	    {"{\"type\":\"intervall\"}",
		"trigger: unknown type 'intervall', did you mean 'interval'?"},
	    {"{\"every\":\"5m\",\"color\":1}", "trigger: unknown key 'color' beside 'every'; there "
					       "are every, timezone, start, end, jitter, splay"},
	    {"{\"any\":[{\"every\":\"5m\"},{\"evry\":\"5m\"}]}",
		"trigger: any[1]: unknown key 'evry', did you mean 'every'?"},
	    {"{\"any\":[{\"all\":[{\"every\":0}]}]}",
		"trigger: any[0]: all[0]: 'every' is shorter than 0.001 seconds"},
	    {"{\"every\":\"5m\",\"timezone\":\"Europe/Berln\"}",
		"trigger: 'timezone': unknown time zone 'Europe/Berln', did you mean "
		"'Europe/Berlin'?"},
	    {"evry 5m", "trigger 'evry 5m': unknown word 'evry', did you mean 'every'?"},
	    {"{\"calendar\":\"month=1\"}",
		"trigger: unknown word 'month' in a calendar, did you mean 'months'?"},
	};

	refuse(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(trigger_form, refuses_what_does_not_go_together)
{
	static const struct refusal rows[] = {
	    {"{\"type\":\"interval\",\"every\":\"5m\"}",
		"trigger: 'every' is a short form of its own and does not go with 'type'"},
	    {"{\"type\":\"cron\",\"expr\":\"* * * * *\",\"quartz\":\"0 0 12 * * ?\"}",
		"trigger: 'expr' and 'quartz' are two rules: give one of them"},
	    {"{\"every\":\"5m\",\"cron\":\"* * * * *\"}",
		"trigger: 'every' and 'cron' are two triggers: join them in a list under 'any' or "
		"'all'"},
	    {"{\"type\":\"cron\"}",
		"trigger: 'cron' needs one of 'expr', 'fields', 'quartz' and 'on_calendar'"},
	    {"{\"type\":\"date\"}", "trigger: 'date' needs 'run_at'"},
	    {"{\"manual\":true,\"end\":1}", "trigger: 'end' does not go with 'manual'"},
	    {"{\"manual\":false}", "trigger: 'manual' can only be true"},
	    {"{\"every\":\"5m\",\"seed\":1}", "trigger: 'seed' does not go with 'every'"},
	    {"{\"cron\":\"* * * * *\",\"seed\":1}",
		"trigger: 'seed' is for expressions with a~b, of which there is none"},
	    {"{\"cron\":\"* * * * *\",\"start\":2000000,\"end\":1000000}",
		"trigger: 'end' is before 'start'"},
	    {"{\"on_calendar\":\"09:00 Asia/Tokyo\",\"timezone\":\"Europe/Berlin\"}",
		"trigger: the expression names the zone Asia/Tokyo, 'timezone' says Europe/Berlin"},
	    {"every 5m every 6m", "trigger: 'every' is given twice"},
	    {"{}", "trigger: nothing says when: give 'type', or one of at, every, calendar, cron, "
		   "fields, quartz, on_calendar, any, all, manual, on_start, on_boot"},
	    {"[]", "trigger: must be a map or a text, not a list"},
	};

	refuse(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(trigger_form, refuses_values_out_of_their_range)
{
	static const struct refusal rows[] = {
	    {"{\"any\":[]}", "trigger: the list 'any' is empty"},
	    {"{\"any\":{}}", "trigger: 'any' must be a list, not a map"},
	    {"{\"every\":\"300000d\"}", "trigger: 'every' is longer than 100000 days"},
	    {"{\"type\":5}", "trigger: 'type' must be a string, not an integer"},
	    {"{\"cron\":5}", "trigger: 'cron' must be a string, not an integer"},
	    {"{\"cron\":\"* * * *\\u0000 *\"}", "trigger: 'cron' holds a NUL character"},
	    {"{\"cron\":\"0~5 * * * *\",\"seed\":0}",
		"trigger: 'seed' must be an integer from 1 to 2^53 - 1"},
	    {"{\"calendar\":\"time=08:00\"}",
		"trigger: a calendar needs at least one of years, months, weeks and days above 0"},
	    {"{\"calendar\":\"months=1 months=2\"}", "trigger: 'months' is given twice"},
	    {"{\"calendar\":\"months=-1\"}", "trigger: 'months' must be a whole number, not '-1'"},
	    {"{\"calendar\":\"days=1 time=24:00\"}",
		"trigger: 'time' must be written as 08:00 or 08:00:00, not '24:00'"},
	    {"{\"type\":\"calendar\",\"months\":-1}",
		"trigger: 'months' must be between 0 and 96348"},
	    {"{\"type\":\"calendar\",\"months\":1.5}",
		"trigger: 'months' must be an integer, not a number"},
	    {"{\"every\":-5}", "trigger: 'every': a duration cannot be negative"},
	    {"every", "trigger 'every': a value is missing at byte 5"},
	    {"any (every 5m", "trigger 'any (every 5m': a parenthesis is not closed at byte 13"},
	    {"every 5m)",
		"trigger 'every 5m)': nothing is open that could be closed here at byte 8"},
	    {"cron '* * * * *", "trigger 'cron '* * * * *': a quote is not closed at byte 5"},
	};

	refuse(rows, sizeof(rows) / sizeof(rows[0]));
}

/* A list of count triggers inside of depth lists. */
static char *nest(int depth, int count)
{
	struct strbuf text = STRBUF_EMPTY;

	for (int i = 0; i < depth; i++)
		strbuf_add(&text, "{\"any\":[");
	for (int i = 0; i < count; i++)
		strbuf_printf(&text, "%s{\"every\":%d}", i ? "," : "", i + 1);
	for (int i = 0; i < depth; i++)
		strbuf_add(&text, "]}");
	return strbuf_take(&text);
}

Test(trigger_form, bounds_depth_and_length)
{
	static const struct {
		int depth, count, rc;
	} rows[] = {{16, 1, 0}, {17, 1, SCHEDD_EINVAL}, {1, 256, 0}, {1, 257, SCHEDD_EINVAL}};
	struct trigger_case tc;

	trigger_case_init(&tc);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct schedd_trigger *trigger = NULL;
		struct schedd_error err = {0};
		char *text = nest(rows[i].depth, rows[i].count);

		cr_assert_eq(trigger_case_try(&tc, text, &trigger, &err), rows[i].rc, "row %zu: %s",
		    i, err.message);
		if (trigger)
			trigger_case_round_trip(&tc, trigger);
		trigger_unref(trigger);
		free(text);
	}
	trigger_case_clear(&tc);
}

/* A short form and its canonical JSON. */
Test(trigger_form, writes_the_canonical_form_of_each)
{
	static const char *const rows[][2] = {
	    {"{\"at\":\"2026-12-01 9:30\",\"timezone\":\"Europe/Berlin\"}",
		"{\"type\":\"date\",\"run_at\":\"2026-12-01T09:30:00+01:00\","
		"\"timezone\":\"Europe/Berlin\"}"},
	    {"{\"at\":1764576000000000}", "{\"type\":\"date\",\"run_at\":\"2025-12-01T08:00:00+00:"
					  "00\",\"timezone\":\"UTC\"}"},
	    {"{\"every\":\"1h30m\",\"start\":\"2026-01-01\",\"jitter\":\"30s\",\"splay\":1.5}",
		"{\"type\":\"interval\",\"seconds\":5400,\"start\":\"2026-01-01T00:00:00+00:00\","
		"\"timezone\":\"UTC\",\"jitter\":30,\"splay\":1.5}"},
	    {"{\"cron\":\"30  2 * * *\",\"timezone\":\"Europe/Berlin\"}",
		"{\"type\":\"cron\",\"expr\":\"30 2 * * *\",\"timezone\":\"Europe/Berlin\"}"},
	    {"{\"fields\":\"hour=5 day_of_week=mon-fri\"}",
		"{\"type\":\"cron\",\"fields\":{\"day_of_week\":\"mon-fri\",\"hour\":\"5\"},"
		"\"timezone\":\"UTC\"}"},
	    {"{\"fields\":\"day='2nd fri' hour=5\",\"end\":\"2027-01-01\"}",
		"{\"type\":\"cron\",\"fields\":{\"day\":\"2nd fri\",\"hour\":\"5\"},"
		"\"timezone\":\"UTC\",\"end\":\"2027-01-01T00:00:00+00:00\"}"},
	    {"{\"quartz\":\"0 15 10 ? * 6L\"}",
		"{\"type\":\"cron\",\"quartz\":\"0 15 10 ? * 6L\",\"timezone\":\"UTC\"}"},
	    {"{\"on_calendar\":\"Mon..Fri 09:00 Asia/Tokyo\"}",
		"{\"type\":\"cron\",\"on_calendar\":\"Mon..Fri "
		"09:00\",\"timezone\":\"Asia/Tokyo\"}"},
	    {"{\"calendar\":{\"months\":1,\"time\":\"8:00\"},\"start\":\"2026-01-31\",\"end\":"
	     "\"2026-12-31\"}",
		"{\"type\":\"calendar\",\"years\":0,\"months\":1,\"weeks\":0,\"days\":0,"
		"\"time\":\"08:00:00\",\"start\":\"2026-01-31\",\"timezone\":\"UTC\","
		"\"end\":\"2026-12-31\"}"},
	    {"{\"any\":[{\"manual\":true},\"on-start\",{\"on_boot\":true}],\"end\":null}",
		"{\"type\":\"or\",\"triggers\":[{\"type\":\"manual\"},{\"type\":\"on_start\"},"
		"{\"type\":\"on_boot\"}]}"},
	    {"{\"all\":[{\"cron\":\"@daily\"},{\"cron\":\"0 0 * * "
	     "1\"}],\"timezone\":\"Asia/Tokyo\"}",
		"{\"type\":\"and\",\"triggers\":[{\"type\":\"cron\",\"expr\":\"@daily\","
		"\"timezone\":\"Asia/Tokyo\"},{\"type\":\"cron\",\"expr\":\"0 0 * * 1\","
		"\"timezone\":\"Asia/Tokyo\"}]}"},
	};
	struct trigger_case tc;

	trigger_case_init(&tc);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct schedd_trigger *trigger = trigger_case_make(&tc, rows[i][0]);
		char *json = trigger_case_json(trigger);

		cr_expect_str_eq(json, rows[i][1]);
		trigger_case_round_trip(&tc, trigger);
		free(json);
		trigger_unref(trigger);
	}
	trigger_case_clear(&tc);
}
