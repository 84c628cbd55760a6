/* SPDX-License-Identifier: MIT */
/*
 * Jobs that are gone from a store that is shared, as long as a standby may lag: one that takes the server's place may
 * have them still, and they are removed there again before anything of them is due. See store_behind().
 */
#ifndef SCHEDD_CORE_CHANGES_JOB_GONE_H
#define SCHEDD_CORE_CHANGES_JOB_GONE_H

#include "core/jobs/entry.h"

/* The job is removed, or has another id from now on. */
void job_gone_keep(const struct entry *entry);
/* What was read of that job is of before its removal? Then it is removed again, and not to be taken. */
bool job_gone_again(struct store_slot *slot, const char *id, const struct job_state *given);
void job_gone_end(struct store_slot *slot);

#endif
