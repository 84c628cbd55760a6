/* SPDX-License-Identifier: MIT */
/* A job that is gone keeps no tags, so a filter by tag does not see its removal. */
#include "server/event_filter.h"

#include <string.h>
#include "base/suggest.h"
#include "core/scheduler.h"

static int event_filter_unknown(const char *name, struct schedd_error *err)
{
	struct suggest suggest;
	const char *closest, *known;

	suggest_init(&suggest, name);
	for (unsigned bit = 0; bit < 31; bit++) {
		known = scheduler_event_name((enum schedd_event_code)(1u << bit));
		if (known)
			suggest_offer(&suggest, known);
	}
	closest = suggest_result(&suggest);
	if (!closest)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "no event is called '%.64s'; schedd-protocol(7) has them all", name);
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "no event is called '%.64s', did you mean '%s'?", name, closest);
}

static const char *const *event_filter_copy(const char *const *list, struct arena *arena)
{
	const char **copy;
	size_t count = 0;

	while (list && list[count])
		count++;
	if (!count)
		return NULL;
	copy = arena_alloc(arena, (count + 1) * sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = arena_strdup(arena, list[i]);
	return copy;
}

int event_filter_init(struct event_filter *filter, const char *const *events,
    const char *const *jobs, const char *const *tags, struct arena *arena, struct schedd_error *err)
{
	int rc = job_choice_check(jobs, err);

	if (rc)
		return rc;
	filter->mask = events && events[0] ? 0 : SCHEDD_EVENT_ALL;
	for (; events && *events; events++) {
		unsigned code = scheduler_event_code(*events);

		if (!code)
			return event_filter_unknown(*events, err);
		filter->mask |= code;
	}
	job_choice_init(&filter->jobs, jobs, arena);
	filter->tags = event_filter_copy(tags, arena);
	return arena_failed(arena) ? schedd_error_nomem(err) : 0;
}

static bool event_filter_tagged(const struct schedd_job *job, const char *tag)
{
	const struct job_pairs *tags = &job_details(job)->tags;
	const char *equals = strchr(tag, '=');
	size_t length = equals ? (size_t)(equals - tag) : strlen(tag);

	for (uint32_t i = 0; i < tags->count; i++) {
		if (strncmp(tags->items[i].name, tag, length) == 0 &&
		    tags->items[i].name[length] == '\0')
			return !equals || strcmp(tags->items[i].text, equals + 1) == 0;
	}
	return false;
}

bool event_filter_matches(const struct event_filter *filter, struct schedd_scheduler *scheduler,
    const struct schedd_event *event)
{
	const struct schedd_job *job;

	if (!(filter->mask & event->code))
		return false;
	if (!filter->jobs.all && (!event->job || !job_choice_has(&filter->jobs, event->job)))
		return false;
	if (!filter->tags)
		return true;
	job = event->job ? scheduler_job_peek(scheduler, event->job) : NULL;
	if (!job)
		return false;
	for (const char *const *tag = filter->tags; *tag; tag++) {
		if (!event_filter_tagged(job, *tag))
			return false;
	}
	return true;
}
