/* SPDX-License-Identifier: MIT */
/* The two halves of a crontab's entry, made of a job's fields. */
#ifndef SCHEDD_JOBFILE_CRONTAB_SAY_H
#define SCHEDD_JOBFILE_CRONTAB_SAY_H

#include "base/strbuf.h"
#include "base/value.h"
#include "model/job.h"

/* Appends the schedule of a trigger in canonical form. NULL, or why no crontab can say it. */
const char *crontab_say_schedule(struct strbuf *out, const struct value *trigger);
/*
 * common: variables that hold for the entry already.
 * Appends the command of a job with its environment, directory, umask and
 * standard input, '%' escaped. NULL, or why no crontab can say it.
 */
const char *crontab_say_command(
    struct strbuf *out, const struct value *job, const struct job_pairs *common);

#endif
