/* SPDX-License-Identifier: MIT */
/* The stores of a scheduler, and the taking away of its parts. */
#ifndef SCHEDD_CORE_TOP_STORES_H
#define SCHEDD_CORE_TOP_STORES_H

#include "core/frame/scheduler_state.h"
#include "core/scheduler.h"

/* Adds the store and the executors that everybody has and nobody added. */
int stores_default(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * A new one that is not among the others yet, after all checks. wait: one in this
 * machine is open when this returns, or refused; else it goes on by itself.
 */
int stores_make(struct schedd_scheduler *scheduler, const struct scheduler_new_store *store,
    bool wait, struct store_slot **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Puts it among the others; SCHEDD_ENOMEM. */
int stores_join(struct schedd_scheduler *scheduler, struct store_slot *slot,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* Does anything still need the store? */
bool stores_used(const struct schedd_scheduler *scheduler, const struct store_slot *slot);
void stores_close(struct schedd_scheduler *scheduler);
void stores_free(struct schedd_scheduler *scheduler);


#endif
