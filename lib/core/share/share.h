/* SPDX-License-Identifier: MIT */
/*
 * Stores that several daemons share. A slot of jobs is ours, or another's:
 * then its jobs are known here, and never due. How it is safe stands in
 * README.md beside this file.
 */
#ifndef SCHEDD_CORE_SHARE_SHARE_H
#define SCHEDD_CORE_SHARE_SHARE_H

#include "core/frame/store_slot.h"
#include "model/run.h"

/* After the store was opened, before it is read. 0 or SCHEDD_ENOMEM. */
int share_begin(struct store_slot *slot) __attribute__((warn_unused_result));
/*
 * Its epoch is over: others have what we had. What waits here is theirs, what
 * goes on is told late; nothing is ours until the slots are told anew.
 */
void share_lost(struct store_slot *slot);
/* Starts nothing more in it. */
void share_drain(struct schedd_scheduler *scheduler);
/* All is over: gives away what we have, and says so, for nobody to wait for our lease. */
void share_leave(struct schedd_scheduler *scheduler);
void share_end(struct store_slot *slot);
/* See run_elsewhere_fn. */
void share_start(
    struct entry *entry, enum run_trigger trigger, const char *because, const char *note);

#endif
