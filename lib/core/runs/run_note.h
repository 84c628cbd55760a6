/* SPDX-License-Identifier: MIT */
/*
 * What a run needs to begin in another life and its row has no place for: the
 * environment of this run alone, that it was forced, when it was due. A text in
 * its store, "run.JOB/N", written with the claim and removed with the end; most
 * runs have none.
 */
#ifndef SCHEDD_CORE_RUNS_RUN_NOTE_H
#define SCHEDD_CORE_RUNS_RUN_NOTE_H

#include "core/runs/run_live.h"

#define RUN_NOTE_PREFIX "run."

/* Adds the note to the claim, if one is needed. */
void run_note_put(struct store_batch *batch, struct run_live *live);
/* Fills live from the note's text. SCHEDD_EINVAL, SCHEDD_ENOMEM. */
int run_note_take(struct run_live *live, const char *text, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* With the end of the run. */
void run_note_drop(const struct run_live *live);
/* As members of a map, and back. */
struct value run_note_env(const struct run_live *live, struct arena *arena);
int run_note_take_env(struct run_live *live, const struct value *env)
    __attribute__((warn_unused_result));

#endif
