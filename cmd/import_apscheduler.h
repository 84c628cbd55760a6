/* SPDX-License-Identifier: MIT */
/* import apscheduler: jobs of a live store, or of a file of export_jobs(), as calls of workers. */
#ifndef SCHEDD_CMD_IMPORT_APSCHEDULER_H
#define SCHEDD_CMD_IMPORT_APSCHEDULER_H

#include "cmd/command.h"
#include "jobfile/import_job.h"

/* Appends the jobs of one place. What cannot come is in job->skipped. */
int import_apscheduler_load(struct command *command, struct import_job *job, const char *place,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Finds the executor of each call: --executor, or the one of its alias that the
 * daemon has, or the daemon's only one of type worker. SCHEDD_EINVAL: there is
 * none, or there are several; SCHEDD_ENOTFOUND: not the one of --executor.
 */
int import_apscheduler_settle(struct command *command, struct value *jobs,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
