/* SPDX-License-Identifier: MIT */
/*
 * Which entries fall due when. Those of an account have a queue of their own,
 * and what is due is dealt from one queue after the other, however much of one
 * account is due.
 */
#ifndef SCHEDD_CORE_JOBS_DUE_QUEUE_H
#define SCHEDD_CORE_JOBS_DUE_QUEUE_H

#include "core/jobs/entry.h"

void due_queue_init(struct schedd_scheduler *scheduler);
/* The entries are gone, or go. */
void due_queue_free(struct schedd_scheduler *scheduler);
/* Anew if it was in it. SCHEDD_ENOMEM: it is not. */
int due_queue_set(struct schedd_scheduler *scheduler, struct entry *entry, schedd_time when)
    __attribute__((warn_unused_result));
/* No-op for one that is not in it. */
void due_queue_remove(struct schedd_scheduler *scheduler, struct entry *entry);
/* When the earliest is due; SCHEDD_TIME_NONE: none ever. */
schedd_time due_queue_next(const struct schedd_scheduler *scheduler);
/* One that is due by now, of the queue whose turn it is; NULL: none is. It stays in its queue. */
struct entry *due_queue_take(struct schedd_scheduler *scheduler, schedd_time now);
/*
 * Have accounts something due by now? Then how many entries are to be taken, of most,
 * until each queue had its turn, where one has had none; otherwise most. 0: none has.
 */
uint32_t due_queue_share(struct schedd_scheduler *scheduler, schedd_time now, uint32_t most);
/* Walks the invariants; for tests. */
bool due_queue_check(const struct schedd_scheduler *scheduler);

#endif
