/* SPDX-License-Identifier: MIT */
/* How many jobs each owner has, so that a file whose owner has no others is taken up without a walk. */
#ifndef SCHEDD_CORE_JOBS_OWNERS_H
#define SCHEDD_CORE_JOBS_OWNERS_H

#include "core/frame/scheduler_state.h"

void owners_init(struct schedd_scheduler *scheduler);
void owners_free(struct schedd_scheduler *scheduler);
/* An entry has that definition, or has it no longer. */
void owners_add(struct schedd_scheduler *scheduler, const struct schedd_job *job);
void owners_drop(struct schedd_scheduler *scheduler, const struct schedd_job *job);
/* Entries of that owner, those that are being added too; UINT32_MAX: that is not known. */
uint32_t owners_count(const struct schedd_scheduler *scheduler, const char *owner);

#endif
