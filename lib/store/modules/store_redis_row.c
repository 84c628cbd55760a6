/* SPDX-License-Identifier: MIT */
/* Runs and counters as the texts that the server keeps: people can read them, and nobody there does. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "store/modules/store_redis.h"

enum row_kind {
	ROW_TIME,
	ROW_I64,
	ROW_U64,
	ROW_U32,
	ROW_INT,
	ROW_PID,
	ROW_TEXT,
};

static const struct row_field {
	const char *name;
	enum row_kind kind;
	size_t offset;
	int64_t nothing; /* a number that is left out */
} row_fields[] = {
    {"attempt", ROW_U32, offsetof(struct run, attempt), 1},
    {"scheduled_at", ROW_TIME, offsetof(struct run, scheduled_at), SCHEDD_TIME_NONE},
    {"started_at", ROW_TIME, offsetof(struct run, started_at), SCHEDD_TIME_NONE},
    {"ended_at", ROW_TIME, offsetof(struct run, ended_at), SCHEDD_TIME_NONE},
    {"until", ROW_TIME, offsetof(struct run, until), SCHEDD_TIME_NONE},
    {"count", ROW_U64, offsetof(struct run, count), 1},
    {"coalesced", ROW_U64, offsetof(struct run, coalesced), 0},
    {"exit_code", ROW_INT, offsetof(struct run, exit_code), -1},
    {"signal", ROW_INT, offsetof(struct run, signal), 0},
    {"reason", ROW_TEXT, offsetof(struct run, reason), 0},
    {"max_rss", ROW_I64, offsetof(struct run, max_rss), 0},
    {"cpu_us", ROW_I64, offsetof(struct run, cpu_us), 0},
    {"output_bytes", ROW_U64, offsetof(struct run, output_bytes), 0},
    {"output_dropped", ROW_U64, offsetof(struct run, output_dropped), 0},
    {"pid", ROW_PID, offsetof(struct run, pid), 0},
    {"pid_start", ROW_U64, offsetof(struct run, pid_start), 0},
    {"attempts", ROW_TEXT, offsetof(struct run, attempts), 0},
    {"actor", ROW_TEXT, offsetof(struct run, actor), 0},
};

#define ROW_FIELDS (sizeof(row_fields) / sizeof(row_fields[0]))

static int64_t row_number(const struct row_field *field, const void *at)
{
	switch (field->kind) {
	case ROW_TIME:
		return *(const schedd_time *)at;
	case ROW_I64:
		return *(const int64_t *)at;
	case ROW_U64:
		return (int64_t) * (const uint64_t *)at;
	case ROW_U32:
		return *(const uint32_t *)at;
	case ROW_INT:
		return *(const int *)at;
	case ROW_PID:
		return *(const pid_t *)at;
	case ROW_TEXT:
		break;
	}
	return 0;
}

static void row_set_number(const struct row_field *field, void *at, int64_t number)
{
	switch (field->kind) {
	case ROW_TIME:
		*(schedd_time *)at = number;
		break;
	case ROW_I64:
		*(int64_t *)at = number;
		break;
	case ROW_U64:
		*(uint64_t *)at = (uint64_t)number;
		break;
	case ROW_U32:
		*(uint32_t *)at = (uint32_t)number;
		break;
	case ROW_INT:
		*(int *)at = (int)number;
		break;
	case ROW_PID:
		*(pid_t *)at = (pid_t)number;
		break;
	case ROW_TEXT:
		break;
	}
}

static char *row_time_write(char *at, schedd_time time)
{
	if (time == SCHEDD_TIME_NONE)
		*at++ = '-';
	else
		at = redis_digits(at, time);
	*at++ = ' ';
	return at;
}

char *store_redis_times_write(
    char *text, schedd_time next_fire, schedd_time next_run_time, uint64_t run_count)
{
	return redis_digits(
	    row_time_write(row_time_write(text, next_fire), next_run_time), (int64_t)run_count);
}

static void row_name(struct strbuf *out, const char *name)
{
	strbuf_add_n(out, ",\"", 2);
	strbuf_add(out, name);
	strbuf_add_n(out, "\":", 2);
}

void store_redis_row_write(struct strbuf *out, const struct run *run, const char *node)
{
	char digits[REDIS_DIGITS_SIZE];

	strbuf_add(out, "{\"state\":\"");
	strbuf_add(out, run_state_name(run->state));
	strbuf_add(out, "\",\"trigger\":\"");
	strbuf_add(out, run_trigger_name(run->trigger));
	strbuf_add_char(out, '"');
	for (size_t i = 0; i < ROW_FIELDS; i++) {
		const struct row_field *field = &row_fields[i];
		const void *at = (const char *)run + field->offset;
		int64_t number;

		if (field->kind == ROW_TEXT) {
			const char *text = *(char *const *)at;

			if (!text)
				continue;
			row_name(out, field->name);
			json_write_string(out, text, strlen(text));
			continue;
		}
		number = row_number(field, at);
		if (number == field->nothing)
			continue;
		row_name(out, field->name);
		strbuf_add_n(out, digits, (size_t)(redis_digits(digits, number) - digits));
	}
	/* No name of a node has anything to be escaped. */
	if (node)
		strbuf_printf(out, ",\"node\":\"%s\"", node);
	strbuf_add_char(out, '}');
}

bool store_redis_row_read(const char *text, size_t length, struct arena *arena, struct run *run)
{
	struct schedd_error err;
	struct value map;
	const char *state, *trigger;

	run_init(run);
	if (json_parse(text, length, arena, &map, &err))
		return false;
	state = value_get_string(&map, "state");
	trigger = value_get_string(&map, "trigger");
	run->node = (char *)(uintptr_t)value_get_string(&map, "node");
	if (!state || !run_state_parse(state, &run->state))
		run->state = RUN_LOST;
	if (!trigger || !run_trigger_parse(trigger, &run->trigger))
		run->trigger = RUN_BY_SCHEDULE;
	for (size_t i = 0; i < ROW_FIELDS; i++) {
		const struct row_field *field = &row_fields[i];
		void *at = (char *)run + field->offset;

		if (field->kind == ROW_TEXT)
			*(const char **)at = value_get_string(&map, field->name);
		else
			row_set_number(
			    field, at, value_get_int(&map, field->name, field->nothing));
	}
	return true;
}

void store_redis_when(schedd_time when, char text[REDIS_WHEN_SIZE])
{
	if (when == SCHEDD_TIME_NONE)
		strcpy(text, "-");
	else
		snprintf(text, REDIS_WHEN_SIZE, "%016" PRIx64, (uint64_t)when ^ (UINT64_C(1) << 63));
}

static schedd_time row_time(char **at)
{
	char *text = *at;

	if (strncmp(text, "- ", 2) == 0) {
		*at = text + 2;
		return SCHEDD_TIME_NONE;
	}
	return strtoll(text, at, 10);
}

bool store_redis_state_read(const char *text, struct store_counters *counters)
{
	char *at = (char *)(uintptr_t)text;

	*counters = (struct store_counters){
	    .next_fire = SCHEDD_TIME_NONE, .next_run_time = SCHEDD_TIME_NONE};
	if (!text)
		return false;
	if (!strchr(text, ' ')) {
		counters->last_run = (uint32_t)strtoul(text, NULL, 10);
		return false;
	}
	counters->next_fire = row_time(&at);
	at += *at == ' ';
	counters->next_run_time = row_time(&at);
	counters->run_count = strtoull(at, &at, 10);
	counters->last_run = (uint32_t)strtoul(at, &at, 10);
	return true;
}
