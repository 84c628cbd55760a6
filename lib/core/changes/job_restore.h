/* SPDX-License-Identifier: MIT */
/* Jobs of a backup put into a store with all that is known of them: all in one commit, or none. */
#ifndef SCHEDD_CORE_CHANGES_JOB_RESTORE_H
#define SCHEDD_CORE_CHANGES_JOB_RESTORE_H

#include "core/changes/change.h"

struct job_restore;

/* replace: those that are there are changed into what the backup has. NULL: no memory. */
struct job_restore *job_restore_new(
    struct store_slot *slot, bool replace, const struct scheduler_actor *actor);
/*
 * A job as top/dump.h has it. SCHEDD_EFILE: it is none; SCHEDD_ECONFLICT: there is one of that id
 * in the backup, or in a store, that is not to be replaced.
 */
int job_restore_add(struct job_restore *restore, const struct value *map, struct schedd_error *err)
    __attribute__((warn_unused_result));
int64_t job_restore_count(const struct job_restore *restore);
/* Called once, on the loop's thread, never inside it. */
void job_restore_start(struct job_restore *restore,
    void (*done)(int rc, const struct schedd_error *err, void *context), void *context);
/* Not between start and done, but when the stores are closed. NULL is fine. */
void job_restore_free(struct job_restore *restore);

#endif
