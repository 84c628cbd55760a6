/* SPDX-License-Identifier: MIT */
/* Reading the stores, and the end of all; see <schedd/scheduler.h> for the rest. */
#ifndef SCHEDD_CORE_TOP_SCHEDULER_LIFE_H
#define SCHEDD_CORE_TOP_SCHEDULER_LIFE_H

#include "core/frame/scheduler_state.h"

/* Opens what nobody added and reads the stores; does nothing the second time. Blocks. */
int scheduler_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* See pause_told_fn. */
void scheduler_pause_told(struct schedd_scheduler *scheduler, const char *why);
/* When its thread has ended. */
void scheduler_free(struct schedd_scheduler *scheduler);

#endif
