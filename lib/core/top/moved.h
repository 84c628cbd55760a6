/* SPDX-License-Identifier: MIT */
/*
 * What is found of moves between stores when these are read. Jobs that are held
 * in their old store are not run until the new one has been read: then they are
 * the new one's, if it has the move's token, and the old store is rid of them;
 * else they go on where they are, as if the move had not been asked for.
 */
#ifndef SCHEDD_CORE_TOP_MOVED_H
#define SCHEDD_CORE_TOP_MOVED_H

#include "core/jobs/entry.h"

struct run;

/* A job of the slot whose id another store's job has: takes the record. */
void moved_keep_record(struct store_slot *slot, struct job_record *record);
/* The slot was read: takes the notes of its snapshot. */
void moved_take(struct store_slot *slot);
/* The slot is taken out. */
void moved_forget(struct store_slot *slot);
/* Settles what can be settled now. */
void moved_settle(struct schedd_scheduler *scheduler);
/* Does the slot's snapshot have runs of jobs that are not settled? */
bool moved_waits(const struct store_slot *slot);
/*
 * A run that had not ended, in the slot: false if it is not to be looked at, now
 * or ever.
 */
bool moved_counts(const struct store_slot *slot, const struct run *run);
/* Called for a store where jobs have just been settled as its own. */
void moved_set_resume(struct schedd_scheduler *scheduler,
    void (*resume)(struct store_slot *slot, const char *id));
void moved_free(struct schedd_scheduler *scheduler);

#endif
