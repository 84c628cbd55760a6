/* SPDX-License-Identifier: MIT */
/* Which events somebody wants: subscribers and the config's listeners alike. */
#ifndef SCHEDD_SERVER_EVENT_FILTER_H
#define SCHEDD_SERVER_EVENT_FILTER_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/event.h>
#include "base/arena.h"
#include "model/job_choice.h"

struct schedd_scheduler;

struct event_filter {
	unsigned mask;           /* set of enum schedd_event_code */
	struct job_choice jobs; /* any of them; all: events without a job too */
	const char *const *tags; /* "K" or "K=V", all of them; NULL: any */
};

/* Lists are NULL-terminated (NULL: no limit) and copied into the arena. SCHEDD_EINVAL: no such
 * event. */
int event_filter_init(struct event_filter *filter, const char *const *events,
    const char *const *jobs, const char *const *tags, struct arena *arena, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* An event without a job matches only a filter without jobs and tags. */
bool event_filter_matches(const struct event_filter *filter, struct schedd_scheduler *scheduler,
    const struct schedd_event *event);

#endif
