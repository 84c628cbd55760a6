/* SPDX-License-Identifier: MIT */
/*
 * A process may outlive us, so the row of its run says which one it is: a
 * moment after it began, for most are over by then, and their end says it as
 * well. Whoever starts within that moment of a crash finds it by what stands in
 * its environment, as one whose row was on its way.
 *
 * What a store refused of a run that goes on is written anew, too, as the run is
 * by then: so that other nodes and a recovery see it as soon as the store works.
 */
#ifndef SCHEDD_CORE_RUNS_RUN_PROCESS_H
#define SCHEDD_CORE_RUNS_RUN_PROCESS_H

#include "core/frame/scheduler_state.h"

struct run_live;

#define RUN_PROCESS_DELAY 50000 /* microseconds */

void run_process_init(struct schedd_scheduler *scheduler);
/* Its process is known now. */
void run_process_begun(struct run_live *live);
/* Its row is being written, or it is no more. No-op for one that does not wait. */
void run_process_drop(struct run_live *live);
/* The rows of all that wait: who goes now leaves them behind. */
void run_process_write_all(struct schedd_scheduler *scheduler);

#endif
