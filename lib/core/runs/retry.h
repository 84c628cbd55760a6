/* SPDX-License-Identifier: MIT */
/* What an attempt's result means: the run's outcome, or another attempt. */
#ifndef SCHEDD_CORE_RUNS_RETRY_H
#define SCHEDD_CORE_RUNS_RETRY_H

#include "core/runs/run_live.h"

/* The attempt is over: ends the run or lets it wait for the next attempt. */
void retry_judge(struct run_live *live, const struct task_result *result);
/* The delay before the attempt that follows attempt n (from 1). */
schedd_span retry_delay(const struct job_details *details, uint32_t attempt);

/* Goes on waiting for the next attempt. SCHEDD_ENOMEM. */
int retry_resume(struct run_live *live, struct schedd_mono when)
    __attribute__((warn_unused_result));
/* Waits for the rest of the delay that an earlier life began. SCHEDD_ENOMEM. */
int retry_take_up(struct run_live *live) __attribute__((warn_unused_result));

#endif
