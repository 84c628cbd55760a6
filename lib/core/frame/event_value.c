/* SPDX-License-Identifier: MIT */
/* Events by name and as values. */
#include <string.h>
#include "core/scheduler.h"

static const struct {
	enum schedd_event_code code;
	const char *name;
} event_names[] = {
    {SCHEDD_EVENT_SCHEDULER_STARTED, "scheduler_started"},
    {SCHEDD_EVENT_SCHEDULER_SHUTDOWN, "scheduler_shutdown"},
    {SCHEDD_EVENT_SCHEDULER_PAUSED, "scheduler_paused"},
    {SCHEDD_EVENT_SCHEDULER_RESUMED, "scheduler_resumed"},
    {SCHEDD_EVENT_EXECUTOR_ADDED, "executor_added"},
    {SCHEDD_EVENT_EXECUTOR_REMOVED, "executor_removed"},
    {SCHEDD_EVENT_JOBSTORE_ADDED, "jobstore_added"},
    {SCHEDD_EVENT_JOBSTORE_REMOVED, "jobstore_removed"},
    {SCHEDD_EVENT_ALL_JOBS_REMOVED, "all_jobs_removed"},
    {SCHEDD_EVENT_JOB_ADDED, "job_added"},
    {SCHEDD_EVENT_JOB_REMOVED, "job_removed"},
    {SCHEDD_EVENT_JOB_MODIFIED, "job_modified"},
    {SCHEDD_EVENT_JOB_EXECUTED, "job_executed"},
    {SCHEDD_EVENT_JOB_ERROR, "job_error"},
    {SCHEDD_EVENT_JOB_MISSED, "job_missed"},
    {SCHEDD_EVENT_JOB_SUBMITTED, "job_submitted"},
    {SCHEDD_EVENT_JOB_MAX_INSTANCES, "job_max_instances"},
    {SCHEDD_EVENT_RUN_STARTED, "run_started"},
    {SCHEDD_EVENT_RUN_RETRYING, "run_retrying"},
    {SCHEDD_EVENT_RUN_KILLED, "run_killed"},
    {SCHEDD_EVENT_RUN_LOST, "run_lost"},
    {SCHEDD_EVENT_STORE_ERROR, "store_error"},
    {SCHEDD_EVENT_STORE_RECOVERED, "store_recovered"},
    {SCHEDD_EVENT_EXECUTOR_FAILED, "executor_failed"},
    {SCHEDD_EVENT_EXECUTOR_RECOVERED, "executor_recovered"},
};

const char *scheduler_event_name(enum schedd_event_code code)
{
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++)
		if (event_names[i].code == code)
			return event_names[i].name;
	return NULL;
}

unsigned scheduler_event_code(const char *name)
{
	for (size_t i = 0; i < sizeof(event_names) / sizeof(event_names[0]); i++)
		if (strcmp(event_names[i].name, name) == 0)
			return (unsigned)event_names[i].code;
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
	value_put(arena, &map, "store", value_string(arena, event->store));
	value_put(arena, &map, "run",
	    event->run && event->job
		? value_string(arena, arena_printf(arena, "%s/%u", event->job, event->run))
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
