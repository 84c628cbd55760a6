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
/* All of it was read: what nobody remembers the end of is held. */
void share_loaded(struct store_slot *slot);
/* Of a run of ours by its row: does this life know of it still, or is its end on the way there? */
bool share_run_is_known(const struct store_slot *slot, const struct run *run);
/* Starts nothing more in it. */
void share_drain(struct schedd_scheduler *scheduler);
/* All is over: gives away what we have, and says so, for nobody to wait for our lease. */
void share_leave(struct schedd_scheduler *scheduler);
/* While the store is open still: who waits for what another node answers is told that it ends. */
void share_close(struct store_slot *slot);
/* Likewise, in all stores, and for other nodes to take something. */
void share_close_all(struct schedd_scheduler *scheduler);
void share_end(struct store_slot *slot);
/* Why nothing of the job is done for now, as no node that lives may have it; false: one may. */
bool share_why(const struct entry *entry, char *text, size_t size);
/* What is wrong with the node that has it, if another does; false: nothing is. */
bool share_why_node(const struct entry *entry, char *text, size_t size);
/* Name of the node that has the job; NULL: nobody, all have it, or its store is not shared. */
const char *share_node_of(const struct entry *entry);
/* When the scheduler comes to rest: jobs that say where they may run have come, or gone. */
void share_rest(struct schedd_scheduler *scheduler);
/* See run_elsewhere_fn. */
bool share_start(
    struct entry *entry, enum run_trigger trigger, const char *because, const char *note);

#endif
