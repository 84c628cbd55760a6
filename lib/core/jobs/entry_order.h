/* SPDX-License-Identifier: MIT */
/* Entries in the order of their ids; entry_first() and entry_next() walk it. */
#ifndef SCHEDD_CORE_JOBS_ENTRY_ORDER_H
#define SCHEDD_CORE_JOBS_ENTRY_ORDER_H

#include "core/jobs/entry.h"

/* Room for one more; false: no memory. */
bool entry_order_room(struct schedd_scheduler *scheduler);
/* After entry_order_room(). */
void entry_order_add(struct schedd_scheduler *scheduler, struct entry *entry);
void entry_order_drop(struct schedd_scheduler *scheduler, const struct entry *entry);
void entry_order_free(struct schedd_scheduler *scheduler);
bool entry_order_check(const struct schedd_scheduler *scheduler);

#endif
