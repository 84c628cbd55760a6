/* SPDX-License-Identifier: MIT */
/* Takes what is due off the queue and claims it, a piece at a time. */
#ifndef SCHEDD_CORE_CHANGES_TICK_H
#define SCHEDD_CORE_CHANGES_TICK_H

#include "core/changes/claim.h"

/* Claims all that is due by the wall clock. */
void tick_claim_due(struct schedd_scheduler *scheduler, schedd_time now);
/*
 * Decides about the fire times of an entry that is due and adds the outcome to
 * the batch. why (may be NULL) replaces the reason of those that are too late.
 */
int tick_plan(struct claim_batch *batch, struct entry *entry, schedd_time now, const char *why)
    __attribute__((warn_unused_result));
/* When the trigger's fire time is to be run, with a fresh draw of its jitter; not before now. */
schedd_time tick_run_time(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    schedd_time fire, schedd_time now);

#endif
