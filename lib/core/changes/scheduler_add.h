/* SPDX-License-Identifier: MIT */
/* Adding a definition that was made in the same process. */
#ifndef SCHEDD_CORE_CHANGES_SCHEDULER_ADD_H
#define SCHEDD_CORE_CHANGES_SCHEDULER_ADD_H

#include "core/frame/scheduler_state.h"

/* As scheduler_add(), with a definition instead of fields; shares it, gives it an id if it has
 * none. */
void scheduler_add_job(struct schedd_scheduler *scheduler, struct schedd_job *job, unsigned flags,
    const struct scheduler_actor *actor, struct scheduler_reply reply);

#endif
