/* SPDX-License-Identifier: MIT */
/*
 * The value that a run's processes carry in SCHEDD_INVOCATION: nobody who lacks
 * the scheduler's key can foresee it, and the next life of the scheduler, which
 * has the key from its store, knows it again.
 */
#ifndef SCHEDD_CORE_RUNS_INVOCATION_H
#define SCHEDD_CORE_RUNS_INVOCATION_H

#include "core/frame/scheduler_state.h"
#include "executor/process_census.h"

/* A key of its own, until another is taken. */
void invocation_init(struct schedd_scheduler *scheduler);
/* Takes the key that an earlier life wrote down; false: it is none. */
bool invocation_take_key(struct schedd_scheduler *scheduler, const char *text);
/* The key as text, to be written down. */
void invocation_key(const struct schedd_scheduler *scheduler, char text[2 * SIPHASH_KEY + 1]);
/* id: "backup/42". */
void invocation_make(const struct schedd_scheduler *scheduler, const char *id,
    schedd_time scheduled_at, char text[PROCESS_INVOCATION + 1]);

#define INVOCATION_PLACE 64 /* room for a name of a directory */

/* The name of the directory for the secrets of a run, and how all of this scheduler's begin. */
void invocation_place(const struct schedd_scheduler *scheduler, const char *invocation,
    char name[INVOCATION_PLACE]);
void invocation_places(const struct schedd_scheduler *scheduler, char prefix[INVOCATION_PLACE]);

#endif
