/* SPDX-License-Identifier: MIT */
/* Whether this machine has what a job's command needs of it, as far as can be seen beforehand. */
#ifndef SCHEDD_CORE_JOBS_JOB_NEEDS_H
#define SCHEDD_CORE_JOBS_JOB_NEEDS_H

#include "core/frame/scheduler_state.h"

/*
 * Looks for the account and the secrets that job names and old (NULL: none)
 * did not. SCHEDD_EINVAL: one is not there, or schedd cannot read it.
 */
int job_needs_check(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err) __attribute__((warn_unused_result));

/* Those that were looked up, which are made when they are first asked for. NULL: no memory. */
struct account_cache *job_needs_accounts(struct schedd_scheduler *scheduler);
/* Forgets the accounts that were looked up. */
void job_needs_free(struct schedd_scheduler *scheduler);

#endif
