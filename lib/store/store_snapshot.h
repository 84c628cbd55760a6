/* SPDX-License-Identifier: MIT */
/* What a store had beside its jobs when it was read, as a backend puts it together. */
#ifndef SCHEDD_STORE_STORE_SNAPSHOT_H
#define SCHEDD_STORE_STORE_SNAPSHOT_H

#include "store/store.h"

/* NULL: no memory. */
struct store_snapshot *store_snapshot_new(void);
/* Copies what they are given, in any order. Failure is sticky. */
void store_snapshot_add_number(struct store_snapshot *snapshot, const char *key, int64_t number);
void store_snapshot_add_text(struct store_snapshot *snapshot, const char *key, const char *text);
/* Only a run that has not ended is taken, or a lost one without an end: its process was there. */
void store_snapshot_add_run(struct store_snapshot *snapshot, const struct run *run);
/* One that is over, which a store of jobs alone still has for the history that is another's. */
void store_snapshot_add_over(struct store_snapshot *snapshot, const struct run *run);
/* Those, oldest first. */
const struct run *store_snapshot_over(const struct store_snapshot *snapshot, size_t *count);
/* Puts it in order. SCHEDD_ENOMEM if anything is missing. */
int store_snapshot_finish(struct store_snapshot *snapshot, struct schedd_error *err)
    __attribute__((warn_unused_result));

#endif
