/* SPDX-License-Identifier: MIT */
/*
 * Jobs of APScheduler 3.11 (what export_jobs() writes) and of Flask-APScheduler
 * (its JOBS list, or what its REST API answers), as far as a command can stand
 * for them: os.system and subprocess become what they would run, any other
 * function is called by python3.
 */
#ifndef SCHEDD_JOBFILE_APSCHEDULER_H
#define SCHEDD_JOBFILE_APSCHEDULER_H

#include "base/diagnostics.h"
#include "base/value.h"
#include "jobfile/import_job.h"
#include "trigger/trigger.h"

/* As crontab_read(), of JSON. Also SCHEDD_EFILE for a text that is no such list at all. */
int apscheduler_read(const char *file, const char *text, size_t length,
    const struct trigger_context *context, struct arena *arena, struct value *jobs,
    struct diagnostics *skipped, struct diagnostics *notes) __attribute__((warn_unused_result));

/* The same; functions become calls of workers, whose executor is still to be found. */
int apscheduler_read_calls(struct import_job *import, const char *text, size_t length)
    __attribute__((warn_unused_result));
/*
 * One job as a store keeps it: a pickle of its state, or of a map with "job_state". Appended as a call, or
 * reported as skipped. SCHEDD_ENOMEM.
 */
int apscheduler_read_stored(struct import_job *import, const char *id, const void *pickle,
    size_t length) __attribute__((warn_unused_result));

#endif
