/* SPDX-License-Identifier: MIT */
/* The parts of a scheduler: stores, executors, functions; and its thread. */
#ifndef SCHEDD_CORE_TOP_SCHEDULER_PARTS_H
#define SCHEDD_CORE_TOP_SCHEDULER_PARTS_H

#include "core/frame/scheduler_state.h"

int scheduler_parts_init(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Adds the store and the executors that everybody has and nobody added. */
int scheduler_parts_default(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Executors first: their tasks hold runs. */
void scheduler_parts_close_executors(struct schedd_scheduler *scheduler);
void scheduler_parts_close_stores(struct schedd_scheduler *scheduler);
void scheduler_parts_free(struct schedd_scheduler *scheduler);
/* An event of the scheduler itself. name (may be NULL) goes to store, error to error. */
void scheduler_parts_event(struct schedd_scheduler *scheduler, enum schedd_event_code code,
    const char *name, const char *error, const struct scheduler_actor *actor);
/* Ends the thread of schedd_scheduler_start_thread(), if there is one. */
void scheduler_thread_end(struct schedd_scheduler *scheduler);

/* The executor "http", opened when it is first needed: it loads libcurl. NULL: it cannot be. */
struct executor_slot *scheduler_parts_http(struct schedd_scheduler *scheduler);

#endif
