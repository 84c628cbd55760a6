/* SPDX-License-Identifier: MIT */
#include "jobfile/apscheduler.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/json.h"
#include "jobfile/pickle_read.h"

struct bench {
	struct arena arena;
	struct value jobs;
	struct diagnostics skipped, notes;
	struct zone_cache *zones;
	struct trigger_context context;
};

static void bench_open(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->jobs = value_array();
	bench->zones = zone_cache_new(NULL);
	bench->context = (struct trigger_context){.zones = bench->zones,
	    .zone = zone_utc(),
	    .now = 1767225600 * SCHEDD_SECOND,
	    .seed = 1};
}

static void bench_close(struct bench *bench)
{
	arena_clear(&bench->arena);
	diagnostics_clear(&bench->skipped);
	diagnostics_clear(&bench->notes);
	zone_cache_free(bench->zones);
}

static int bench_read(struct bench *bench, const char *text, size_t length)
{
	return apscheduler_read("f", text, length, &bench->context, &bench->arena, &bench->jobs,
	    &bench->skipped, &bench->notes);
}

static const char *bench_text(struct bench *bench, const struct value *value)
{
	struct strbuf out = STRBUF_EMPTY;
	const char *text;

	json_write(&out, value);
	text = arena_strdup(&bench->arena, strbuf_peek(&out));
	strbuf_clear(&out);
	return text;
}

static const struct value *bench_job(struct bench *bench, const char *id)
{
	for (uint32_t i = 0; i < bench->jobs.array.count; i++)
		if (value_is_text(value_get(&bench->jobs.array.items[i], "id"), id))
			return &bench->jobs.array.items[i];
	cr_assert_fail("no job %s", id);
	return NULL;
}

static void trigger_is(struct bench *bench, const char *id, const char *json)
{
	cr_expect_str_eq(bench_text(bench, value_get(bench_job(bench, id), "trigger")), json);
}

Test(apscheduler, reads_what_export_jobs_writes)
{
	struct bench bench;
	size_t length;
	char *text;

	bench_open(&bench);
	cr_assert_eq(
	    file_read(TEST_DATA "/apscheduler/export.json", 1 << 20, &text, &length, NULL), 0);
	cr_assert_eq(bench_read(&bench, text, length), SCHEDD_EFILE);
	cr_assert_eq(bench.skipped.count, 1, "%s", bench.skipped.items[1].message);
	cr_assert(strstr(bench.skipped.items[0].message, "pickled: its arguments are objects"));
	cr_assert_eq(bench.jobs.array.count, 8);
	trigger_is(&bench, "nightly",
	    "{\"fields\":{\"day_of_week\":\"mon-fri\",\"hour\":\"2\",\"minute\":\"30\"},"
	    "\"timezone\":\"Europe/Berlin\"}");
	trigger_is(&bench, "often",
	    "{\"every\":900,\"timezone\":\"Europe/Berlin\","
	    "\"start\":\"2026-01-01T00:00:00+01:00\",\"jitter\":30}");
	trigger_is(&bench, "once", "{\"at\":\"2027-05-01T12:00:00.250000+00:00\"}");
	trigger_is(&bench, "fields",
	    "{\"fields\":{\"year\":\"2026-2030\",\"month\":\"1,6-8\",\"day\":\"last\","
	    "\"second\":\"*/10\"},\"timezone\":\"UTC\",\"end\":\"2028-01-01T00:00:00 UTC\"}");
	trigger_is(&bench, "positions",
	    "{\"fields\":{\"day\":\"2nd fri,last sun,5\",\"hour\":\"1-5/2\"},"
	    "\"timezone\":\"America/New_York\"}");
	trigger_is(&bench, "either",
	    "{\"any\":[{\"fields\":{\"hour\":\"5\"},\"timezone\":\"UTC\"},"
	    "{\"every\":3600,\"timezone\":\"UTC\",\"start\":\"2026-01-01T00:00:00 UTC\"}]}");
	cr_expect_str_eq(
	    bench_text(&bench, value_get(bench_job(&bench, "nightly"), "shell")), "\"echo hi\"");
	cr_expect_str_eq(bench_text(&bench, value_get(bench_job(&bench, "often"), "command")),
	    "[\"/bin/true\",\"x\"]");
	cr_expect(value_get_bool(bench_job(&bench, "paused-job"), "paused", false));
	free(text);
	bench_close(&bench);
}

static void comes_to(const char *json, const char *expected)
{
	struct bench bench;

	bench_open(&bench);
	cr_expect_eq(
	    bench_read(&bench, json, strlen(json)), 0, "%s", bench.skipped.items[0].message);
	cr_expect_str_eq(bench_text(&bench, &bench.jobs), expected);
	bench_close(&bench);
}

Test(apscheduler, reads_lists_of_flask_apscheduler)
{
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"interval\","
		 "\"minutes\":1,\"seconds\":30,\"coalesce\":false}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"every\":90.0},\"coalesce\":\"all\"}]");
	comes_to("{\"JOBS\":[{\"id\":\"a\",\"func\":\"subprocess:call\",\"args\":[\"x y\"],"
		 "\"kwargs\":{\"shell\":true,\"cwd\":\"/srv\"},"
		 "\"trigger\":{\"type\":\"cron\",\"day_of_week\":\"mon-fri\",\"hour\":9}}]}",
	    "[{\"id\":\"a\",\"cwd\":\"/srv\",\"shell\":\"x y\","
	    "\"trigger\":{\"fields\":{\"day_of_week\":\"mon-fri\",\"hour\":9}}}]");
	comes_to("[{\"id\":\"a\",\"func\":\"app.tasks:send\",\"args\":[1],\"kwargs\":{\"b\":null},"
		 "\"trigger\":\"date\",\"run_date\":\"2027-01-01 09:00:00\","
		 "\"timezone\":\"Europe/Berlin\"}]",
	    "[{\"id\":\"a\",\"command\":[\"python3\",\"-c\","
	    "\"import importlib,json,operator,sys;m,f=sys.argv[1].split(':');"
	    "operator.attrgetter(f)(importlib.import_module(m))"
	    "(*json.loads(sys.argv[2]),**json.loads(sys.argv[3]))\","
	    "\"app.tasks:send\",\"[1]\",\"{\\\"b\\\":null}\"],"
	    "\"trigger\":{\"at\":\"2027-01-01 09:00:00\",\"timezone\":\"Europe/Berlin\"}}]");
}

/* As every second it would be something else altogether. */
Test(apscheduler, reads_arguments_of_a_trigger_in_a_map_of_their_own)
{
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"cron\","
		 "\"trigger_args\":{\"hour\":5}}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"fields\":{\"hour\":5}}}]");
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"interval\","
		 "\"trigger_args\":{\"minutes\":2}}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"every\":120.0}}]");
}

Test(apscheduler, keeps_when_it_runs_next)
{
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"interval\","
		 "\"hours\":1,"
		 "\"next_run_time\":\"2027-4-24 00:00:01\"}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"every\":3600.0},\"next_run_time\":"
	    "1808524801000000}]");
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"interval\","
		 "\"hours\":1,"
		 "\"next_run_time\":1808524801.5}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"every\":3600.0},\"next_run_time\":"
	    "1808524801500000}]");
	/* What is past would run at once. */
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"interval\","
		 "\"hours\":1,"
		 "\"next_run_time\":\"2019-04-24T00:00:01+02:00\"}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"every\":3600.0}}]");
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"interval\","
		 "\"hours\":1,"
		 "\"next_run_time\":null}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"every\":3600.0},\"paused\":true}]");
}

Test(apscheduler, takes_a_time_without_a_trigger_for_a_date)
{
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"next_run_time\":\"2027-"
		 "4-24 00:00:01\"}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"at\":\"2027-04-24 00:00:01\"}}]");
	comes_to("[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":null,"
		 "\"next_run_time\":\"2027-04-24T00:00:01+00:00\"}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"at\":\"2027-04-24T00:00:01+00:00\"}}]");
}

Test(apscheduler, takes_dates_without_leading_zeroes)
{
	static const char *const dates[][2] = {{"2027-4-24 00:00:01", "2027-04-24 00:00:01"},
	    {"2027-4-4 1:2:3", "2027-04-04 01:02:03"}, {"2027-4-4", "2027-04-04"},
	    {"2027-04-24T1:02:03.5+02:00", "2027-04-24T01:02:03.5+02:00"},
	    {"2027-04-24 01:02:03 Europe/Berlin", "2027-04-24 01:02:03 Europe/Berlin"},
	    {"2027-04-24 01:02", "2027-04-24 01:02"}};

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		char json[256], expected[256];

		snprintf(json, sizeof(json),
		    "[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],"
		    "\"trigger\":\"date\",\"run_date\":\"%s\"}]",
		    dates[i][0]);
		snprintf(expected, sizeof(expected),
		    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"at\":\"%s\"}}]", dates[i][1]);
		comes_to(json, expected);
	}
}

Test(apscheduler, keeps_aliases)
{
	comes_to(
	    "[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"cron\",\"day\":"
	    "\"last day\","
	    "\"executor\":\"fast\",\"jobstore\":\"memory\"},"
	    "{\"id\":\"b\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"cron\",\"hour\":1,"
	    "\"executor\":\"default\",\"jobstore\":\"odd name\"}]",
	    "[{\"id\":\"a\",\"shell\":\"x\",\"trigger\":{\"fields\":{\"day\":\"last day\"}},"
	    "\"executor\":\"fast\",\"store\":\"memory\"},"
	    "{\"id\":\"b\",\"shell\":\"x\",\"trigger\":{\"fields\":{\"hour\":1}}}]");
}

Test(apscheduler, says_that_an_alias_is_no_name)
{
	static const char *const values[] = {"3", "true", "[\"a\"]", "{}"};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct strbuf out = STRBUF_EMPTY;
		struct bench bench;
		char text[256];

		snprintf(text, sizeof(text),
		    "[{\"id\":\"a\",\"func\":\"os:system\",\"args\":[\"x\"],\"trigger\":\"cron\",\"hour\":1,"
		    "\"executor\":%s,\"jobstore\":null}]",
		    values[i]);
		bench_open(&bench);
		cr_assert_eq(bench_read(&bench, text, strlen(text)), 0);
		cr_expect_eq(bench.jobs.array.count, 1);
		diagnostics_write(&bench.notes, &out);
		cr_expect(strstr(strbuf_peek(&out), "executor: not a name, left out"), "%s", strbuf_peek(&out));
		cr_expect_null(strstr(strbuf_peek(&out), "jobstore"));
		strbuf_clear(&out);
		bench_close(&bench);
	}
}

Test(apscheduler, says_what_it_cannot_take)
{
	static const char *const bad[][2] = {
	    {"{}", "it is neither"},
	    {"5", "it is neither"},
	    {"[5]", "an integer is not a job"},
	    {"[{\"id\":\"a\"}]", "a: func is not of the form"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\"}]", "a: it has no trigger"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"lunar\"}]",
		"a: its trigger 'lunar' is none"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"date\"}]", "a: its date is missing"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"cron\",\"hour\":99}]", "a: trigger: "},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":{\"__apscheduler_class__\":\"x:Y\","
	     "\"__apscheduler_state__\":{}}}]",
		"a: its trigger 'x:Y' is none"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":{\"__apscheduler_class__\":\"x:"
	     "DateTrigger\","
	     "\"__apscheduler_state__\":{\"run_date\":{\"__apscheduler_pickle__\":\"!\"}}}}]",
		"a: a Python object in it"},
	    {"[", "invalid JSON"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"interval\",\"hours\":-1}]",
		"a: its interval is negative"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"0 5 * * mon-fri\"}]",
		"a: its trigger '0 5 * * mon-fri' is none of cron, interval, date, "
		"calendarinterval; what belongs to it stands beside it"},
	    {"[{\"id\":\"a\",\"func\":\"m:f\",\"trigger\":\"cron\","
	     "\"day_of_week\":\"day_of_week='mon-fri', hour=5\"}]",
		"a: trigger: fields: the field 'day_of_week' holds a byte that is not allowed: "
		"each field is a member of its own"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bench bench;

		bench_open(&bench);
		cr_expect_eq(bench_read(&bench, bad[i][0], strlen(bad[i][0])), SCHEDD_EFILE);
		cr_expect_eq(bench.skipped.count, 1);
		cr_expect(
		    strncmp(bench.skipped.items[0].message, bad[i][1], strlen(bad[i][1])) == 0,
		    "%s\n  %s", bad[i][0], bench.skipped.items[0].message);
		bench_close(&bench);
	}
}

Test(pickle_read, survives_any_bytes)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char good[] =
	    "gAWVLwAAAAAAAACMBHB5dHqUjAJfcJSTlCiMDUV1cm9wZS9CZXJsaW6UTWwMSwCMA0xNVJR0lFKULg==";
	unsigned seed = 5;

	for (int round = 0; round < 20000; round++) {
		char text[sizeof(good)];
		struct arena arena;
		struct value value;
		int rc;

		memcpy(text, good, sizeof(good));
		for (int i = rand_r(&seed) % 6; i > 0; i--)
			text[(size_t)rand_r(&seed) % (sizeof(good) - 3)] =
			    digits[(size_t)rand_r(&seed) % 64];
		arena_init(&arena);
		rc = pickle_read(text, &arena, &value, NULL);
		cr_assert(rc == 0 || rc == SCHEDD_EINVAL);
		arena_clear(&arena);
	}
}
