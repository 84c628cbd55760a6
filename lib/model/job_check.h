/* SPDX-License-Identifier: MIT */
/* What must hold between the fields of a job before it is accepted. */
#ifndef SCHEDD_MODEL_JOB_CHECK_H
#define SCHEDD_MODEL_JOB_CHECK_H

#include "model/job.h"

/*
 * Exactly one thing to do, a valid id if there is one, no retry settings
 * without a limit, no two dependencies on one job, a notify target that can be
 * told apart, … SCHEDD_EINVAL names the field.
 */
int job_check(const struct schedd_job *job, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Can its program be given these variables of one run besides its own? SCHEDD_EINVAL names what is
 * too long. */
int job_check_run_env(const struct schedd_job *job, const struct job_pairs *env,
    struct schedd_error *err) __attribute__((warn_unused_result));

/* Bytes, with its NUL, of one argument or variable that a program can be given. */
size_t job_check_argument_max(void);

#endif
