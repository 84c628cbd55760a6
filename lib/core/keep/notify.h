/* SPDX-License-Identifier: MIT */
/*
 * Tells people how runs end: commands, mail, requests. What is sent waits in a
 * bounded queue of its own and never delays a job.
 */
#ifndef SCHEDD_CORE_KEEP_NOTIFY_H
#define SCHEDD_CORE_KEEP_NOTIFY_H

#include "core/runs/run_live.h"

/* The run ended; called before the entry's last_state changes. */
void notify_run(struct run_live *live);
/* The run was lost with the last life; likewise. */
void notify_lost(
    struct schedd_scheduler *scheduler, const struct entry *entry, const struct run *run);
/* Fire times of the job became a missed row. */
void notify_missed(struct schedd_scheduler *scheduler, struct entry *entry, const struct run *run);
/* Why one failed last; NULL: none did. */
const char *notify_last_error(const struct schedd_scheduler *scheduler);
/* Is anybody still being told? */
bool notify_busy(const struct schedd_scheduler *scheduler);
void notify_free(struct schedd_scheduler *scheduler);

#endif
