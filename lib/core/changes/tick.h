/* SPDX-License-Identifier: MIT */
/* Takes what is due off the queue and claims it, a piece at a time. */
#ifndef SCHEDD_CORE_CHANGES_TICK_H
#define SCHEDD_CORE_CHANGES_TICK_H

#include "core/frame/scheduler_state.h"

/* Claims all that is due by the wall clock. */
void tick_claim_due(struct schedd_scheduler *scheduler, schedd_time now);
/* Does what is due wait for the answer to a claim that accounts share, or until then? */
bool tick_waits(const struct schedd_scheduler *scheduler, struct schedd_mono *until);
/* What is kept from tick to tick. */
void tick_free(struct schedd_scheduler *scheduler);

#endif
