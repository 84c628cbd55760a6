/* SPDX-License-Identifier: MIT */
/* The kinds of changes of a job: each a pair of begin and finish for change.c. */
#ifndef SCHEDD_CORE_CHANGES_JOB_CHANGE_H
#define SCHEDD_CORE_CHANGES_JOB_CHANGE_H

#include "core/changes/change.h"

extern const struct change_ops job_change_add_ops;
extern const struct change_ops job_change_modify_ops;
extern const struct change_ops job_change_rename_ops;
extern const struct change_ops job_change_remove_ops;
extern const struct change_ops job_change_pause_ops;
extern const struct change_ops job_change_resume_ops;
extern const struct change_ops job_change_run_ops;

/* For begin(): sets change->entry and store; SCHEDD_ENOTFOUND. */
int job_change_find(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The same for changes that need its definition: SCHEDD_ECONFLICT if that could not be read. */
int job_change_find_valid(struct change *change, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The job has run for the last time: removes it, or marks it finished where it is to be kept. */
void job_change_expire(struct schedd_scheduler *scheduler, struct entry *entry);
/* For begin(): a definition pauses the job or lets it go; who did is kept as for a pause. */
void job_change_note_pause(struct change *change);
/* Its paused_until has come. */
void job_change_unpause(struct schedd_scheduler *scheduler, struct entry *entry);
/* A run that no request asked for: after another job, at start, in the place of a lost one. */
void job_change_start(struct schedd_scheduler *scheduler, struct entry *entry,
    enum run_trigger trigger, const char *because);
/* A run that follows the one called because; note_store NULL: it is noted nowhere. */
void job_change_follow(struct schedd_scheduler *scheduler, struct entry *entry, const char *because,
    const char *note, struct store_slot *note_store);

#endif
