/* SPDX-License-Identifier: MIT */
/* Entries by their slot in a store that is shared; see entry_walk_slots() in entry.h. */
#ifndef SCHEDD_CORE_JOBS_ENTRY_SLOTS_H
#define SCHEDD_CORE_JOBS_ENTRY_SLOTS_H

#include "core/jobs/entry.h"

/* The one at that place of the order is new, or its slot may be another. */
void entry_slots_forget(struct schedd_scheduler *scheduler, uint32_t position);
/* The order has room for so many. */
void entry_slots_resize(struct schedd_scheduler *scheduler, uint32_t capacity);
/* The first count entries of the order still say where they were before they were put there. */
void entry_slots_reorder(struct schedd_scheduler *scheduler, uint32_t count);
void entry_slots_free(struct schedd_scheduler *scheduler);
bool entry_slots_check(const struct schedd_scheduler *scheduler);

#endif
