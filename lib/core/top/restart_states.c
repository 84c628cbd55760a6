/* SPDX-License-Identifier: MIT */
/* How the jobs of a store ended last, which their rows do not say. */
#include "core/top/restart.h"

#include "core/frame/store_slot.h"

/* Rows of recent history that are looked at for how jobs ended last. */
#define RESTART_STATES 10000

/* How the last run of each job ended, as far as recent history says; newest first. */
static void restart_take_states(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct schedd_scheduler *scheduler = context;

	(void)err;
	(void)cursor;
	for (size_t i = 0; !rc && i < count; i++) {
		struct entry *entry = entry_get(scheduler, runs[i].job);

		if (entry && entry->last_state == RUN_QUEUED && run_ended(runs[i].state))
			entry->last_state = (uint8_t)runs[i].state;
	}
}

void restart_ask_states(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	struct store_run_query query = {.states = 1u << RUN_SUCCESS | 1u << RUN_FAILED |
						  1u << RUN_TIMEOUT | 1u << RUN_KILLED |
						  1u << RUN_LOST,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = RESTART_STATES};

	if (slot->entries)
		store_query_runs(slot->store, &query, restart_take_states, scheduler);
}
