/* SPDX-License-Identifier: MIT */
#include "model/run_record.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum record_type { RECORD_TEXT, RECORD_INT32, RECORD_UINT32, RECORD_INT64 };

static const struct record_row {
	const char *name;
	enum record_type type;
	size_t offset;
} record_rows[] = {
    {"job", RECORD_TEXT, offsetof(struct run, job)},
    {"number", RECORD_UINT32, offsetof(struct run, number)},
    {"attempt", RECORD_UINT32, offsetof(struct run, attempt)},
    {"scheduled_at", RECORD_INT64, offsetof(struct run, scheduled_at)},
    {"started_at", RECORD_INT64, offsetof(struct run, started_at)},
    {"ended_at", RECORD_INT64, offsetof(struct run, ended_at)},
    {"until", RECORD_INT64, offsetof(struct run, until)},
    {"count", RECORD_INT64, offsetof(struct run, count)},
    {"coalesced", RECORD_INT64, offsetof(struct run, coalesced)},
    {"exit_code", RECORD_INT32, offsetof(struct run, exit_code)},
    {"signal", RECORD_INT32, offsetof(struct run, signal)},
    {"reason", RECORD_TEXT, offsetof(struct run, reason)},
    {"max_rss", RECORD_INT64, offsetof(struct run, max_rss)},
    {"cpu_us", RECORD_INT64, offsetof(struct run, cpu_us)},
    {"output_bytes", RECORD_INT64, offsetof(struct run, output_bytes)},
    {"output_dropped", RECORD_INT64, offsetof(struct run, output_dropped)},
    {"attempts", RECORD_TEXT, offsetof(struct run, attempts)},
    {"result", RECORD_TEXT, offsetof(struct run, result)},
    {"actor", RECORD_TEXT, offsetof(struct run, actor)},
};

#define RECORD_ROWS (sizeof(record_rows) / sizeof(record_rows[0]))

static int64_t record_number(const struct run *run, const struct record_row *row)
{
	const void *at = (const char *)run + row->offset;

	if (row->type == RECORD_INT32)
		return *(const int *)at;
	return row->type == RECORD_UINT32 ? *(const uint32_t *)at : *(const int64_t *)at;
}

struct value run_record_write(const struct run *run, struct arena *arena)
{
	struct value map = value_map();
	struct run plain;

	run_init(&plain);
	for (size_t i = 0; i < RECORD_ROWS; i++) {
		const struct record_row *row = &record_rows[i];
		const char *text = row->type == RECORD_TEXT
				       ? *(char *const *)(const void *)((const char *)run + row->offset)
				       : NULL;

		if (row->type == RECORD_TEXT && text)
			value_put(arena, &map, row->name, value_string_ref(text));
		else if (row->type != RECORD_TEXT &&
			 record_number(run, row) != record_number(&plain, row))
			value_put(arena, &map, row->name, value_int(record_number(run, row)));
	}
	value_put(arena, &map, "state", value_string_ref(run_state_name(run->state)));
	value_put(arena, &map, "trigger", value_string_ref(run_trigger_name(run->trigger)));
	return map;
}

static int record_wrong(const char *name, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EFILE, "'%.64s' makes no sense of a run", name);
}

static int record_set(struct run *run, const struct record_row *row, const struct value *value,
    struct schedd_error *err)
{
	void *at = (char *)run + row->offset;

	if (row->type == RECORD_TEXT) {
		char *copy = value->type == VALUE_STRING ? strdup(value->string.text) : NULL;

		if (value->type != VALUE_STRING)
			return record_wrong(row->name, err);
		if (!copy)
			return schedd_error_nomem(err);
		free(*(char **)at);
		*(char **)at = copy;
		return 0;
	}
	if (value->type != VALUE_INT)
		return record_wrong(row->name, err);
	if (row->type == RECORD_INT64)
		*(int64_t *)at = value->integer;
	else if (row->type == RECORD_UINT32 && value->integer >= 0 && value->integer <= UINT32_MAX)
		*(uint32_t *)at = (uint32_t)value->integer;
	else if (row->type == RECORD_INT32 && value->integer >= INT32_MIN && value->integer <= INT32_MAX)
		*(int *)at = (int)value->integer;
	else
		return record_wrong(row->name, err);
	return 0;
}

static int record_member(struct run *run, const struct value_member *member, struct schedd_error *err)
{
	const char *word = member->value.type == VALUE_STRING ? member->value.string.text : "";

	if (strcmp(member->key, "state") == 0)
		return run_state_parse(word, &run->state) ? 0 : record_wrong("state", err);
	if (strcmp(member->key, "trigger") == 0)
		return run_trigger_parse(word, &run->trigger) ? 0 : record_wrong("trigger", err);
	for (size_t i = 0; i < RECORD_ROWS; i++)
		if (strcmp(record_rows[i].name, member->key) == 0)
			return record_set(run, &record_rows[i], &member->value, err);
	return schedd_error_set(
	    err, SCHEDD_EFILE, "'%.64s' is not known, a newer schedd wrote it", member->key);
}

int run_record_read(struct run *run, const struct value *map, struct schedd_error *err)
{
	int rc = 0;

	if (map->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EFILE, "a run is a map");
	for (uint32_t i = 0; !rc && i < map->map.count; i++)
		rc = record_member(run, &map->map.members[i], err);
	if (!rc && (!run->job || !run->job[0] || strlen(run->job) > 400 || run->number == 0))
		rc = schedd_error_set(err, SCHEDD_EFILE, "a run has no job or no number");
	return rc;
}
