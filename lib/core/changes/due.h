/* SPDX-License-Identifier: MIT */
/* Fire times that are due become a claim. */
#ifndef SCHEDD_CORE_CHANGES_DUE_H
#define SCHEDD_CORE_CHANGES_DUE_H

#include "core/changes/claim.h"

/*
 * Decides about the fire times of an entry that is due and adds the outcome to
 * the batch. why (may be NULL) replaces the reason of those that are too late.
 */
int due_plan(struct claim_batch *batch, struct entry *entry, schedd_time now, const char *why)
    __attribute__((warn_unused_result));

#endif
