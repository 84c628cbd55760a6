/* SPDX-License-Identifier: MIT */
/*
 * What it takes to start a process, and starting it.
 *
 * One path for all jobs: clone(CLONE_VM | CLONE_VFORK). The child lends the
 * caller's memory until it executes, makes system calls only (spawn_child.c),
 * and leaves word of what failed, so that a missing program or directory is
 * known at once and exactly. Between the change of ids and execve the child
 * belongs to the job's user, who may stop it, and what it opens may hang: so
 * jobs are started by small programs of ours (spawner.h), and on the loop's
 * thread only where there are none.
 *
 * The process leads a session and a process group of its own: it can be
 * signalled as a whole, and no key typed at schedd's terminal reaches it.
 */
#ifndef SCHEDD_EXECUTOR_SPAWN_H
#define SCHEDD_EXECUTOR_SPAWN_H

#include <signal.h>
#include <stdbool.h>
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

/* Descriptors that are handed over; -1: none. */
enum spawn_fd {
	SPAWN_FD_INPUT,  /* becomes stdin; none: input_path, or /dev/null */
	SPAWN_FD_OUTPUT, /* becomes stdout; none: /dev/null */
	SPAWN_FD_ERROR,  /* becomes stderr; none: what stdout is */
	SPAWN_FD_CGROUP, /* a cgroup.procs to join */
	SPAWN_FD_EXTRA,  /* becomes descriptor SPAWN_EXTRA */
	SPAWN_FDS
};

#define SPAWN_EXTRA 3

/* A file to be copied for the process before it is there. */
struct spawn_secret {
	const char *from;
	const char *to; /* in secret_directory */
};

struct spawn {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in the PATH of envp unless
				    it has a slash */
	const char *const *envp; /* NULL-terminated, all of it */
	const char *cwd;         /* NULL: the account's home, or / where it has none */
	const char *input_path;  /* opened by the process itself, as its user; NULL: none */
	const struct account *account; /* whom it runs as */
	const struct spawn_inherit *inherit;
	const struct job_rlimit *rlimits;
	const struct spawn_secret *secrets;
	const char *secret_directory; /* to be made for them; NULL: there are none */
	uint32_t rlimit_count;
	uint32_t secret_count;
	bool tied;        /* is killed when the thread that is its parent ends */
	bool secrets_own; /* opened with the rights of the account alone: it named them itself */
	int nice;  /* added to inherit->nice */
	int umask; /* -1: 022 */
	int fds[SPAWN_FDS];
};

/* What is done, in this order; for the sentence that says what failed. */
enum spawn_step {
	SPAWN_SECRETS,
	SPAWN_CLONE,
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
	SPAWN_INTERPRETER, /* not a step: the file is there, what it names to run it is not */
};

/* How a start ended. */
struct spawn_result {
	int error;      /* errno of what failed; 0: the program executes */
	int step;       /* enum spawn_step that failed */
	uint32_t index; /* of the limit or secret that failed */
	int waited;     /* s it was given, where error is ETIMEDOUT */
	pid_t pid;      /* to be reaped by the caller, also after a failure; 0: none was made */
	int64_t before, after; /* us since the machine started, asleep or not: the process was made
				  between them; it executed later */
};

/*
 * Starts it here and now: blocks until the program executes. Thread-safe. The
 * caller keeps the descriptors.
 */
void spawn(const struct spawn *spawn, struct spawn_result *result);

/* The sentence for a failure, SCHEDD_EFAILED: "command '/bin/nope': No such file or directory". */
int spawn_explain(const struct spawn *spawn, const struct spawn_result *result,
    struct schedd_error *err) __attribute__((warn_unused_result));

#endif
