/* SPDX-License-Identifier: MIT */
/* Keeps each account's history within what it may have, in all stores together, oldest runs first. */
#ifndef SCHEDD_CORE_KEEP_ACCOUNT_HISTORY_H
#define SCHEDD_CORE_KEEP_ACCOUNT_HISTORY_H

#include "core/frame/scheduler_state.h"

struct account_history;

/* NULL: no memory. */
struct account_history *account_history_new(struct schedd_scheduler *scheduler);
/* NULL is fine. After the stores are closed. */
void account_history_free(struct account_history *history);
/* Counts all accounts' runs once, where any may have more than it should; no-op while it does. */
void account_history_begin(struct account_history *history);

#endif
