/* SPDX-License-Identifier: MIT */
/* Calls from any thread, made on the loop's thread and waited for. */
#ifndef SCHEDD_CORE_TOP_SCHEDULER_CALL_H
#define SCHEDD_CORE_TOP_SCHEDULER_CALL_H

#include "core/frame/scheduler_state.h"

struct scheduler_call {
	struct mailbox_letter letter; /* while it travels to the loop's thread */
	struct schedd_scheduler *scheduler;
	void (*run)(struct scheduler_call *call);  /* on the loop's thread; returns when done */
	void (*make)(struct scheduler_call *call); /* for run */
	bool finished;                             /* guarded by the thread's lock */
};

/* Runs it, here if this is the loop's thread, and returns when it is finished. */
void scheduler_call(struct scheduler_call *call);

/* Does a thread drive it that is not this one? */
bool scheduler_has_thread(const struct schedd_scheduler *scheduler);
/* Ends the thread of schedd_scheduler_start_thread(), if there is one. */
void scheduler_thread_end(struct schedd_scheduler *scheduler);

#endif
