/* SPDX-License-Identifier: MIT */
/* Requests that move jobs between stores, however many: some at a time; see changes/job_move.h. */
#ifndef SCHEDD_CORE_TOP_STORE_MOVE_H
#define SCHEDD_CORE_TOP_STORE_MOVE_H

#include "core/frame/scheduler_state.h"

/* At rest: jobs that were waited for may be idle now. Before what is queued begins. */
void store_move_review(struct schedd_scheduler *scheduler);
/* Is one under way to or from that store, or waits to go on? */
bool store_move_uses(const struct schedd_scheduler *scheduler, const struct store_slot *slot);
/* Answers all: the scheduler ends. */
void store_move_stop(struct schedd_scheduler *scheduler);

#endif
