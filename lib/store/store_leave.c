/* SPDX-License-Identifier: MIT */
/* Leaving a store: it is closed without anybody waiting, as soon as nothing of it goes on. */
#include <stddef.h>
#include "store/store_ops.h"

static void leave_open(struct mailbox_letter *letter)
{
	struct store *store = (struct store *)(void *)((char *)letter - offsetof(struct store, leave.letter));
	void (*settled)(struct store *store) = store->leave.settled;

	store->leave.posted = false;
	if (!settled || store->pending > 0)
		return;
	store->leave.settled = NULL;
	settled(store);
}

/* Never inside the call that has brought it about. */
static void leave_look(struct store *store)
{
	if (store->leave.posted)
		return;
	store->leave.posted = true;
	store->leave.letter.open = leave_open;
	mailbox_put(store->mailbox, &store->leave.letter);
}

void store_answered(struct store *store)
{
	if (--store->pending == 0 && store->leave.settled)
		leave_look(store);
}

void store_when_settled(struct store *store, void (*settled)(struct store *store))
{
	store->leave.settled = settled;
	if (store->pending == 0)
		leave_look(store);
}

static void leave_over(struct store *store)
{
	void (*left)(void *context) = store->leave.left;

	store->leave.left = NULL;
	if (left)
		left(store->leave.context);
}

void store_gone(struct store *store)
{
	store_when_settled(store, leave_over);
}

void store_leave(struct store *store, void (*left)(void *context), void *context)
{
	store->changed = NULL;
	store->watch = NULL;
	store->share = NULL;
	store->leave.begun = true;
	store->leave.left = left;
	store->leave.context = context;
	if (store->ops->jobs->leave)
		store->ops->jobs->leave(store);
	else
		store_gone(store);
}
