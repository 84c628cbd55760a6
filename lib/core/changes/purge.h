/* SPDX-License-Identifier: MIT */
/*
 * Deleting history takes as long as there is much of it: it goes in pieces of a
 * commit each, between which claims have their turn.
 */
#ifndef SCHEDD_CORE_CHANGES_PURGE_H
#define SCHEDD_CORE_CHANGES_PURGE_H

#include "core/frame/scheduler_state.h"

/* Runs in one piece: some milliseconds. */
#define PURGE_PIECE 500

typedef void (*purge_done_fn)(int rc, const struct schedd_error *err, void *context);

/*
 * Deletes the runs of a job (NULL: of all jobs) from a store, those up to that
 * number (0: all). done is called once, in any case.
 */
void purge_runs(struct store_slot *slot, const char *job, uint32_t upto, purge_done_fn done,
    void *context);

#endif
