/* SPDX-License-Identifier: MIT */
/* Commits of a slot are numbered; each answer counts for those who wait for its number. */
#include "core/frame/store_await.h"

#include <stddef.h>

static void store_await_unlink(struct store_await *await)
{
	struct store_slot *slot = await->slot;
	struct store_await **at = &slot->awaits;

	while (*at && *at != await)
		at = &(*at)->next;
	if (*at)
		*at = await->next;
	timers_unset(&slot->scheduler->timers, &await->limit);
	await->slot = NULL;
}

static void store_await_over(struct store_await *await, bool stored)
{
	store_await_unlink(await);
	await->call(await, stored);
}

static void store_await_late(struct timer *timer)
{
	store_await_over((struct store_await *)(void *)((char *)timer - offsetof(struct store_await, limit)), false);
}

void store_await(struct store_await *await, struct store_slot *slot,
    void (*call)(struct store_await *await, bool stored))
{
	struct schedd_scheduler *scheduler = slot->scheduler;
	struct schedd_mono when = {scheduler_mono(scheduler).us + STORE_AWAIT_LIMIT};

	await->call = call;
	await->slot = NULL;
	if (!slot->in_flight || slot->unwritten) {
		call(await, !slot->unwritten);
		return;
	}
	await->slot = slot;
	await->upto = slot->sent;
	await->left = slot->in_flight;
	await->failed = false;
	await->next = slot->awaits;
	slot->awaits = await;
	timer_init(&await->limit, store_await_late);
	/* Without memory for that it waits for the store alone. */
	(void)!timers_set(&scheduler->timers, &await->limit, when);
}

void store_await_cancel(struct store_await *await)
{
	if (await->slot)
		store_await_unlink(await);
}

void store_await_answered(struct store_slot *slot, uint64_t number, bool stored)
{
	struct store_await *await = slot->awaits;

	for (; await; await = await->next) {
		if (await->upto < number)
			continue;
		await->left--;
		await->failed |= !stored;
	}
	/* What is called may begin or end others. */
	for (await = slot->awaits; await;) {
		if (await->left && !await->failed) {
			await = await->next;
			continue;
		}
		store_await_over(await, !await->failed);
		await = slot->awaits;
	}
}

void store_await_give_up(struct store_slot *slot)
{
	while (slot->awaits)
		store_await_over(slot->awaits, false);
}
