/* SPDX-License-Identifier: MIT */
/* What the account in a job's id means for the job. */
#ifndef SCHEDD_CORE_JOBS_JOB_ACCOUNT_H
#define SCHEDD_CORE_JOBS_JOB_ACCOUNT_H

#include "core/frame/scheduler_state.h"

/*
 * An account's job runs as that account: its user is set so. SCHEDD_EPERM: it
 * says another one, or does what would be done inside the daemon, with the
 * daemon's rights. Jobs of the daemon's own are left as they are.
 */
int job_account_settle(struct schedd_job *job, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* What the guard says of a definition that the actor gives; 0 where nobody needs asking. */
int job_account_guard(const struct schedd_scheduler *scheduler,
    const struct scheduler_actor *actor, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err) __attribute__((warn_unused_result));
/* May a job of that id be called this from now on? It stays with its account. */
int job_account_rename(const char *id, const char *to, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
