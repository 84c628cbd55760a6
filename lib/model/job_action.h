/* SPDX-License-Identifier: MIT */
/* Sharing what a job does; the setters are in job.h. */
#ifndef SCHEDD_MODEL_JOB_ACTION_H
#define SCHEDD_MODEL_JOB_ACTION_H

#include "model/job.h"

/* Both do from's action from now on, which does not change any more. */
void job_action_share(struct schedd_job *to, const struct schedd_job *from);
/* Do they do the same? Never true for two requests (http). */
bool job_action_equal(const struct schedd_job *a, const struct schedd_job *b);

#endif
