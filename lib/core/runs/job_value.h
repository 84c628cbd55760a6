/* SPDX-License-Identifier: MIT */
/* A job as those who ask see it. */
#ifndef SCHEDD_CORE_RUNS_JOB_VALUE_H
#define SCHEDD_CORE_RUNS_JOB_VALUE_H

#include "core/jobs/entry.h"

/* Its state in a word: "waiting", "running", … */
const char *job_value_word(const struct entry *entry);

/* The jobs that it runs after and that are not there: "e1, e2"; nothing if all are. */
void job_value_missing(const struct entry *entry, struct strbuf *out);

#endif
