/* SPDX-License-Identifier: MIT */
/* What the last life left behind: jobs, runs that had not ended, processes that live on. */
#ifndef SCHEDD_CORE_TOP_RESTART_H
#define SCHEDD_CORE_TOP_RESTART_H

#include "core/runs/run_live.h"

/* Reads all stores: jobs, pauses, group limits. Blocks. */
int restart_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * Begins to read one store, or to read it anew when its owner has changed. What
 * it holds takes effect when it was read.
 */
void restart_read_store(struct store_slot *slot);
/* The same, and waits for it. */
int restart_load_store(struct store_slot *slot, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Ends the runs of the last life as lost, takes up their processes, starts what runs at start. */
void restart_begin(struct schedd_scheduler *scheduler);

/* See runs_taken_fn: what waits goes on here, what ran is lost. */
void restart_taken(struct store_slot *slot, const char *node);
/* How the jobs of the store ended last is asked of its history. */
void restart_ask_states(struct schedd_scheduler *scheduler, struct store_slot *slot);

#endif
