/* SPDX-License-Identifier: MIT */
/* The two halves of adding a job, for those who add many in one commit. */
#ifndef SCHEDD_CORE_CHANGES_JOB_ADD_H
#define SCHEDD_CORE_CHANGES_JOB_ADD_H

#include "core/changes/change.h"

extern const struct change_ops job_add_ops;

/* Reads, checks and plans: job, state, store, entry (if there is one). An enum change_step or an
 * error. */
int job_add_prepare(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Makes the entry of a new job and writes to change->batch (made here unless shared_batch). */
int job_add_write(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Between the two: the state of an existing job stays as it is, but for what fields say of it. */
void job_add_keep_state(struct change *change, const struct value *fields);

#endif
