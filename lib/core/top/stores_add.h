/* SPDX-License-Identifier: MIT */
/* Stores that are added while the scheduler runs, without the loop waiting for their disks. */
#ifndef SCHEDD_CORE_TOP_STORES_ADD_H
#define SCHEDD_CORE_TOP_STORES_ADD_H

#include "core/frame/scheduler_state.h"
#include "core/scheduler.h"
#include "core/top/stores_leave.h"

struct stores_adding {
	struct stores_leaving leaving; /* first; when it is taken out again */
	struct stores_adding *next; /* of those under way */
	struct schedd_scheduler *scheduler;
	struct store_slot *slot;
	struct scheduler_actor actor;
	struct scheduler_reply reply;
	bool joined; /* it is open, stands among the others and is being read */
	bool over;   /* it has come to its end, which the letter brings about */
	struct mailbox_letter letter; /* closing does not go inside the store's own call */
	int rc;
	struct schedd_error err;
};

/* Gives them up, before the stores are closed. */
void stores_add_stop(struct schedd_scheduler *scheduler);

#endif
