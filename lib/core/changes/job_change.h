/* SPDX-License-Identifier: MIT */
/* The kinds of changes of a job: each a pair of begin and finish for change.c. */
#ifndef SCHEDD_CORE_CHANGES_JOB_CHANGE_H
#define SCHEDD_CORE_CHANGES_JOB_CHANGE_H

#include "core/frame/scheduler_state.h"

struct change_ops;

extern const struct change_ops job_change_modify_ops;
extern const struct change_ops job_change_rename_ops;
extern const struct change_ops job_change_remove_ops;

/* Jobs that ran for the last time are removed, or marked as finished where they are to be kept. */
void job_change_expire(struct schedd_scheduler *scheduler);

/* The job is gone from its store: ends what of it has to end, tells it, frees the entry. */
void job_change_drop(struct change *change);

#endif
