/* SPDX-License-Identifier: MIT */
/* Those who wait for a run to end or a job to be idle; pushed, never polled. */
#ifndef SCHEDD_CORE_ASK_SCHEDULER_WAIT_H
#define SCHEDD_CORE_ASK_SCHEDULER_WAIT_H

#include "core/frame/scheduler_state.h"

/* The run has ended, its row was put into the store: those who wait for it are answered when that has it. */
void scheduler_wait_told(struct schedd_scheduler *scheduler, struct store_slot *store,
    const char *job, const struct run *run);
/* The job has no run left: likewise. */
void scheduler_wait_idle_told(
    struct schedd_scheduler *scheduler, struct store_slot *store, const char *job);
/* Answers all that still wait with an error: the scheduler ends. */
void scheduler_wait_end(struct schedd_scheduler *scheduler);
/* After the stores are closed. */
void scheduler_wait_free(struct schedd_scheduler *scheduler);

#endif
