/* SPDX-License-Identifier: MIT */
/*
 * Waiting for one child: through its pidfd, so that no other child of the host
 * program is ever touched and no signal handler is needed. Where the kernel
 * has no pidfds the child is asked after every 20 ms.
 *
 * Most children live for a moment, and the end of their pipes tells of theirs:
 * in a nursery one is not watched before it is 100 ms old.
 */
#ifndef SCHEDD_EXECUTOR_CHILD_H
#define SCHEDD_EXECUTOR_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/loop.h>

struct child;
struct child_nursery;

struct child_exit {
	int exit_code; /* -1: none */
	int signal;    /* 0: none */
	int64_t
	    max_rss; /* bytes; of programs that never grew larger than schedd was: schedd's size */
	int64_t cpu_us; /* user and system time, with its own children it waited for */
	bool unknown;   /* the host program took its exit status away */
};

/*
 * Calls ended once when the process has ended. pidfd (-1: none) becomes the
 * child's. NULL and *err on failure; pidfd is closed then as well.
 */
struct child *child_new(struct schedd_loop *loop, const struct schedd_clock *clock, pid_t pid,
    int pidfd, void (*ended)(void *context), void *context, struct schedd_error *err);
/* NULL and *err on failure. */
struct child_nursery *child_nursery_new(
    struct schedd_loop *loop, const struct schedd_clock *clock, struct schedd_error *err);
/* It must be empty. NULL is fine. */
void child_nursery_free(struct child_nursery *nursery);
/* The same child, watched when it is old enough, or after child_over(). NULL and *err: no memory. */
struct child *child_new_in(struct child_nursery *nursery, pid_t pid, void (*ended)(void *context),
    void *context, struct schedd_error *err);
/*
 * It has closed its pipes: has it ended, too? Looked at here where it is in a nursery; ended is not
 * called then, and only child_reap() is left to do. Otherwise it is watched from now on.
 */
bool child_over(struct child *child);
pid_t child_pid(const struct child *child);
/* Has it ended? From then until child_reap() its pid cannot be given to another. */
bool child_ended(const struct child *child);
/* Reaps it, waiting for it if it has not ended, and frees the child. */
void child_reap(struct child *child, struct child_exit *out);

/* Lets go of it: it goes on, or stays unreaped, for a child made of its pid later. */
void child_release(struct child *child);

#endif
