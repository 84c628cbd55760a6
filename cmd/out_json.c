/* SPDX-License-Identifier: MIT */
/* JSON for programs: as the daemon sent it, with instants as RFC 3339. */
#include "cmd/out.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cmd/out_json.h"
#include "proto/json_times.h"
#include "trigger/when.h"

/* json_times_key(), remembered: a list asks for the same few keys again and again. */
static bool json_known_time(struct command *command, const char *key)
{
	size_t length = strlen(key), last = length ? length - 1 : 0;
	struct out_time_key *known =
	    &command->time_keys[(length * 7 + (unsigned char)key[0] + (unsigned char)key[last]) %
				COMMAND_TIME_KEYS];

	if (length >= sizeof(known->key))
		return json_times_key(key);
	if (!known->key[0] || strcmp(known->key, key) != 0) {
		memcpy(known->key, key, length + 1);
		known->is_time = json_times_key(key);
	}
	return known->is_time;
}

/* RFC 3339, or seconds with --time unix. */
/* What is the user's own data: an integer in it is no time of ours, whatever its name. */
static bool json_is_foreign(const char *key)
{
	return (key[0] == 'r' && strcmp(key, "result") == 0) ||
	       (key[0] == 'a' && strcmp(key, "args") == 0) ||
	       (key[0] == 'k' && strcmp(key, "kwargs") == 0);
}

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
		return key && json_known_time(command, key)
			   ? json_time(command, arena, value->integer)
			   : copy;
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
			    json_is_foreign(value->map.members[i].key)
				? value->map.members[i].value
				: out_json_times(command, arena, value->map.members[i].key,
				      &value->map.members[i].value));
		return copy;
	default:
		return copy;
	}
}

void out_json_write(
    struct command *command, struct strbuf *out, const char *key, const struct value *value)
{
	struct value shown;
	struct arena arena;

	if (value->type == VALUE_ARRAY) {
		for (uint32_t i = 0; i < value->array.count; i++) {
			strbuf_add_char(out, i ? ',' : '[');
			out_json_write(command, out, NULL, &value->array.items[i]);
		}
		strbuf_add(out, value->array.count ? "]" : "[]");
	} else if (value->type == VALUE_MAP) {
		for (uint32_t i = 0; i < value->map.count; i++) {
			const struct value_member *member = &value->map.members[i];

			strbuf_add_char(out, i ? ',' : '{');
			json_write_string(out, member->key, strlen(member->key));
			strbuf_add_char(out, ':');
			if (json_is_foreign(member->key))
				json_write(out, &member->value);
			else
				out_json_write(command, out, member->key, &member->value);
		}
		strbuf_add(out, value->map.count ? "}" : "{}");
	} else if (value->type == VALUE_INT && key && json_known_time(command, key)) {
		arena_init(&arena);
		shown = json_time(command, &arena, value->integer);
		json_write(out, &shown);
		arena_clear(&arena);
	} else {
		json_write(out, value);
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
