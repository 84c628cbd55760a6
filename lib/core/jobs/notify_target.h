/* SPDX-License-Identifier: MIT */
/* Whether those who are to be told can be told at all, as far as can be seen beforehand. */
#ifndef SCHEDD_CORE_JOBS_NOTIFY_TARGET_H
#define SCHEDD_CORE_JOBS_NOTIFY_TARGET_H

#include "model/job.h"

/*
 * Looks for the programs of the commands that job notifies by and old (NULL:
 * none) did not. SCHEDD_EINVAL: one is not there. What only the shell could
 * tell is not judged.
 */
int notify_target_check(const struct schedd_job *job, const struct schedd_job *old,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
