/* SPDX-License-Identifier: MIT */
/* The rarely set half of a job: its defaults, who shares it, and its end. */
#ifndef SCHEDD_MODEL_JOB_DETAILS_H
#define SCHEDD_MODEL_JOB_DETAILS_H

#include "model/job.h"

/* NULL is fine; thread-safe. */
struct job_details *job_details_ref(struct job_details *details);
void job_details_unref(struct job_details *details);
/* Do they say the same? May deny it where only padding differs, so good for sharing alone. */
bool job_details_equal(const struct job_details *a, const struct job_details *b);
/* Empties the list; count becomes 0. */
void job_details_clear_after(struct job_details *details);
void job_details_clear_notify(struct job_details *details);
/* Appends a copy. SCHEDD_ENOMEM. */
int job_details_add_after(struct job_details *details, const char *job, enum job_after_on on)
    __attribute__((warn_unused_result));
int job_details_add_notify(struct job_details *details, enum job_notify_on on, const char *target)
    __attribute__((warn_unused_result));
int job_details_add_rlimit(struct job_details *details, const struct job_rlimit *limit)
    __attribute__((warn_unused_result));
/* Text for stdin in the place of what was there; text NULL: none. SCHEDD_ENOMEM. */
int job_details_set_stdin_text(struct job_details *details, const char *text, size_t length)
    __attribute__((warn_unused_result));

#endif
