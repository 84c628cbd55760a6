/* SPDX-License-Identifier: MIT */
/*
 * The child's side of spawn(), from clone to execve. It shares the parent's
 * memory and thread-local storage: nothing here may allocate, lock, or call
 * what keeps a state.
 */
#ifndef SCHEDD_EXECUTOR_SPAWN_CHILD_H
#define SCHEDD_EXECUTOR_SPAWN_CHILD_H

#include <stdint.h>
#include "executor/spawn.h"

/* What the child does, in this order; for the sentence that says what failed. */
enum spawn_step {
	SPAWN_TABLE,
	SPAWN_SIGNALS,
	SPAWN_SESSION,
	SPAWN_CGROUP,
	SPAWN_NICE,
	SPAWN_RLIMIT,
	SPAWN_USER,
	SPAWN_CWD,
	SPAWN_STDIN,
	SPAWN_DESCRIPTORS,
	SPAWN_EXEC,
};

/* Lives on the parent's stack. */
struct spawn_child {
	const struct spawn *spawn;
	const char *const *files; /* paths to try for argv[0], NULL-terminated */
	sigset_t mask;            /* for the program */
	int fds[SPAWN_SLOTS];     /* its own; -1: none */
	unsigned first_unwanted;  /* this descriptor and those after it are not for the child */
	volatile int error;       /* out: errno of what failed; 0: it executes */
	volatile int step;        /* out: enum spawn_step that failed */
	volatile uint32_t rlimit; /* out: index of the limit that failed */
};

/* The function for clone(2) with CLONE_FILES; context is a struct spawn_child. All signals are
 * blocked. */
int spawn_child_run(void *context);

#endif
