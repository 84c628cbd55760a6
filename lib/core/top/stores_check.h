/* SPDX-License-Identifier: MIT */
#ifndef SCHEDD_CORE_TOP_STORES_CHECK_H
#define SCHEDD_CORE_TOP_STORES_CHECK_H

#include "core/frame/scheduler_state.h"

/* Those that wait for their turn at the store (NULL: at any) are answered so. */
void stores_check_refuse(struct schedd_scheduler *scheduler, const struct store *store, const char *why);
/* Ends those under way, when the stores are closed. */
void stores_check_stop(struct schedd_scheduler *scheduler);

#endif
