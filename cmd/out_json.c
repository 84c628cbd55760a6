/* SPDX-License-Identifier: MIT */
/* JSON for programs: as the daemon sent it, with instants as RFC 3339. */
#include "cmd/out.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cmd/out_json.h"
#include "model/job_fields.h"
#include "model/run.h"
#include "trigger/when.h"

/* Instants that are no field of a job or a run. */
static const char *const time_keys[] = {
    "time", "from", "until", "at", "since", "next", "last", "first", "previous_fire", NULL};

static bool json_is_time(const char *key)
{
	const struct job_field *field = job_fields_find(key);

	if (field)
		return field->type == JOB_FIELD_TIME;
	for (const struct run_field *run = run_fields(); run->name; run++)
		if (strcmp(run->name, key) == 0)
			return run->type == RUN_FIELD_TIME;
	for (const char *const *name = time_keys; *name; name++)
		if (strcmp(*name, key) == 0)
			return true;
	return strlen(key) > 3 && strcmp(key + strlen(key) - 3, "_at") == 0;
}

/* RFC 3339, or seconds with --time unix. */
static struct value json_time(struct command *command, struct arena *arena, schedd_time when)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value shown;

	if (command->out.time == OUT_TIME_UNIX && when % SCHEDD_SECOND == 0)
		return value_int(when / SCHEDD_SECOND);
	if (command->out.time == OUT_TIME_UNIX)
		return value_real((double)when / (double)SCHEDD_SECOND);
	when_format(&text, when, command->out.utc ? zone_utc() : command_zone(command));
	shown = value_string(arena, strbuf_peek(&text));
	strbuf_clear(&text);
	return shown;
}

struct value out_json_times(
    struct command *command, struct arena *arena, const char *key, const struct value *value)
{
	struct value copy = *value;

	switch (value->type) {
	case VALUE_INT:
		return key && json_is_time(key) ? json_time(command, arena, value->integer) : copy;
	case VALUE_ARRAY:
		copy = value_array();
		for (uint32_t i = 0; i < value->array.count; i++)
			value_append(arena, &copy,
			    out_json_times(command, arena, NULL, &value->array.items[i]));
		return copy;
	case VALUE_MAP:
		copy = value_map();
		for (uint32_t i = 0; i < value->map.count; i++)
			value_put(arena, &copy, value->map.members[i].key,
			    out_json_times(command, arena, value->map.members[i].key,
				&value->map.members[i].value));
		return copy;
	default:
		return copy;
	}
}

int out_json(struct command *command, const struct value *value)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value shown;
	bool written;

	arena_init(&arena);
	shown = out_json_times(command, &arena, NULL, value);
	if (command->out.format == OUT_JSON && command->out.terminal)
		json_write_pretty(&text, &shown);
	else
		json_write(&text, &shown);
	strbuf_add_char(&text, '\n');
	written = out_write(strbuf_peek(&text), text.length);
	strbuf_clear(&text);
	arena_clear(&arena);
	return written ? EXIT_DONE : EXIT_PIPE;
}

bool out_is_json(const struct command *command)
{
	return command->out.format == OUT_JSON || command->out.format == OUT_JSONL;
}
