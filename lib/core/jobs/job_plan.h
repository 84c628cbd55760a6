/* SPDX-License-Identifier: MIT */
/* Whether a definition can be accepted here, and when it is first due. */
#ifndef SCHEDD_CORE_JOBS_JOB_PLAN_H
#define SCHEDD_CORE_JOBS_JOB_PLAN_H

#include "core/jobs/entry.h"

/* Its own fields, its executor, whom it tells, what it runs after; old: the job until now, NULL:
 * none. SCHEDD_EINVAL, SCHEDD_ENOTFOUND. */
int job_plan_check(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Fills what was left out: an executor that can do it, where "default" cannot;
 * a trigger: once, now, or none by the clock where it runs after another.
 */
int job_plan_complete(struct schedd_scheduler *scheduler, struct schedd_job *job,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * The next fire and run time of a job whose trigger is new, as of now: the
 * instant its trigger was read with, so that what begins "now" is not over a
 * moment later. given: the next run time is what the user set in state.
 * SCHEDD_EINVAL: no run times.
 */
int job_plan_first(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    schedd_time now, struct job_state *state, bool given, unsigned flags, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Has the entry's job finished, and does the definition that takes its place
 * have the same trigger with no time left? Then that is no error: state stays
 * finished, or the job ends at once if it is not kept any more.
 */
bool job_plan_ended(const struct entry *entry, const struct schedd_job *job, schedd_time now,
    struct job_state *state);
/* The grace time that holds for a job; SCHEDD_SPAN_NONE: none. */
schedd_span job_plan_grace(const struct schedd_scheduler *scheduler, const struct schedd_job *job);
/* When the trigger's fire time is to be run, with a fresh draw of its jitter; not before now. */
schedd_time job_plan_run_time(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    schedd_time fire, schedd_time now);
/* An id nobody has; before: "" or "ACCOUNT:". */
void job_plan_id(
    struct schedd_scheduler *scheduler, const char *before, char *id, size_t size);

#endif
