/* SPDX-License-Identifier: MIT */
/*
 * Job files that the config names (jobs:). They are read together with the
 * config, so that a fault in one is a fault of the config; applied at the start
 * and by a reload, they belong to an owner of their own.
 */
#ifndef SCHEDD_SERVER_CONFIG_JOBS_H
#define SCHEDD_SERVER_CONFIG_JOBS_H

#include <schedd/error.h>
#include "core/scheduler.h"
#include "jobfile/jobfile.h"
#include "server/config.h"

struct schedd_log;

/* Whose those jobs are, whatever the files say. */
#define CONFIG_JOBS_OWNER "schedd.yaml"

/* Reads all files named. SCHEDD_EFILE: "FILE:LINE:COLUMN: …". jobfile_clear() in any case. */
int config_jobs_load(const struct config *config, struct jobfile *set, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Told once the jobs are there. changes: how many were added, changed and removed. */
typedef void (*config_jobs_fn)(
    int rc, const struct schedd_error *err, uint32_t changes, void *context);
/*
 * Makes the owner's jobs what the set says; it may be cleared afterwards. What
 * cannot be a job here is left out with a warning: a time that is over must not
 * keep schedd from starting. done is called in any case, now or later.
 */
void config_jobs_apply(struct schedd_scheduler *scheduler, const struct schedd_log *log,
    const struct jobfile *set, const struct scheduler_actor *actor, config_jobs_fn done,
    void *context);

#endif
