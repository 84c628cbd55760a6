/* SPDX-License-Identifier: MIT */
/* Job files: many jobs brought to what a file says, all or nothing a store. */
#ifndef SCHEDD_CORE_CHANGES_SCHEDULER_APPLY_H
#define SCHEDD_CORE_CHANGES_SCHEDULER_APPLY_H

#include "core/frame/scheduler_state.h"

/* Tries those again that waited for commits of their jobs. */
void scheduler_apply_review(struct schedd_scheduler *scheduler);
/* Gives up those that are not committed. Before the stores are closed. */
void scheduler_apply_stop(struct schedd_scheduler *scheduler);
/* Answers those that are. After the stores, before the entries. */
void scheduler_apply_free(struct schedd_scheduler *scheduler);

#endif
