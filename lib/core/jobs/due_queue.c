/* SPDX-License-Identifier: MIT */
/*
 * Accounts that have something planned are in a heap by their earliest entry;
 * those whose earliest is due move to a ring, and back when nothing of theirs is
 * due any more. The daemon's own entries take every other turn.
 */
#include "core/jobs/due_queue.h"

#include <stddef.h>
#include "core/jobs/accounts.h"

void due_queue_init(struct schedd_scheduler *scheduler)
{
	heap_init(&scheduler->jobs.due);
	heap_init(&scheduler->jobs.due_accounts);
}

void due_queue_free(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0;
	struct account_slot *slot;

	heap_clear(&scheduler->jobs.due);
	heap_clear(&scheduler->jobs.due_accounts);
	while ((slot = accounts_walk(scheduler, &position))) {
		heap_clear(&slot->due);
		heap_init(&slot->due);
	}
	scheduler->jobs.due_ring = NULL;
	scheduler->jobs.due_ring_count = 0;
}

static struct entry *due_queue_entry(struct heap_node *node)
{
	return node ? (struct entry *)(void *)((char *)node - offsetof(struct entry, due)) : NULL;
}

/*
 * A second without fires has driven jobs out of the cache, and what one of them takes is less than
 * one look at memory: those that come next are fetched meanwhile.
 */
static void due_queue_fetch(const struct heap *queue)
{
	const struct entry *far = due_queue_entry(heap_ahead(queue, 8));
	const struct entry *near = due_queue_entry(heap_ahead(queue, 4));
	const struct entry *next = due_queue_entry(heap_ahead(queue, 2));

	if (far) {
		__builtin_prefetch(far, 1);
		__builtin_prefetch((const char *)far + 64, 1);
		__builtin_prefetch(&far->last_state, 1);
	}
	if (near)
		__builtin_prefetch(near->job, 1);
	if (next) {
		__builtin_prefetch(next->job->id);
		__builtin_prefetch(next->job->trigger);
		store_expect_run(next->store->store, next->known);
	}
}

/* The first of a queue that is due by now. */
static struct entry *due_queue_first(const struct heap *queue, schedd_time now)
{
	int64_t when;
	struct heap_node *node = heap_peek(queue, &when);

	return node && when <= now ? due_queue_entry(node) : NULL;
}

/* ---- The ring ---- */

/* due_ring is the one whose turn was last; the next one is behind it. */
static void due_ring_add(struct schedd_scheduler *scheduler, struct account_slot *slot)
{
	struct account_slot *last = scheduler->jobs.due_ring;

	slot->ring_next = last ? last->ring_next : slot;
	if (last)
		last->ring_next = slot;
	scheduler->jobs.due_ring = slot;
	scheduler->jobs.due_ring_count++;
	scheduler->jobs.due_ring_grown = true;
	slot->in_ring = true;
}

/* Takes the one out whose turn it is; it goes by its earliest entry again. */
static void due_ring_drop(struct schedd_scheduler *scheduler, struct account_slot *slot)
{
	struct account_slot *last = scheduler->jobs.due_ring;
	int64_t when;

	last->ring_next = slot->ring_next;
	scheduler->jobs.due_ring = last == slot ? NULL : last;
	scheduler->jobs.due_ring_count--;
	slot->in_ring = false;
	/* There was room for it before. */
	if (heap_peek(&slot->due, &when) &&
	    heap_set(&scheduler->jobs.due_accounts, &slot->due_node, when))
		log_error(scheduler->log, "account %s: no memory to plan its jobs", slot->name);
}

static void due_ring_fill(struct schedd_scheduler *scheduler, schedd_time now)
{
	struct heap_node *node;
	int64_t when;

	while ((node = heap_peek(&scheduler->jobs.due_accounts, &when)) && when <= now) {
		heap_remove(&scheduler->jobs.due_accounts, node);
		due_ring_add(scheduler,
		    (struct account_slot *)(void *)((char *)node -
						    offsetof(struct account_slot, due_node)));
	}
}

/* ---- The queues ---- */

int due_queue_set(struct schedd_scheduler *scheduler, struct entry *entry, schedd_time when)
{
	struct account_slot *slot = accounts_of_entry(entry);
	int64_t earliest;
	int rc;

	if (!slot)
		return heap_set(&scheduler->jobs.due, &entry->due, when);
	rc = heap_set(&slot->due, &entry->due, when);
	if (rc || slot->in_ring)
		return rc;
	heap_peek(&slot->due, &earliest);
	rc = heap_set(&scheduler->jobs.due_accounts, &slot->due_node, earliest);
	if (rc)
		heap_remove(&slot->due, &entry->due);
	return rc;
}

void due_queue_remove(struct schedd_scheduler *scheduler, struct entry *entry)
{
	struct account_slot *slot = accounts_of_entry(entry);
	int64_t earliest;

	if (!heap_queued(&entry->due))
		return;
	if (!slot) {
		heap_remove(&scheduler->jobs.due, &entry->due);
		return;
	}
	heap_remove(&slot->due, &entry->due);
	if (slot->in_ring)
		return;
	/* It is there already: that needs no memory. */
	if (!heap_peek(&slot->due, &earliest) ||
	    heap_set(&scheduler->jobs.due_accounts, &slot->due_node, earliest))
		heap_remove(&scheduler->jobs.due_accounts, &slot->due_node);
}

schedd_time due_queue_next(const struct schedd_scheduler *scheduler)
{
	const struct account_slot *last = scheduler->jobs.due_ring, *slot = last;
	schedd_time next = SCHEDD_TIME_NONE;
	int64_t when;

	if (heap_peek(&scheduler->jobs.due, &when))
		next = when;
	if (heap_peek(&scheduler->jobs.due_accounts, &when) &&
	    (next == SCHEDD_TIME_NONE || when < next))
		next = when;
	while (slot) {
		if (heap_peek(&slot->due, &when) && (next == SCHEDD_TIME_NONE || when < next))
			next = when;
		slot = slot->ring_next == last ? NULL : slot->ring_next;
	}
	return next;
}

/* The next account's; those of which nothing is due any more leave the ring. */
static struct entry *due_queue_account(struct schedd_scheduler *scheduler, schedd_time now)
{
	struct entry *entry = NULL;

	due_ring_fill(scheduler, now);
	while (!entry && scheduler->jobs.due_ring) {
		struct account_slot *slot = scheduler->jobs.due_ring->ring_next;

		entry = due_queue_first(&slot->due, now);
		if (entry)
			scheduler->jobs.due_ring = slot;
		else
			due_ring_drop(scheduler, slot);
	}
	return entry;
}

struct entry *due_queue_take(struct schedd_scheduler *scheduler, schedd_time now)
{
	struct entry *own = due_queue_first(&scheduler->jobs.due, now), *entry;

	due_queue_fetch(&scheduler->jobs.due);
	if (own && !scheduler->jobs.due_own_last) {
		scheduler->jobs.due_own_last = true;
		return own;
	}
	entry = scheduler->jobs.due_accounts.count || scheduler->jobs.due_ring
		    ? due_queue_account(scheduler, now)
		    : NULL;
	scheduler->jobs.due_own_last = !entry;
	return entry ? entry : own;
}

uint32_t due_queue_share(struct schedd_scheduler *scheduler, schedd_time now, uint32_t most)
{
	bool own = due_queue_first(&scheduler->jobs.due, now) != NULL;
	uint32_t round;

	due_ring_fill(scheduler, now);
	/* The daemon's own take every other turn. */
	round = scheduler->jobs.due_ring_count * (own ? 2 : 1);
	if (!scheduler->jobs.due_ring_count || !scheduler->jobs.due_ring_grown)
		return scheduler->jobs.due_ring_count ? most : 0;
	scheduler->jobs.due_ring_grown = false;
	return round < most ? round : most;
}

bool due_queue_check(const struct schedd_scheduler *scheduler)
{
	const struct account_slot *slot;
	bool right = heap_check(&scheduler->jobs.due) && heap_check(&scheduler->jobs.due_accounts);
	uint32_t ring = 0;

	for (uint32_t position = 0; (slot = accounts_walk(scheduler, &position));)
		ring += slot->in_ring;
	right = right && ring == scheduler->jobs.due_ring_count;
	for (uint32_t position = 0; right && (slot = accounts_walk(scheduler, &position));)
		right = heap_check(&slot->due) &&
			(slot->in_ring || (slot->due.count > 0) == heap_queued(&slot->due_node)) &&
			!(slot->in_ring && heap_queued(&slot->due_node));
	return right;
}
