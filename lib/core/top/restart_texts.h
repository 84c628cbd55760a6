/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CORE_TOP_RESTART_TEXTS_H
#define SCHEDD_CORE_TOP_RESTART_TEXTS_H

#include "core/frame/scheduler_state.h"

/* From the slot's snapshot: who paused jobs; of the default store groups, the pause of all, boot and key. */
void restart_texts_take(struct schedd_scheduler *scheduler, struct store_slot *slot);
/* In the default store: boot and key, before the first run that is known by it. */
void restart_texts_remember(struct schedd_scheduler *scheduler);
/* In the record of changes: looking back must know when nothing could run. */
void restart_texts_record(struct schedd_scheduler *scheduler);

#endif
