/* SPDX-License-Identifier: MIT */
/*
 * Numbers, keeps and tells events. Numbers are reserved in blocks that are
 * stored before they are used, so that a crash never makes one come twice.
 */
#include "core/event_ring.h"

#include <stdlib.h>
#include <string.h>
#include "core/scheduler_state.h"

#define EVENT_RING_KEY "event.seq"
#define EVENT_RING_BLOCK 65536

struct schedd_listener {
	struct schedd_scheduler *scheduler;
	struct schedd_listener *next;
	unsigned mask;
	schedd_listener_fn call; /* NULL: removed, freed when nobody is being called */
	void *context;
};

void event_ring_init(struct event_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->oldest = 1;
}

static void event_ring_forget(struct event_slot *slot)
{
	free(slot->texts);
	slot->texts = NULL;
}

void event_ring_clear(struct event_ring *ring)
{
	for (uint32_t i = 0; ring->slots && i < ring->capacity; i++)
		event_ring_forget(&ring->slots[i]);
	free(ring->slots);
	while (ring->listeners) {
		struct schedd_listener *listener = ring->listeners;

		ring->listeners = listener->next;
		free(listener);
	}
	event_ring_init(ring);
}

static struct store_slot *event_ring_store(struct schedd_scheduler *scheduler)
{
	return scheduler_store_slot(scheduler, "default");
}

static void event_ring_reserved(int rc, const struct schedd_error *err, void *context)
{
	struct schedd_scheduler *scheduler = context;

	scheduler->events.reserving = false;
	if (rc)
		log_warn(scheduler->log, "event numbers cannot be reserved: %s", err->message);
	else
		scheduler->events.reserved += EVENT_RING_BLOCK;
}

static void event_ring_reserve(struct schedd_scheduler *scheduler)
{
	struct event_ring *ring = &scheduler->events;
	struct store_slot *slot = event_ring_store(scheduler);
	struct store_batch *batch = slot ? store_batch_new(slot->store) : NULL;

	if (!batch)
		return;
	ring->reserving = true;
	store_batch_put_number(batch, EVENT_RING_KEY, (int64_t)(ring->reserved + EVENT_RING_BLOCK));
	store_commit(slot->store, batch, event_ring_reserved, scheduler);
}

int event_ring_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	struct event_ring *ring = &scheduler->events;
	struct store_slot *slot = event_ring_store(scheduler);
	uint64_t last;

	if (!slot)
		return 0;
	last = (uint64_t)store_load_number(slot->store, EVENT_RING_KEY, 0);
	if (last > ring->seq) {
		ring->seq = last;
		ring->oldest = last + 1;
	}
	ring->reserved = ring->seq;
	event_ring_reserve(scheduler);
	store_flush(slot->store);
	if (ring->reserved == ring->seq)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store default: it cannot be written, so nothing can be recorded");
	return 0;
}

void event_ring_save(struct schedd_scheduler *scheduler, struct store_batch *batch)
{
	store_batch_put_number(batch, EVENT_RING_KEY, (int64_t)scheduler->events.seq);
}

static bool event_ring_room(struct schedd_scheduler *scheduler)
{
	struct event_ring *ring = &scheduler->events;

	if (ring->slots)
		return true;
	ring->capacity = scheduler->settings.event_ring ? scheduler->settings.event_ring : 1;
	ring->slots = calloc(ring->capacity, sizeof(ring->slots[0]));
	return ring->slots != NULL;
}

static char *event_ring_put_text(char *at, const char **text)
{
	size_t size;

	if (!*text)
		return at;
	size = strlen(*text) + 1;
	memcpy(at, *text, size);
	*text = at;
	return at + size;
}

/* The slot owns copies of all texts but the store's name, which lives as long as the scheduler. */
static void event_ring_keep(struct event_ring *ring, const struct schedd_event *event)
{
	struct event_slot *slot = &ring->slots[event->seq % ring->capacity];
	size_t id = event->job ? strlen(event->job) : 0;
	size_t size = (event->error ? strlen(event->error) + 1 : 0) +
		      (event->method ? strlen(event->method) + 1 : 0) +
		      (id > EVENT_RING_ID ? id + 1 : 0);

	event_ring_forget(slot);
	slot->event = *event;
	if (event->job && id <= EVENT_RING_ID) {
		memcpy(slot->id, event->job, id + 1);
		slot->event.job = slot->id;
	}
	if (size) {
		char *at = slot->texts = malloc(size);

		if (!at) {
			slot->event.error = slot->event.method = NULL;
			slot->event.job = id > EVENT_RING_ID ? NULL : slot->event.job;
		} else {
			at = event_ring_put_text(at, &slot->event.error);
			at = event_ring_put_text(at, &slot->event.method);
			if (id > EVENT_RING_ID)
				event_ring_put_text(at, &slot->event.job);
		}
	}
	if (event->seq >= ring->oldest + ring->capacity)
		ring->oldest = event->seq - ring->capacity + 1;
}

static void event_ring_sweep(struct event_ring *ring)
{
	struct schedd_listener **at = &ring->listeners;

	ring->wanted = 0;
	while (*at) {
		struct schedd_listener *listener = *at;

		if (listener->call) {
			ring->wanted |= listener->mask;
			at = &listener->next;
		} else {
			*at = listener->next;
			free(listener);
		}
	}
}

static void event_ring_tell(struct event_ring *ring, const struct schedd_event *event)
{
	ring->calling++;
	for (struct schedd_listener *listener = ring->listeners; listener;
	     listener = listener->next)
		if (listener->call && (listener->mask & (unsigned)event->code))
			listener->call(event, listener->context);
	if (--ring->calling == 0)
		event_ring_sweep(ring);
}

void event_ring_emit(struct schedd_scheduler *scheduler, struct schedd_event *event)
{
	struct event_ring *ring = &scheduler->events;

	event->seq = ++ring->seq;
	if (!ring->reserving && ring->reserved && ring->seq + EVENT_RING_BLOCK / 2 > ring->reserved)
		event_ring_reserve(scheduler);
	if (event_ring_room(scheduler))
		event_ring_keep(ring, event);
	if (ring->wanted & (unsigned)event->code)
		event_ring_tell(ring, event);
}

struct schedd_listener *event_ring_listen(
    struct schedd_scheduler *scheduler, unsigned mask, schedd_listener_fn call, void *context)
{
	struct schedd_listener *listener = calloc(1, sizeof(*listener));
	struct schedd_listener **end = &scheduler->events.listeners;

	if (!listener)
		return NULL;
	listener->scheduler = scheduler;
	listener->mask = mask;
	listener->call = call;
	listener->context = context;
	while (*end)
		end = &(*end)->next;
	*end = listener;
	scheduler->events.wanted |= mask;
	return listener;
}

void event_ring_unlisten(struct schedd_listener *listener)
{
	struct event_ring *ring = &listener->scheduler->events;

	listener->call = NULL;
	if (ring->calling == 0)
		event_ring_sweep(ring);
}

struct schedd_scheduler *event_ring_owner(const struct schedd_listener *listener)
{
	return listener->scheduler;
}

uint64_t scheduler_replay(
    struct schedd_scheduler *scheduler, uint64_t since, schedd_listener_fn call, void *context)
{
	struct event_ring *ring = &scheduler->events;
	uint64_t first = since + 1 > ring->oldest ? since + 1 : ring->oldest;

	for (uint64_t seq = first; ring->slots && seq <= ring->seq; seq++) {
		const struct event_slot *slot = &ring->slots[seq % ring->capacity];

		if (slot->event.seq == seq)
			call(&slot->event, context);
	}
	return first;
}

uint64_t scheduler_event_seq(const struct schedd_scheduler *scheduler)
{
	return scheduler->events.seq;
}
