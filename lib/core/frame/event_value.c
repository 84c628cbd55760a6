/* SPDX-License-Identifier: MIT */
/* Events by name and as values. */
#include <string.h>
#include "base/json.h"
#include "core/scheduler.h"
#include "model/event_rows.h"
#include "model/job_fields.h"

const char *scheduler_event_name(enum schedd_event_code code)
{
	for (const struct event_row *row = event_rows(); row->name; row++)
		if (row->code == code)
			return row->name;
	return NULL;
}

unsigned scheduler_event_code(const char *name)
{
	for (const struct event_row *row = event_rows(); row->name; row++)
		if (strcmp(row->name, name) == 0)
			return (unsigned)row->code;
	return 0;
}

/* In the order of event_members(). */
#define EVENT_KEY(name) {name, ",\"" name "\":", sizeof(",\"" name "\":") - 1}
static const struct {
	const char *name;
	const char *text; /* in JSON, behind another member */
	size_t length;
} event_keys[] = {EVENT_KEY("seq"), EVENT_KEY("time"), EVENT_KEY("event"), EVENT_KEY("code"), EVENT_KEY("job"),
    EVENT_KEY("account"), EVENT_KEY("store"), EVENT_KEY("run"), EVENT_KEY("scheduled_at"),
    EVENT_KEY("exit_code"), EVENT_KEY("signal"), EVENT_KEY("error"), EVENT_KEY("uid"), EVENT_KEY("pid"),
    EVENT_KEY("method")};
#define EVENT_KEYS (sizeof(event_keys) / sizeof(event_keys[0]))

/* Its texts are the event's own. */
static void event_members(
    const struct schedd_event *event, struct arena *arena, struct value values[EVENT_KEYS])
{
	const struct value nil = value_nil();
	const struct value all[EVENT_KEYS] = {
	    value_int((int64_t)event->seq),
	    value_int(event->time),
	    value_string_ref(scheduler_event_name(event->code)),
	    value_int(event->code),
	    value_string_ref(event->job),
	    event->job ? job_id_account_value(event->job, arena) : nil,
	    value_string_ref(event->store),
	    event->run && event->job ? run_id_value(event->job, event->run, arena) : nil,
	    event->scheduled_at != SCHEDD_TIME_NONE ? value_int(event->scheduled_at) : nil,
	    event->exit_code >= 0 ? value_int(event->exit_code) : nil,
	    event->signal ? value_int(event->signal) : nil,
	    value_string_ref(event->error),
	    event->uid >= 0 ? value_int(event->uid) : nil,
	    event->pid > 0 ? value_int(event->pid) : nil,
	    value_string_ref(event->method),
	};

	memcpy(values, all, sizeof(all));
}

struct value scheduler_event_value(const struct schedd_event *event, struct arena *arena)
{
	struct value map = value_map(), values[EVENT_KEYS];

	event_members(event, arena, values);
	for (size_t i = 0; i < EVENT_KEYS; i++)
		value_put(arena, &map, event_keys[i].name, value_copy(arena, &values[i]));
	return map;
}

void scheduler_event_json(const struct schedd_event *event, const struct value *more,
    struct arena *arena, struct strbuf *out)
{
	struct value values[EVENT_KEYS];

	event_members(event, arena, values);
	strbuf_add_char(out, '{');
	/* The first is never nil. */
	for (size_t i = 0; i < EVENT_KEYS; i++) {
		if (values[i].type == VALUE_NIL)
			continue;
		strbuf_add_n(out, event_keys[i].text + (i == 0), event_keys[i].length - (i == 0));
		json_write(out, &values[i]);
	}
	for (uint32_t i = 0; i < more->map.count; i++) {
		strbuf_add_char(out, ',');
		json_write_string(out, more->map.members[i].key, strlen(more->map.members[i].key));
		strbuf_add_char(out, ':');
		json_write(out, &more->map.members[i].value);
	}
	strbuf_add_char(out, '}');
}

static bool event_is_key(const char *name)
{
	for (size_t i = 0; i < EVENT_KEYS; i++)
		if (strcmp(event_keys[i].name, name) == 0)
			return true;
	return false;
}

struct value scheduler_event_whole(const struct value *map, struct arena *arena)
{
	struct value whole = value_map();

	if (!value_get(map, "code"))
		return value_copy(arena, map);
	for (size_t i = 0; i < EVENT_KEYS; i++) {
		const struct value *value = value_get(map, event_keys[i].name);

		value_put(arena, &whole, event_keys[i].name, value ? value_copy(arena, value) : value_nil());
	}
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];
		const char *key = event_is_key(member->key) ? NULL : arena_strdup(arena, member->key);

		if (key)
			value_put(arena, &whole, key, value_copy(arena, &member->value));
	}
	return whole;
}
