/* SPDX-License-Identifier: MIT */
/*
 * What is done to directories of output in the background: they may hold
 * hundreds of thousands of files.
 */
#ifndef SCHEDD_CORE_RUNS_OUTPUT_TIDY_H
#define SCHEDD_CORE_RUNS_OUTPUT_TIDY_H

#include "core/frame/scheduler_state.h"

/* Directories of that name, with a number behind it, are on their way out. */
#define OUTPUT_TIDY_GONE ".gone-"

/*
 * Deletes what is on its way out, and then the oldest output until all of it
 * takes no more than the settings let it, and each account's no more than that
 * account may have; once more after what is under way.
 */
void output_tidy_begin(struct schedd_scheduler *scheduler);
/*
 * Takes the directory of a job's output (NULL: of all output) out of the way:
 * its name is free at once, gone is the path where it is until it is deleted.
 * False: there is none, or it cannot be moved.
 */
bool output_tidy_take(struct schedd_scheduler *scheduler, const char *job, char *gone, size_t size);
/* Deletes what was taken, by and by. */
void output_tidy_gone(struct schedd_scheduler *scheduler);

#endif
