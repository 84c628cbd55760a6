/* SPDX-License-Identifier: MIT */
/*
 * Stores that are taken out while the scheduler runs, without the loop waiting
 * for their servers and disks.
 */
#ifndef SCHEDD_CORE_TOP_STORES_LEAVE_H
#define SCHEDD_CORE_TOP_STORES_LEAVE_H

#include "core/frame/scheduler_state.h"

/* Embedded in what waits for it. */
struct stores_leaving {
	struct stores_leaving *next; /* of those under way */
	struct store_slot *slot;
	bool joined; /* it stood among the others */
	/* The store is closed and gone; the slot, with its name, lives on during this call. */
	void (*left)(struct stores_leaving *leaving);
};

/* Takes the slot out, where nothing uses it: of no interest to anybody from now on. */
void stores_leave(struct stores_leaving *leaving, struct store_slot *slot,
    void (*left)(struct stores_leaving *leaving));
/* Is one of that name on its way out? */
bool stores_leaves(const struct schedd_scheduler *scheduler, const char *name);
/* Waits for all of them: the scheduler ends. */
void stores_leave_stop(struct schedd_scheduler *scheduler);

/* Closes its store at once; waits for it, unless it has left. */
void stores_shut(struct store_slot *slot);
/* The slot of a store that was closed: its name stays for events that point to it. */
void stores_retire(struct store_slot *slot);
/* The same of one that never stood among the others: it is freed. */
void stores_free_slot(struct store_slot *slot);

#endif
