/* SPDX-License-Identifier: MIT */
/* Executors by name, and the runs that wait for one of their workers. */
#ifndef SCHEDD_CORE_JOBS_EXECUTORS_H
#define SCHEDD_CORE_JOBS_EXECUTORS_H

#include "core/frame/scheduler_state.h"

/* NULL: none of that name. */
struct executor_slot *executors_find(struct schedd_scheduler *scheduler, const char *name);
/* The executor "http", opened when it is first needed: it loads libcurl. NULL: it cannot be. */
struct executor_slot *executors_http(struct schedd_scheduler *scheduler);
/* Nothing uses it any more: it is gone by name, and closed unless a notification is on its way. */
void executors_remove(struct executor_slot *slot);
/* All there are, removed ones included. */
uint32_t executors_count(const struct schedd_scheduler *scheduler);
struct executor_slot *executors_at(const struct schedd_scheduler *scheduler, uint32_t place);
/* Before the stores: their tasks hold runs. */
void executors_close(struct schedd_scheduler *scheduler);
void executors_free(struct schedd_scheduler *scheduler);

#endif
