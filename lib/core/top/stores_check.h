/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CORE_TOP_STORES_CHECK_H
#define SCHEDD_CORE_TOP_STORES_CHECK_H

#include "core/frame/scheduler_state.h"

/* Ends those under way, when the stores are closed. */
void stores_check_stop(struct schedd_scheduler *scheduler);

#endif
