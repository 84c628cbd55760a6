/* SPDX-License-Identifier: MIT */
/* Pause, resume and run now. */
#ifndef SCHEDD_CORE_CHANGES_JOB_SWITCH_H
#define SCHEDD_CORE_CHANGES_JOB_SWITCH_H

#include "core/jobs/entry.h"

struct change_ops;

extern const struct change_ops job_switch_pause_ops;
extern const struct change_ops job_switch_resume_ops;
extern const struct change_ops job_switch_run_ops;

/* Its paused_until has come. */
void job_switch_unpause(struct schedd_scheduler *scheduler, struct entry *entry);
/* A run that no request asked for: after another job, at start, in the place of a lost one. */
void job_switch_start(struct schedd_scheduler *scheduler, struct entry *entry,
    enum run_trigger trigger, const char *because);
/* A run that follows the one called because; note_store NULL: it is noted nowhere. */
void job_switch_follow(struct schedd_scheduler *scheduler, struct entry *entry, const char *because,
    const char *note, struct store_slot *note_store);
/* Runs that a store refused to claim are asked for again, where it works. */
void job_switch_again(struct schedd_scheduler *scheduler);
void job_switch_free(struct schedd_scheduler *scheduler);

#endif
