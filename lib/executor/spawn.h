/* SPDX-License-Identifier: MIT */
/*
 * Starts a process, without ever copying schedd's memory.
 *
 * One path for all jobs: clone(CLONE_VM | CLONE_VFORK | CLONE_FILES |
 * CLONE_PIDFD). The child lends the caller's memory until it executes, makes
 * system calls only (spawn_child.c), and leaves word of what failed, so that a
 * missing program or directory is known at once and exactly. The caller's
 * descriptors, three for each job that runs, are not copied either: the child
 * takes those up to its slots and leaves the table.
 *
 * The process leads a session and a process group of its own: it can be
 * signalled as a whole, and no key typed at schedd's terminal reaches it.
 */
#ifndef SCHEDD_EXECUTOR_SPAWN_H
#define SCHEDD_EXECUTOR_SPAWN_H

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <schedd/error.h>
#include "executor/account.h"
#include "model/job.h"

/* How this process was started, which is how its jobs are to be. */
struct spawn_inherit {
	sigset_t mask;        /* signals blocked */
	sigset_t ignored;     /* signals ignored; all others are at their default in jobs */
	struct rlimit nofile; /* before schedd raised its own */
	int nice;
};

/* To be called before the program changes any of it. */
void spawn_inherit_capture(struct spawn_inherit *inherit);

enum spawn_slot {
	SPAWN_SLOT_INPUT,
	SPAWN_SLOT_OUTPUT,
	SPAWN_SLOT_ERROR,
	SPAWN_SLOT_CGROUP,
	SPAWN_SLOTS
};

/* Where a child finds its descriptors: above the standard ones, and as low as was free. */
struct spawn_slots {
	int null;             /* /dev/null, read and write */
	int fds[SPAWN_SLOTS]; /* /dev/null as well while nothing is started */
};

/* To be closed after a failure, too. */
int spawn_slots_open(struct spawn_slots *slots, struct schedd_error *err)
    __attribute__((warn_unused_result));
void spawn_slots_close(struct spawn_slots *slots);

struct spawn {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in the PATH of envp unless
				    it has a slash */
	const char *const *envp; /* NULL-terminated, all of it */
	const char *cwd;         /* NULL: the account's home, or / where it has none */
	const struct account *account; /* whom it runs as */
	const struct spawn_inherit *inherit;
	const struct spawn_slots *slots; /* used by one call at a time */
	const struct job_rlimit *rlimits;
	uint32_t rlimit_count;
	int nice;               /* added to inherit->nice */
	int umask;              /* -1: 022 */
	int input;              /* becomes stdin; -1: input_path */
	const char *input_path; /* opened by the process itself, as its user */
	int output;             /* becomes stdout */
	int error;              /* becomes stderr */
	int cgroup;             /* a cgroup.procs to join; -1: none */
};

/*
 * 0 with *pid and *pidfd (close-on-exec, the caller's; -1 where the kernel has
 * none). The child is to be reaped by the caller. SCHEDD_EFAILED with the
 * reason: "command '/bin/nope': No such file or directory". Thread-safe;
 * blocks until the program executes.
 */
int spawn(const struct spawn *spawn, pid_t *pid, int *pidfd, struct schedd_error *err)
    __attribute__((warn_unused_result));

/* Waits for a child that is not to be watched after all. */
void spawn_reap(pid_t pid);

#endif
