/* SPDX-License-Identifier: MIT */
/*
 * The latest events and those who listen.
 *
 * The ring owns what its events point to; ids lie in the slots, so that the
 * many events of a busy second cost no allocation and touch no job.
 */
#ifndef SCHEDD_CORE_EVENT_RING_H
#define SCHEDD_CORE_EVENT_RING_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/event.h>

struct schedd_listener;
struct schedd_scheduler;
struct store_batch;

/* Ids up to this length lie in the slot itself. */
#define EVENT_RING_ID 47

struct event_slot {
	struct schedd_event event;
	char id[EVENT_RING_ID + 1]; /* owns event.job, if it is short enough */
	char *texts;                /* owns error, method and a long id; NULL: there are none */
};

struct event_ring {
	struct event_slot *slots; /* NULL until the first event */
	uint32_t capacity;
	uint64_t seq;      /* of the latest event */
	uint64_t oldest;   /* seq of the oldest one kept; seq + 1: none */
	uint64_t reserved; /* numbers up to this are stored as given out */
	bool reserving;    /* a commit for more is under way */
	struct schedd_listener *listeners;
	uint32_t calling; /* depth of calls to listeners */
	unsigned wanted;  /* union of their masks */
};

void event_ring_init(struct event_ring *ring);
void event_ring_clear(struct event_ring *ring);
/* Takes up the numbering where the last process stopped. */
int event_ring_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* At a clean stop: the next process goes on without a gap. */
void event_ring_save(struct schedd_scheduler *scheduler, struct store_batch *batch);
/* NULL: no memory. On the loop's thread. */
struct schedd_listener *event_ring_listen(
    struct schedd_scheduler *scheduler, unsigned mask, schedd_listener_fn call, void *context);
/* Allowed inside the listener itself. */
void event_ring_unlisten(struct schedd_listener *listener);
/* Whose it is; from any thread. */
struct schedd_scheduler *event_ring_owner(const struct schedd_listener *listener);
/* Numbers the event, keeps it, calls the listeners. */
void event_ring_emit(struct schedd_scheduler *scheduler, struct schedd_event *event);

#endif
