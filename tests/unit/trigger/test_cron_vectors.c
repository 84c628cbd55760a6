/* SPDX-License-Identifier: MIT */
/* Fire times other schedulers gave, and expressions that have to be refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/iso8601.h"
#include "base/json.h"
#include "trigger/cron.h"

/* 2100-01-01: the crontab vectors were made by a search that goes no further. */
#define CRONTAB_HORIZON (4102444800 * SCHEDD_SECOND)

/* Calls check for each line of a file of JSON objects. Returns how many there were. */
static int each_line(const char *path, void (*check)(const struct value *, void *), void *context)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	int count = 0;

	cr_assert_not_null(file, "%s", path);
	while ((length = getline(&line, &capacity, file)) > 0) {
		struct arena arena;
		struct value value;
		struct schedd_error err;

		arena_init(&arena);
		cr_assert_eq(
		    json_parse(line, (size_t)length, &arena, &value, &err), 0, "%s", err.message);
		check(&value, context);
		arena_clear(&arena);
		count++;
	}
	free(line);
	fclose(file);
	return count;
}

/* The first whole second at or after an RFC 3339 time is enough for schedules of whole seconds. */
static schedd_time instant(const char *text)
{
	struct iso8601 read;

	cr_assert_eq(iso8601_scan(text, &read), strlen(text), "%s", text);
	return (civil_seconds(&read.civil) - read.offset) * SCHEDD_SECOND + read.civil.micro;
}

static int parse(const struct value *trigger, struct cron **out, struct schedd_error *err)
{
	static const struct {
		const char *key;
		enum cron_dialect dialect;
	} texts[] = {
	    {"expr", CRON_CRONTAB}, {"quartz", CRON_QUARTZ}, {"on_calendar", CRON_ONCALENDAR}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (value_get_string(trigger, texts[i].key))
			return cron_parse(texts[i].dialect, value_get_string(trigger, texts[i].key),
			    NULL, out, NULL, err);
	return cron_parse_fields(value_get(trigger, "fields"), NULL, out, err);
}

/* The last fire times, counted and found backwards, have to agree with stepping. */
static void check_backwards(const struct cron *cron, const struct zone *zone, schedd_time from,
    const schedd_time *fires, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		cr_assert_eq(cron_latest(cron, zone, from, fires[i]), fires[i]);
		cr_assert_eq(cron_latest(cron, zone, from, fires[i] - 1),
		    i == 0 ? SCHEDD_TIME_NONE : fires[i - 1]);
		cr_assert_eq(cron_count(cron, zone, from, fires[i], UINT64_MAX), i + 1);
	}
}

static void check_fire_times(const struct value *line, void *context)
{
	const struct value *trigger = value_get(line, "trigger");
	const struct value *expect = value_get(line, "expect");
	const char *zone_text = value_get_string(trigger, "timezone");
	schedd_time from = instant(value_get_string(line, "from")), at = from;
	schedd_time fires[8] = {0};
	struct schedd_error err = {0};
	const struct zone *zone;
	struct cron *cron;

	if (!value_is_text(value_get(trigger, "type"), "cron") || value_get(trigger, "start") ||
	    value_get(trigger, "end"))
		return;
	cr_assert_eq(zone_cache_get(context, zone_text, &zone, &err), 0, "%s", err.message);
	cr_assert_eq(parse(trigger, &cron, &err), 0, "%s", err.message);
	for (uint32_t i = 0; i < expect->array.count; i++) {
		const char *text = expect->array.items[i].string.text;

		fires[i] = cron_next(cron, zone, at);
		cr_assert_eq(fires[i], instant(text), "%s in %s from %s: %lld instead of %s",
		    cron_text(cron), zone_text, value_get_string(line, "from"),
		    (long long)fires[i] / 1000000, text);
		at = fires[i] + 1;
	}
	at = cron_next(cron, zone, at);
	if (expect->array.count < 8)
		cr_assert(
		    at == SCHEDD_TIME_NONE || at >= CRONTAB_HORIZON, "%s goes on", cron_text(cron));
	check_backwards(cron, zone, from, fires, expect->array.count);
	cron_free(cron);
}

Test(cron_vectors, fire_when_other_schedulers_say)
{
	struct zone_cache *zones = zone_cache_new(NULL);

	cr_assert_not_null(zones);
	cr_assert_gt(each_line(TEST_DATA "/fire_times.jsonl", check_fire_times, zones), 300);
	zone_cache_free(zones);
}

static void check_invalid(const struct value *line, void *context)
{
	static const struct {
		const char *name;
		enum cron_dialect dialect;
	} dialects[] = {
	    {"crontab", CRON_CRONTAB}, {"keyword", CRON_FIELDS}, {"quartz", CRON_QUARTZ}};
	const char *expr = value_get_string(line, "expr");
	struct schedd_error err = {.offset = -1};
	struct cron *cron;

	(void)context;
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
		if (!value_is_text(value_get(line, "dialect"), dialects[i].name))
			continue;
		cr_assert_eq(cron_parse(dialects[i].dialect, expr, NULL, &cron, NULL, &err),
		    SCHEDD_EINVAL, "%s is accepted: %s", expr, value_get_string(line, "why"));
		cr_assert(err.offset >= 0 && (size_t)err.offset <= strlen(expr), "%s: offset %d",
		    err.message, err.offset);
		cr_assert_null(cron);
		if (getenv("SCHEDD_SHOW"))
			printf("%s\n", err.message);
		return;
	}
	cr_assert_fail("unknown dialect");
}

Test(cron_vectors, refuse_what_makes_no_sense)
{
	cr_assert_gt(each_line(TEST_DATA "/invalid.jsonl", check_invalid, NULL), 70);
}
