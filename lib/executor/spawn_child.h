/* SPDX-License-Identifier: MIT */
/*
 * Making a process and what it does until execve. The child shares the
 * parent's memory and thread-local storage: nothing in it may allocate, lock,
 * or call what keeps a state. Needs nothing of the library: the small program
 * that starts jobs is made of it.
 */
#ifndef SCHEDD_EXECUTOR_SPAWN_CHILD_H
#define SCHEDD_EXECUTOR_SPAWN_CHILD_H

#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "executor/spawn.h"

/* Between who wants a process and who makes it; each step is one compare-and-swap. */
enum spawn_state {
	SPAWN_FREE,
	SPAWN_ASKED,     /* nobody has begun with it */
	SPAWN_TAKEN,     /* being prepared */
	SPAWN_EXECUTING, /* it may be running from now on */
	SPAWN_ANSWERED,
	SPAWN_REVOKED, /* it will never run */
	SPAWN_DONE,    /* that, and whoever was to make it has read so */
};

/* Kept in memory that parent, child and who asked share. */
struct spawn_progress {
	_Atomic uint32_t state; /* enum spawn_state */
	struct spawn_result result;
};

/* To be filled by the caller of spawn_child_make(); lives until it returns. */
struct spawn_child {
	const struct spawn *spawn;
	struct spawn_progress *progress; /* state is SPAWN_TAKEN */
	const cpu_set_t *cpus;           /* affinity for the program; NULL: as the caller's */
	int null;                        /* /dev/null, above SPAWN_EXTRA or what 0, 1, 2 are */
	bool clean;     /* signals, niceness, limits and descriptors are the program's already */
	bool alone;     /* memory may not be shared: the system imitates another (valgrind) */
	int clone_flags; /* further ones: CLONE_PARENT */
	char path[PATH_MAX]; /* scratch */
	int report;          /* scratch */
};

/*
 * Makes the process and waits until the program executes or failed to; the
 * result is in *progress then, its state SPAWN_ANSWERED, after which it may be
 * another's. False: it was SPAWN_REVOKED before the last step, and is left so.
 * All signals should be blocked.
 */
bool spawn_child_make(struct spawn_child *child);
/* Does a child made like that share our memory and stop us until it executes? */
bool spawn_child_shares(void);
/* Ignores what inherit says and sets all others to their default. 0 or errno. */
int spawn_child_signals(const struct spawn_inherit *inherit);
int64_t spawn_child_now(void); /* us of the clock that start times of processes are told by */

#endif
