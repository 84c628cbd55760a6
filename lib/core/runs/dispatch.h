/* SPDX-License-Identifier: MIT */
/* Starts attempts and takes their results. */
#ifndef SCHEDD_CORE_RUNS_DISPATCH_H
#define SCHEDD_CORE_RUNS_DISPATCH_H

#include "core/runs/run_live.h"

/* Starts what has its turn, in all executors. */
void dispatch_start_ready(struct schedd_scheduler *scheduler);
/* The run has its turn: starts an attempt, or ends it if it is too late now. */
void dispatch_start(struct run_live *live);

/*
 * Goes on with an attempt that another program of this process started (see
 * executor_resume). timer: its time-out, or SIGKILL if it is being ended; us
 * INT64_MAX: none.
 */
int dispatch_resume(struct run_live *live, const struct value *from, struct schedd_mono timer,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
