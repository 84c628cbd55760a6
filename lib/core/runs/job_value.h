/* SPDX-License-Identifier: MIT */
/* A job as those who ask see it. */
#ifndef SCHEDD_CORE_RUNS_JOB_VALUE_H
#define SCHEDD_CORE_RUNS_JOB_VALUE_H

#include "core/jobs/entry.h"

/* Its state in a word: "waiting", "running", … */
const char *job_value_word(const struct entry *entry);

#endif
