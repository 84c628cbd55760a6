/* SPDX-License-Identifier: MIT */
#include "model/job_words.h"

#include <criterion/criterion.h>
#include <string.h>
#include "base/json.h"
#include "model/job_fields.h"

static struct zone_cache *zones;

static struct schedd_job *job_of(const char *json)
{
	struct trigger_context times = {0};
	const struct job_fields_context context = {.trigger = &times};
	struct schedd_job *job = job_new();
	struct schedd_error err;
	struct value value;
	struct arena arena;

	arena_init(&arena);
	zones = zone_cache_new(NULL);
	times = (struct trigger_context){.zones = zones, .zone = zone_utc(), .now = 1000};
	cr_assert_eq(json_parse(json, strlen(json), &arena, &value, &err), 0, "%s", err.message);
	cr_assert_eq(job_fields_read(job, NULL, &value, ~0u, &context, &err), 0, "%s", err.message);
	arena_clear(&arena);
	return job;
}

typedef void (*say_fn)(const struct schedd_job *job, struct strbuf *out);

static void says(say_fn say, const char *json, const char *words)
{
	struct schedd_job *job = job_of(json);
	struct strbuf out = STRBUF_EMPTY;

	say(job, &out);
	cr_expect_str_eq(strbuf_peek(&out), words);
	strbuf_clear(&out);
	job_unref(job);
	zone_cache_free(zones);
}

Test(job_words, tells_when_it_runs)
{
	says(job_words_when, "{\"trigger\":{\"every\":\"15m\"}}", "Every 15 minutes");
	says(job_words_when, "{\"trigger\":{\"type\":\"manual\"}}", "Only when run by hand");
	says(job_words_when, "{\"trigger\":{\"type\":\"manual\"},\"after\":[\"e1\"]}",
	    "After e1 succeeds");
	says(job_words_when, "{\"trigger\":{\"type\":\"manual\"},\"after\":[\"a:fail\",\"b:any\"]}",
	    "After a fails or b ends");
	says(job_words_when, "{\"trigger\":{\"every\":\"15m\"},\"after\":\"a\"}",
	    "Every 15 minutes, and after a succeeds");
	says(job_words_when, "{\"trigger\":{\"type\":\"on_start\"},\"after\":\"a\"}",
	    "When schedd starts, and after a succeeds");
}

Test(job_words, tells_what_it_waits_for)
{
	says(job_words_waits_for, "{\"trigger\":{\"every\":\"15m\"}}", "");
	says(job_words_waits_for, "{\"trigger\":{\"type\":\"manual\"}}", "by hand");
	says(job_words_waits_for, "{\"trigger\":{\"type\":\"manual\"},\"after\":[\"a\",\"b:any\"]}",
	    "after a, b");
	says(job_words_waits_for, "{\"trigger\":{\"type\":\"on_boot\"},\"after\":\"a\"}",
	    "a boot, after a");
	says(job_words_waits_for, "{\"trigger\":{\"type\":\"on_start\"}}", "a start of schedd");
}

Test(job_words, tells_what_it_does)
{
	says(job_words_what, "{\"command\":[\"echo\",\"a b\"]}", "echo 'a b'");
	says(job_words_what, "{\"shell\":\"a | b\"}", "a | b");
	says(job_words_what, "{\"call\":\"plugin:f\"}", "call plugin:f");
	says(job_words_what, "{\"http\":{\"url\":\"http://x/\",\"method\":\"PUT\"}}",
	    "PUT http://x/");
}
