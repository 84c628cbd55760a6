/* SPDX-License-Identifier: MIT */
/*
 * The latest events and those who listen.
 *
 * A busy second makes many events, so a kept one is a cache line: plain members
 * and the id of its job. What few events say lies outside.
 */
#ifndef SCHEDD_CORE_FRAME_EVENT_RING_H
#define SCHEDD_CORE_FRAME_EVENT_RING_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/event.h>
#include "base/strmap.h"

struct schedd_listener;
struct scheduler_actor;
struct store_slot;
struct run;
struct schedd_scheduler;
struct store_batch;

/* Ids up to this length lie in the slot itself. */
#define EVENT_RING_ID 23

/* What few events say, in one allocation. */
struct event_more {
	int64_t uid, pid;
	uint64_t own;       /* its number among those of its account; 0: the daemon's own */
	const char *job;    /* an id too long for the slot; NULL: it is there, or there is none */
	const char *error;  /* NULL: none */
	const char *method; /* NULL: none */
	char texts[];       /* what these point to */
};

/* An event as it is kept; its number is its place. */
struct event_slot {
	schedd_time time;
	schedd_time scheduled_at;
	struct event_more *more; /* owned; NULL: nothing */
	uint32_t run;
	int16_t exit_code;
	uint8_t signal;
	uint8_t code;               /* its bit */
	const char *store;          /* lives as long as the scheduler; NULL: none */
	char id[EVENT_RING_ID + 1]; /* of the job; "": none */
};

struct event_ring {
	struct event_slot *slots; /* NULL until the first event */
	void *memory;             /* they lie in */
	uint32_t capacity;
	uint64_t seq;      /* of the latest event */
	uint32_t place;    /* its slot, once there are slots */
	uint64_t oldest;   /* seq of the oldest one kept; seq + 1: none */
	uint64_t reserved; /* numbers up to this are stored as given out */
	bool reserving;    /* a commit for more is under way */
	struct schedd_listener *listeners, *last; /* in the order in which they came */
	uint32_t calling; /* depth of calls to listeners */
	uint32_t removed; /* of the listeners, while others were called */
	unsigned wanted;  /* union of their masks */
	uint32_t wanting[32]; /* how many have each bit */
	void (*settled)(void *context); /* NULL: nobody gathers what is told */
	void *settled_context;
	bool told; /* something, since it was last called */
	struct strmap accounts; /* how many events each account had */
};

void event_ring_init(struct event_ring *ring);
void event_ring_clear(struct event_ring *ring);
/* Takes up the numbering where the last process stopped. */
int event_ring_load(struct schedd_scheduler *scheduler, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* At a clean stop: the next process goes on without a gap. */
void event_ring_save(struct schedd_scheduler *scheduler, struct store_batch *batch);
/* What was told is all for now; called when the scheduler is left. */
void event_ring_settle(struct event_ring *ring);
/* NULL: no memory. On the loop's thread. */
struct schedd_listener *event_ring_listen(
    struct schedd_scheduler *scheduler, unsigned mask, schedd_listener_fn call, void *context);
/* Allowed inside the listener itself. */
void event_ring_unlisten(struct schedd_listener *listener);
/* Whose it is; from any thread. */
struct schedd_scheduler *event_ring_owner(const struct schedd_listener *listener);
/* An event of the scheduler itself. name (may be NULL) goes to store, error to error. */
void event_ring_say(struct schedd_scheduler *scheduler, enum schedd_event_code code,
    const char *name, const char *error, const struct scheduler_actor *actor);
/* An event about a run of a job in that store; error may be NULL. */
void event_ring_say_run(struct store_slot *slot, enum schedd_event_code code, schedd_time when,
    const char *job, const struct run *run, const char *error);
/*
 * The same, without an error, of the run whose name is "JOB/N", where the id has so many bytes and
 * the name EVENT_RING_ID at least that may be read. False: this way is not for it (an account's job,
 * a long id, or somebody listens), and nothing was done.
 */
bool event_ring_keep_run(struct store_slot *slot, enum schedd_event_code code, schedd_time when,
    const char *name, size_t length, const struct run *run);
/* Numbers the event, keeps it, calls the listeners. */
void event_ring_emit(struct schedd_scheduler *scheduler, struct schedd_event *event);

#endif
