/* SPDX-License-Identifier: MIT */
/* A job in words, for people: when it runs, what it waits for, what it does. */
#ifndef SCHEDD_MODEL_JOB_WORDS_H
#define SCHEDD_MODEL_JOB_WORDS_H

#include "base/strbuf.h"
#include "model/job.h"

/* "At 02:30 on weekdays", "After fetch succeeds"; with a trigger and others to follow, both. */
void job_words_when(const struct schedd_job *job, struct strbuf *out);
/* What starts it where no time does: "after fetch", "a boot", "by hand"; nothing for a clock. */
void job_words_waits_for(const struct schedd_job *job, struct strbuf *out);
/* The command, line, call or request, on one line. */
void job_words_what(const struct schedd_job *job, struct strbuf *out);

#endif
