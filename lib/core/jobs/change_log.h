/* SPDX-License-Identifier: MIT */
/*
 * The record of changes: lines of JSON in the stores that say who did what, and
 * what it was before, so that why_past.c can look back to any time.
 */
#ifndef SCHEDD_CORE_JOBS_CHANGE_LOG_H
#define SCHEDD_CORE_JOBS_CHANGE_LOG_H

#include "core/frame/scheduler_state.h"

/* The key of lines about the scheduler as a whole; no job is called that. */
#define CHANGE_LOG_SCHEDULER ""

/*
 * The names of the fields that differ, a list of texts. before (NULL: not
 * wanted) gets, under their names, the old values of those that decide whether
 * and when a job runs; nil: the default.
 */
struct value change_log_fields(const struct schedd_job *old, const struct schedd_job *new,
    struct arena *arena, struct value *before);
/* Writes the line of an event; more: members besides the event's own. */
void change_log_put(struct store_batch *batch, const struct schedd_event *event,
    const struct value *more, struct arena *arena);
/*
 * Writes a line about the scheduler as a whole, into the stores of all jobs,
 * when they are written next. word: what happened; more: members besides it.
 */
void change_log_scheduler(struct schedd_scheduler *scheduler, const char *word,
    const struct scheduler_actor *actor, const struct value *more, struct arena *arena);

#endif
