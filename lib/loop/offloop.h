/* SPDX-License-Identifier: MIT */
/*
 * Calls that may hang, made on threads of their own: look-ups in the system's
 * databases, a look at a file. The loop waits for none of them longer than it
 * wants to; one that does not come back is left behind.
 */
#ifndef SCHEDD_LOOP_OFFLOOP_H
#define SCHEDD_LOOP_OFFLOOP_H

#include <stdbool.h>
#include <schedd/clock.h>
#include <schedd/loop.h>

struct offloop;
struct offloop_work;

struct offloop_ops {
	/* On its own thread; may take for ever. */
	void (*run)(struct offloop_work *work);
	/* On the loop's thread, when run has returned; not if it was left behind. */
	void (*done)(struct offloop_work *work);
	/* Frees it: after done, or, when it was left behind, after run, on any thread. */
	void (*drop)(struct offloop_work *work);
};

/* First member of what is worked on; to be all zero but for ops. */
struct offloop_work {
	const struct offloop_ops *ops;
	struct offloop *offloop;
	struct offloop_work *next; /* in the list of those that have run */
	bool left;                 /* behind */
};

/* most: calls under way at one time. NULL and *err on failure. */
struct offloop *offloop_new(struct schedd_loop *loop, unsigned most, struct schedd_error *err);
/* What is under way is left behind. NULL is fine. */
void offloop_free(struct offloop *offloop);
/* False: too many are under way, or there is no thread to be had; the work is the caller's still. */
bool offloop_start(struct offloop *offloop, struct offloop_work *work);
/* It is not waited for any more: done is not called. */
void offloop_leave(struct offloop_work *work);
/*
 * Waits for it, at most that long. True: done was called and the work is gone.
 * False: it is under way.
 */
bool offloop_wait(struct offloop_work *work, schedd_span limit);

#endif
