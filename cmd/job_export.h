/* SPDX-License-Identifier: MIT */
/* Definitions of jobs as the daemon exports them, page by page. */
#ifndef SCHEDD_CMD_JOB_EXPORT_H
#define SCHEDD_CMD_JOB_EXPORT_H

#include "cmd/command.h"

/* Called for each definition, in the order of ids; it is gone afterwards. 0 or an error ends it. */
typedef int (*job_export_fn)(const struct value *job, void *context);

/* All that params (filters of job.export; a map, to which limit and after are added) choose. */
int job_export_each(struct command *command, struct value *params, job_export_fn call,
    void *context, struct schedd_error *err) __attribute__((warn_unused_result));
/* The definition of one job, in the command's arena. SCHEDD_ENOTFOUND. */
int job_export_one(struct command *command, const char *id, struct value *job,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
