/* SPDX-License-Identifier: MIT */
/* Events by name and as values. */
#include <string.h>
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

struct value scheduler_event_value(const struct schedd_event *event, struct arena *arena)
{
	struct value map = value_map(), nil = value_nil();

	value_put(arena, &map, "seq", value_int((int64_t)event->seq));
	value_put(arena, &map, "time", value_int(event->time));
	value_put(arena, &map, "event", value_string_ref(scheduler_event_name(event->code)));
	value_put(arena, &map, "code", value_int(event->code));
	value_put(arena, &map, "job", value_string(arena, event->job));
	value_put(arena, &map, "account",
	    event->job ? job_id_account_value(event->job, arena) : nil);
	value_put(arena, &map, "store", value_string(arena, event->store));
	value_put(arena, &map, "run",
	    event->run && event->job
		? run_id_value(event->job, event->run, arena)
		: nil);
	value_put(arena, &map, "scheduled_at",
	    event->scheduled_at != SCHEDD_TIME_NONE ? value_int(event->scheduled_at) : nil);
	value_put(
	    arena, &map, "exit_code", event->exit_code >= 0 ? value_int(event->exit_code) : nil);
	value_put(arena, &map, "signal", event->signal ? value_int(event->signal) : nil);
	value_put(arena, &map, "error", value_string(arena, event->error));
	value_put(arena, &map, "uid", event->uid >= 0 ? value_int(event->uid) : nil);
	value_put(arena, &map, "pid", event->pid > 0 ? value_int(event->pid) : nil);
	value_put(arena, &map, "method", value_string(arena, event->method));
	return map;
}
