/* SPDX-License-Identifier: MIT */
/*
 * Runs of an earlier life that had not begun, or waited for a further attempt:
 * they go on where they were, once.
 */
#ifndef SCHEDD_CORE_TOP_TAKE_UP_H
#define SCHEDD_CORE_TOP_TAKE_UP_H

#include "core/jobs/entry.h"

struct take_up;

/* Reads what a store has noted about such runs; NULL: no memory for all of it. */
struct take_up *take_up_begin(struct schedd_scheduler *scheduler, struct store_slot *slot);
/*
 * Goes on with the run whose row this is; entry NULL: its job is gone. 1: it does.
 * 0: it had begun, and is the caller's. SCHEDD_ENOMEM: nothing was done.
 */
int take_up_run(struct take_up *take_up, struct entry *entry, struct run *run);
/* The run goes on by other means: its note stays. take_up may be NULL. */
void take_up_keep(struct take_up *take_up, const struct run *run);
/* Notes of other runs are forgotten. */
void take_up_end(struct take_up *take_up);

/* What is left is of use to others. */
void take_up_leave(struct take_up *take_up);

#endif
