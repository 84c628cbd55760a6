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
/*
 * The end of it, for a store that nodes share to keep: up to 64 KiB, in the form of a file of
 * output. output: the run's, where it is at hand. Nothing is appended where nothing was kept.
 */
void output_place_last(const struct schedd_scheduler *scheduler, const char *job, uint32_t number,
    const struct output *output, struct strbuf *out);
/* number 0: of all runs of the job that have ended; job NULL: of all jobs. */
void output_place_remove(struct schedd_scheduler *scheduler, const char *job, uint32_t number);
void output_place_rename(
    const struct schedd_scheduler *scheduler, const char *from, const char *to);

#endif
