/* SPDX-License-Identifier: MIT */
/* Copying what a job does; the setters are in job.h. */
#ifndef SCHEDD_MODEL_JOB_ACTION_H
#define SCHEDD_MODEL_JOB_ACTION_H

#include "model/job.h"

/* Gives to, which has none, a deep copy of from's action. SCHEDD_ENOMEM: to may have part of it. */
int job_action_copy(struct schedd_job *to, const struct schedd_job *from)
    __attribute__((warn_unused_result));

#endif
