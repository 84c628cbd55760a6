/* SPDX-License-Identifier: MIT */
/*
 * What a crash may do to a run hangs on its row alone: a queued or retrying one
 * has not begun and is taken up again, a running one may have begun and is
 * never begun twice. So before a run begins, its row says so and is durable.
 *
 * A claim whose run is expected to start at once has written it so already, and
 * costs no second commit; the others are marked when they have their turn, many
 * in one commit.
 */
#ifndef SCHEDD_CORE_RUNS_MARK_H
#define SCHEDD_CORE_RUNS_MARK_H

#include "core/runs/run_live.h"

struct marks;

/* Runs of one executor that are being marked at a time. */
#define MARKS_MAX 128

/* Writes the row of a run that may begin now. */
void mark_write(struct store_batch *batch, struct run_live *live);
/* Takes a run that has its turn (whose key is live->turn) to its store; *marks begins as NULL. */
void mark_take(struct run_live *live, struct marks **marks);
/* Commits what was taken; those runs are ready again when it is durable. */
void mark_commit(struct marks **marks);
/* Nothing starts for a while: all that wait are marked so. */
void mark_undo_all(struct schedd_scheduler *scheduler);
/* Its turn has come, but its store cannot be written. */
void mark_stall(struct run_live *live);
/* Those whose stores may be tried again are ready again. */
void mark_unstall(struct schedd_scheduler *scheduler);

#endif
