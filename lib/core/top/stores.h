/* SPDX-License-Identifier: MIT */
/* The stores of a scheduler, and the taking away of its parts. */
#ifndef SCHEDD_CORE_TOP_STORES_H
#define SCHEDD_CORE_TOP_STORES_H

#include "core/frame/scheduler_state.h"

/* Adds the store and the executors that everybody has and nobody added. */
int stores_default(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
void stores_close(struct schedd_scheduler *scheduler);
void stores_free(struct schedd_scheduler *scheduler);


#endif
