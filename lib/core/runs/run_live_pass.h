/* SPDX-License-Identifier: MIT */
/* A run as one program tells it to the one that takes its place. */
#ifndef SCHEDD_CORE_RUNS_RUN_LIVE_PASS_H
#define SCHEDD_CORE_RUNS_RUN_LIVE_PASS_H

#include "core/runs/run_live.h"

/* Stages, as they are told. */
#define RUN_LIVE_PASS_WAITS 1
#define RUN_LIVE_PASS_RETRYING 6

/* {"run","stage","timer","task",…}; it is let go of. */
struct value run_live_pass(struct run_live *live, struct arena *arena);
/* From that and its row. SCHEDD_ENOMEM: it is of no use but to be discarded. */
int run_live_pass_take(struct run_live *live, const struct value *from, const struct run *run)
    __attribute__((warn_unused_result));

#endif
