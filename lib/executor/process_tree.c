/* SPDX-License-Identifier: MIT */
#include "executor/process_tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "executor/cgroup.h"
#include "executor/process_census.h"
#include "executor/process_stat.h"

/* A process may fork between being found and being stopped or killed. */
#define TREE_ROUNDS 8

/* So often is a process looked at again that shows no environment as it executes a program. */
#define TREE_PATIENCE 20
#define TREE_PAUSE 500 /* microseconds in between */

/* Sessions that members were seen in: who lost its parent since then is known by them. */
struct tree_sessions {
	pid_t *ids;
	int count;
};

/* One look at all processes. */
struct tree_walk {
	const struct process_tree *tree;
	const struct tree_sessions *sessions;
	struct process_stat *list;
	bool *member; /* parallel to list */
	int count;
	pid_t *grouped; /* members of the control group */
	int grouped_count;
	int patience;
};

static bool tree_sessions_have(const struct tree_sessions *sessions, pid_t id)
{
	for (int i = 0; i < sessions->count; i++)
		if (sessions->ids[i] == id)
			return true;
	return false;
}

/* All but our own, which no run is in, and its first, by which members are known anyway. */
static void tree_sessions_add(struct tree_sessions *sessions, const struct tree_walk *walk)
{
	for (int i = 0; i < walk->count; i++) {
		pid_t id = walk->list[i].session, *grown;

		if (!walk->member[i] || id <= 1 || id == getsid(0) || id == walk->tree->pid ||
		    tree_sessions_have(sessions, id))
			continue;
		grown = realloc(sessions->ids, ((size_t)sessions->count + 1) * sizeof(*grown));
		if (!grown)
			return;
		sessions->ids = grown;
		sessions->ids[sessions->count++] = id;
	}
}

static bool tree_is_member(const struct tree_walk *walk, const struct process_stat *process)
{
	const struct process_tree *tree = walk->tree;

	if (process->start < tree->start || process->pid == getpid())
		return false;
	if (tree->held && (process->pid == tree->pid || process->session == tree->pid))
		return true;
	for (int i = 0; i < walk->grouped_count; i++)
		if (walk->grouped[i] == process->pid)
			return true;
	if (tree_sessions_have(walk->sessions, process->session))
		return true;
	return tree->invocation && process_invoked(process->pid, tree->invocation, tree->uid);
}

/* Children of members are members, to any depth. */
static void tree_spread(struct tree_walk *walk)
{
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < walk->count; i++) {
			for (int j = 0; j < walk->count && !walk->member[i]; j++) {
				if (!walk->member[j] || walk->list[i].ppid != walk->list[j].pid)
					continue;
				walk->member[i] = true;
				more = true;
			}
		}
	}
}

static void tree_walk_clear(struct tree_walk *walk)
{
	free(walk->list);
	free(walk->member);
	free(walk->grouped);
}

static bool tree_walk_has(const struct tree_walk *walk, pid_t pid)
{
	for (int i = 0; i < walk->count; i++)
		if (walk->list[i].pid == pid)
			return true;
	return false;
}

/* Takes a process up, if it is one of the run: by descent, or by what it shows itself. */
static bool tree_walk_take(struct tree_walk *walk, pid_t pid, bool descends)
{
	struct process_stat process;

	if (tree_walk_has(walk, pid) || !process_stat_read(pid, &process) ||
	    !(descends || tree_is_member(walk, &process)))
		return true;
	if ((walk->count & (walk->count + 1)) == 0) {
		size_t room = ((size_t)walk->count + 1) * 2;
		struct process_stat *grown = realloc(walk->list, room * sizeof(*grown));

		if (!grown)
			return false;
		walk->list = grown;
	}
	walk->list[walk->count++] = process;
	return true;
}

static int tree_compare(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

/* What it will show cannot be seen as long as it is being executed. */
static void tree_walk_await(struct tree_walk *walk, pid_t pid)
{
	if (!walk->tree->invocation || tree_walk_has(walk, pid))
		return;
	while (walk->patience > 0 && process_stat_executes(pid)) {
		walk->patience--;
		usleep(TREE_PAUSE);
	}
}

/* What the run left to us, who are its subreaper. */
static bool tree_walk_orphans(struct tree_walk *walk)
{
	const struct process_tree *tree = walk->tree;
	pid_t *children = NULL;
	int count = 0;
	bool known = process_stat_children(getpid(), &children, &count);

	for (int i = 0; known && i < count; i++)
		if (!tree->other_count ||
		    !bsearch(&children[i], tree->others, (size_t)tree->other_count, sizeof(pid_t),
			tree_compare)) {
			tree_walk_await(walk, children[i]);
			known = tree_walk_take(walk, children[i], false);
		}
	free(children);
	return known;
}

/*
 * From the main process, what was left to us and the control group down to
 * the last child. False: that cannot be done here.
 */
static bool tree_walk_descend(struct tree_walk *walk)
{
	const struct process_tree *tree = walk->tree;
	int subreaper = 0;
	bool known = tree->held && prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 &&
		     (subreaper || getpid() == 1) && tree_walk_take(walk, tree->pid, false) &&
		     tree_walk_orphans(walk);

	for (int i = 0; known && i < walk->grouped_count; i++)
		known = tree_walk_take(walk, walk->grouped[i], true);
	for (int i = 0; known && i < walk->count; i++) {
		pid_t *children = NULL;
		int count = 0;

		known = process_stat_children(walk->list[i].pid, &children, &count);
		for (int k = 0; known && k < count; k++)
			known = tree_walk_take(walk, children[k], true);
		free(children);
	}
	walk->member = known ? calloc((size_t)walk->count + 1, sizeof(*walk->member)) : NULL;
	for (int i = 0; walk->member && i < walk->count; i++)
		walk->member[i] = true;
	return walk->member != NULL;
}

static bool tree_walk_init(struct tree_walk *walk, const struct process_tree *tree,
    const struct tree_sessions *sessions)
{
	*walk = (struct tree_walk){
	    .tree = tree, .sessions = sessions, .patience = TREE_PATIENCE};
	if (tree->cgroup)
		walk->grouped_count = cgroup_members(tree->cgroup, &walk->grouped);
	if (tree_walk_descend(walk))
		return true;
	free(walk->list);
	walk->list = NULL;
	walk->count = process_stat_list(&walk->list);
	if (walk->count > 0)
		walk->member = calloc((size_t)walk->count, sizeof(*walk->member));
	if (!walk->member) {
		tree_walk_clear(walk);
		return false;
	}
	for (int i = 0; i < walk->count; i++)
		walk->member[i] = tree_is_member(walk, &walk->list[i]);
	tree_spread(walk);
	return true;
}

/*
 * Through a pidfd, so that a pid given anew meanwhile is never hit. Who is in
 * the group (0: none) now has the signal already; it may have left it between
 * being found and the group's being hit.
 */
static bool tree_kill(const struct process_stat *process, int signal, pid_t group)
{
	int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	bool old_kernel = fd < 0 && errno == ENOSYS;
	struct process_stat now;
	/* It may be dead of it by now. */
	bool sent = group && process->pgrp == group && process->state != 'Z';

	if (process_stat_read(process->pid, &now) && now.start == process->start &&
	    now.state != 'Z') {
		if (group && now.pgrp == group)
			sent = true;
		else if (fd >= 0)
			sent = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
		else
			sent = old_kernel && kill(process->pid, signal) == 0;
	}
	if (fd >= 0)
		close(fd);
	return sent;
}

/*
 * One round. All are found before the first is hit, since who loses its parent
 * can no longer be found by it.
 */
static int tree_round(
    const struct process_tree *tree, struct tree_sessions *sessions, int signal)
{
	struct tree_walk walk;
	bool found = tree_walk_init(&walk, tree, sessions);
	bool group = tree->held && tree->pid > 1 && kill(-tree->pid, signal) == 0;
	int sent = 0;

	/* Before it has a group of its own it is alone. */
	if (!found && !group && tree->held && tree->pid > 1)
		group = kill(tree->pid, signal) == 0;
	for (int i = 0; found && i < walk.count; i++)
		if (walk.member[i] && tree_kill(&walk.list[i], signal, group ? tree->pid : 0))
			sent++;
	if (found) {
		tree_sessions_add(sessions, &walk);
		tree_walk_clear(&walk);
	}
	/* Without memory or /proc the group, or the process, has it at least. */
	return !found && group ? 1 : sent;
}

/* Stops those that are not stopped yet. Returns how many that were. */
static int tree_freeze(const struct process_tree *tree, struct tree_sessions *sessions)
{
	struct tree_walk walk;
	int stopped = 0;

	if (!tree_walk_init(&walk, tree, sessions))
		return 0;
	for (int i = 0; i < walk.count; i++)
		if (walk.member[i] && !strchr("TtZX", walk.list[i].state) &&
		    tree_kill(&walk.list[i], SIGSTOP, 0))
			stopped++;
	tree_sessions_add(sessions, &walk);
	tree_walk_clear(&walk);
	return stopped;
}

/* Nobody forks or loses its parent while it is stopped, so that all are found who are there. */
static int tree_kill_all(const struct process_tree *tree, struct tree_sessions *sessions)
{
	int round, now, sent;

	for (round = 0; round < TREE_ROUNDS && tree_freeze(tree, sessions) > 0; round++)
		continue;
	sent = now = tree_round(tree, sessions, SIGKILL);
	/* One write kills what was forked into the control group meanwhile. */
	if (tree->cgroup && cgroup_kill(tree->cgroup) == 0)
		return sent;
	for (round = 1; round < TREE_ROUNDS && now > 0; round++) {
		now = tree_round(tree, sessions, SIGKILL);
		sent += now;
	}
	return sent;
}

int process_tree_signal(const struct process_tree *tree, int signal)
{
	struct tree_sessions sessions = {0};
	int sent = signal == SIGKILL ? tree_kill_all(tree, &sessions)
				     : tree_round(tree, &sessions, signal);

	free(sessions.ids);
	return sent;
}

static bool tree_is_orphan(
    const struct process_stat *process, process_tree_ours_fn ours, void *context)
{
	return process->ppid == getpid() && process->state == 'Z' &&
	       !ours(process->pid, process->start, context);
}

/* Where the system does not tell of children they are sought among all. */
int process_tree_reap_orphans(process_tree_ours_fn ours, void *context)
{
	struct process_stat *list = NULL, child;
	pid_t *children = NULL;
	int count = 0, reaped = 0;
	bool known = process_stat_children(getpid(), &children, &count);

	if (!known)
		count = process_stat_list(&list);
	for (int i = 0; i < count; i++) {
		if (known && !process_stat_read(children[i], &child))
			continue;
		if (!known)
			child = list[i];
		if (tree_is_orphan(&child, ours, context) && waitpid(child.pid, NULL, WNOHANG) > 0)
			reaped++;
	}
	free(children);
	free(list);
	return reaped;
}
