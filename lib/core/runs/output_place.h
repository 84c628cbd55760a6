/* SPDX-License-Identifier: MIT */
/*
 * Where the output of runs is kept: STATE_DIR/output/JOB/NUMBER. When the disk
 * runs low, output is what is cut first.
 */
#ifndef SCHEDD_CORE_RUNS_OUTPUT_PLACE_H
#define SCHEDD_CORE_RUNS_OUTPUT_PLACE_H

#include "core/runs/run_live.h"

/* The output of a run that is about to start; NULL: it is not wanted, or no memory. */
struct output *output_place_open(const struct run_live *live);
/* false: it is kept nowhere, or the name does not fit. */
bool output_place_path(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    char *path, size_t size);
/* number 0: of all runs of the job that have ended; job NULL: of all jobs. */
void output_place_remove(struct schedd_scheduler *scheduler, const char *job, uint32_t number);
void output_place_rename(
    const struct schedd_scheduler *scheduler, const char *from, const char *to);

#endif
