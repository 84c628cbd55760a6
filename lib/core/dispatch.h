/* SPDX-License-Identifier: MIT */
/* Starts attempts and takes their results. */
#ifndef SCHEDD_CORE_DISPATCH_H
#define SCHEDD_CORE_DISPATCH_H

#include "core/run_live.h"

/* The run has its turn: starts an attempt, or ends it if it is too late now. */
void dispatch_start(struct run_live *live);
/* The grace time that holds for a job; SCHEDD_SPAN_NONE: none. */
schedd_span dispatch_grace(const struct schedd_scheduler *scheduler, const struct schedd_job *job);

#endif
