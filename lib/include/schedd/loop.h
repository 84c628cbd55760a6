/* SPDX-License-Identifier: MIT */
/*
 * The event loop a scheduler runs in.
 *
 * All the scheduler asks of a loop is to be called when a file descriptor is
 * ready: its timers are timerfds, its children pidfds, and other threads wake
 * it through an eventfd. So any loop that can watch descriptors will do. Three
 * are at hand: schedd_loop_new_libevent() around an existing event_base, and
 * schedd_loop_new_fd(), which is itself one descriptor that any other loop can
 * watch or that schedd_scheduler_run() waits for.
 */
#ifndef SCHEDD_LOOP_H
#define SCHEDD_LOOP_H

#include <schedd/error.h>
#include <schedd/export.h>

SCHEDD_BEGIN

struct schedd_loop;
struct schedd_watch;
struct event_base;

enum schedd_ready {
	SCHEDD_READ = 1,
	SCHEDD_WRITE = 2,
};

/* Called on the loop's thread with the set of enum schedd_ready that is. */
typedef void (*schedd_watch_fn)(int fd, unsigned ready, void *context);

/* What a loop of your own must provide. Everything is called on the loop's thread. */
struct schedd_loop_ops {
	const char *name;
	/*
	 * Watches fd, level-triggered, for a set of enum schedd_ready (0: nothing
	 * yet). NULL and *err on failure. fd stays the caller's.
	 */
	struct schedd_watch *(*watch)(struct schedd_loop *loop, int fd, unsigned ready,
	    schedd_watch_fn call, void *context, struct schedd_error *err);
	/* Changes what is waited for. 0 or an error code. */
	int (*rewatch)(struct schedd_watch *watch, unsigned ready);
	/* Stops; the callback is not called again. Allowed inside any callback. */
	void (*unwatch)(struct schedd_watch *watch);
	void (*free)(struct schedd_loop *loop);
};

/* First member of every loop's own struct. */
struct schedd_loop {
	const struct schedd_loop_ops *ops;
};

/* Around a libevent base, which stays the caller's and must outlive it. */
SCHEDD_API struct schedd_loop *schedd_loop_new_libevent(
    struct event_base *base, struct schedd_error *err);
/* One epoll descriptor that holds all others. */
SCHEDD_API struct schedd_loop *schedd_loop_new_fd(struct schedd_error *err);
/* The descriptor of schedd_loop_new_fd: readable when there is something to do. Stays the loop's. */
SCHEDD_API int schedd_loop_fd(struct schedd_loop *loop);
/* Handles what is ready; timeout in milliseconds as poll(2). Number of callbacks, or an error code. */
SCHEDD_API int schedd_loop_dispatch(struct schedd_loop *loop, int timeout);
/* NULL is fine. All watches must be gone. */
SCHEDD_API void schedd_loop_free(struct schedd_loop *loop);

SCHEDD_END

#endif
