/* SPDX-License-Identifier: MIT */
/* Deletes kept output whose runs have left the history, in the background. */
#ifndef SCHEDD_CORE_KEEP_OUTPUT_SWEEP_H
#define SCHEDD_CORE_KEEP_OUTPUT_SWEEP_H

#include "core/frame/scheduler_state.h"

/* NULL: no memory. */
struct output_sweep *output_sweep_new(struct schedd_scheduler *scheduler);
/* NULL is fine. After the stores are closed. */
void output_sweep_free(struct output_sweep *sweep);
/* Goes through all output once; no-op while it does. */
void output_sweep_begin(struct output_sweep *sweep);

#endif
