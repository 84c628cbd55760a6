/* SPDX-License-Identifier: MIT */
/* Sets of exit codes, read from lists and from "1,3-5". */
#ifndef SCHEDD_MODEL_JOB_CODES_H
#define SCHEDD_MODEL_JOB_CODES_H

#include "model/job.h"

/* A code, a text of codes and ranges, or a list of those. SCHEDD_EINVAL for none at all. */
int job_codes_read(const struct value *value, struct job_codes *out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* A list of integers; nil where the set was not given. */
struct value job_codes_write(const struct job_codes *codes, struct arena *arena);

#endif
