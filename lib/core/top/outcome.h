/* SPDX-License-Identifier: MIT */
/* What follows from the end of a run. */
#ifndef SCHEDD_CORE_TOP_OUTCOME_H
#define SCHEDD_CORE_TOP_OUTCOME_H

#include "core/runs/run_live.h"

/* scheduler->run_ended: the run is over, and gone after it. reason may be NULL. */
void outcome_run_ended(struct run_live *live, enum run_state state, const char *reason);

#endif
