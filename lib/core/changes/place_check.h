/* SPDX-License-Identifier: MIT */
/* Whether a job may say where it runs, in its store and beside the others of its group. */
#ifndef SCHEDD_CORE_CHANGES_PLACE_CHECK_H
#define SCHEDD_CORE_CHANGES_PLACE_CHECK_H

#include "core/changes/change.h"

/*
 * old: the job until now, NULL: none; what it was let say before is not judged
 * again. SCHEDD_EINVAL: its store has no nodes; SCHEDD_ECONFLICT.
 */
int place_check(const struct store_slot *store, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * For begin(), behind change_guard(): a job that comes to another slot by the
 * change has none of its runs open, for they are counted by the node that has it.
 */
void place_guard(struct change *change);
/* A limit of a group is one node's business: are its jobs all in one place? SCHEDD_ECONFLICT. */
int place_check_group(struct schedd_scheduler *scheduler, const char *group,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
