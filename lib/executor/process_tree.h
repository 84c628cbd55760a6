/* SPDX-License-Identifier: MIT */
/*
 * Everything that a run started, also what left its process group or session.
 *
 * Found by, in this order: its control group, where there is one (complete);
 * its process group; processes whose parent belongs to the run; processes that
 * carry the run's SCHEDD_INVOCATION and are its user's. What escapes without a
 * control group: a process that left the session, lost its parent and cleared
 * its environment or changed its user.
 */
#ifndef SCHEDD_EXECUTOR_PROCESS_TREE_H
#define SCHEDD_EXECUTOR_PROCESS_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_tree {
	pid_t pid;          /* the main process, leader of its session */
	uint64_t start;     /* its start time; nothing older belongs to the run */
	bool held;          /* pid is alive or not yet reaped, so it cannot have been given anew */
	const char *invocation; /* SCHEDD_INVOCATION; NULL: not looked at */
	uid_t uid;              /* whose those that carry it must be */
	const char *cgroup; /* directory of its control group; NULL: none */
	/* Main processes of others, ascending: children of this process that are no orphans. */
	const pid_t *others;
	int other_count;
};

/*
 * Sends the signal to all of it. Before SIGKILL all are stopped, and both are
 * repeated until nothing new turns up, a few times at most. Returns how many processes it was sent to (0:
 * nothing is left). What a child subreaper holds is found from parent to child;
 * for anything else all of /proc is read: some milliseconds on a busy machine.
 */
int process_tree_signal(const struct process_tree *tree, int signal);

/* Does somebody wait for that child? */
typedef bool (*process_tree_ours_fn)(pid_t pid, uint64_t start, void *context);
/*
 * For a child subreaper: reaps children that ended and are nobody's own, since
 * they were inherited from a run. Returns how many were reaped.
 */
int process_tree_reap_orphans(process_tree_ours_fn ours, void *context);

#endif
