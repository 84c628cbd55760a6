/* SPDX-License-Identifier: MIT */
/*
 * Who waits until what was given to a store so far is on disk: an answer that
 * tells of it is not given before. Embedded in its owner.
 */
#ifndef SCHEDD_CORE_FRAME_STORE_AWAIT_H
#define SCHEDD_CORE_FRAME_STORE_AWAIT_H

#include "core/frame/scheduler_state.h"

/* So long at most: by then the store is taken for one that fails. */
#define STORE_AWAIT_LIMIT (5 * SCHEDD_SECOND)

struct store_await {
	struct store_await *next;
	struct store_slot *slot; /* NULL: it waits for nothing */
	uint64_t upto;           /* commits with such a number or a lower one are waited for */
	uint32_t left;           /* of them, not answered yet */
	bool failed;             /* one of them was */
	struct timer limit;
	/* stored: it is on disk; else the store failed, or did not answer within the limit. */
	void (*call)(struct store_await *await, bool stored);
};

/*
 * Calls when all commits that are on their way are answered: inside this call where none is, and where the
 * store has refused what it got so far. It waits for nothing any more when it is called, exactly once. What is
 * in the outbox yet is not waited for: store_slot_await().
 */
void store_await(struct store_await *await, struct store_slot *slot,
    void (*call)(struct store_await *await, bool stored));
/* It is not called any more. One that waits for nothing is fine. */
void store_await_cancel(struct store_await *await);
/* For the slot: the commit of that number was answered. */
void store_await_answered(struct store_slot *slot, uint64_t number, bool stored);
/* Nothing more will be. */
void store_await_give_up(struct store_slot *slot);

#endif
