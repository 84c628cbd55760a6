/* SPDX-License-Identifier: MIT */
#include "executor/process_tree.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "executor/cgroup.h"
#include "executor/process_stat.h"

#define TREE_ENVIRON ((size_t)256 * 1024)
/* A process may fork between being found and being killed. */
#define TREE_ROUNDS 8

/* One look at all processes. */
struct tree_walk {
	const struct process_tree *tree;
	struct process_stat *list;
	bool *member; /* parallel to list */
	int count;
	pid_t *grouped; /* members of the control group */
	int grouped_count;
	char *environ; /* scratch */
};

static bool tree_has_variables(const struct process_tree *tree, pid_t pid, char *environ)
{
	size_t length = process_stat_environ(pid, environ, TREE_ENVIRON);
	const char *run = process_stat_variable(environ, length, "SCHEDD_RUN");
	const char *socket;

	if (!run || !tree->run || strcmp(run, tree->run) != 0)
		return false;
	if (!tree->socket)
		return true;
	socket = process_stat_variable(environ, length, "SCHEDD_SOCKET");
	return socket && strcmp(socket, tree->socket) == 0;
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
	return tree_has_variables(tree, process->pid, walk->environ);
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
	free(walk->environ);
}

static bool tree_walk_init(struct tree_walk *walk, const struct process_tree *tree)
{
	*walk = (struct tree_walk){.tree = tree};
	walk->environ = malloc(TREE_ENVIRON);
	walk->count = walk->environ ? process_stat_list(&walk->list) : -1;
	if (walk->count > 0)
		walk->member = calloc((size_t)walk->count, sizeof(*walk->member));
	if (!walk->member) {
		tree_walk_clear(walk);
		return false;
	}
	if (tree->cgroup)
		walk->grouped_count = cgroup_members(tree->cgroup, &walk->grouped);
	for (int i = 0; i < walk->count; i++)
		walk->member[i] = tree_is_member(walk, &walk->list[i]);
	tree_spread(walk);
	return true;
}

/* Through a pidfd, so that a pid given anew meanwhile is never hit. */
static bool tree_kill(const struct process_stat *process, int signal)
{
	int fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	struct process_stat now;
	bool sent;

	if (!process_stat_read(process->pid, &now) || now.start != process->start ||
	    now.state == 'Z') {
		if (fd >= 0)
			close(fd);
		return false;
	}
	if (fd < 0)
		return errno == ENOSYS && kill(process->pid, signal) == 0;
	sent = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
	close(fd);
	return sent;
}

/* One round. The main process' group has the signal already when grouped. */
static int tree_round(const struct process_tree *tree, int signal, bool grouped)
{
	struct tree_walk walk;
	int sent = 0;

	if (!tree_walk_init(&walk, tree))
		return 0;
	for (int i = 0; i < walk.count; i++) {
		const struct process_stat *process = &walk.list[i];

		if (!walk.member[i] || process->state == 'Z')
			continue;
		if (grouped && process->pgrp == tree->pid)
			continue;
		if (tree_kill(process, signal))
			sent++;
	}
	tree_walk_clear(&walk);
	return sent;
}

int process_tree_signal(const struct process_tree *tree, int signal)
{
	bool grouped = tree->held && tree->pid > 1 && kill(-tree->pid, signal) == 0;
	int sent = grouped ? 1 : 0;

	/* One write kills all of the control group at once; the walk is for what is not in it. */
	if (tree->cgroup && signal == SIGKILL && cgroup_kill(tree->cgroup) == 0)
		sent++;
	for (int round = 0; round < TREE_ROUNDS; round++) {
		int now = tree_round(tree, signal, grouped);

		sent += now;
		if (now == 0 || signal != SIGKILL)
			break;
	}
	return sent;
}

bool process_tree_marked(pid_t pid, const char *run, const char *socket)
{
	struct process_tree tree = {.run = run, .socket = socket};
	char *environ = malloc(TREE_ENVIRON);
	bool marked = environ && tree_has_variables(&tree, pid, environ);

	free(environ);
	return marked;
}

int process_tree_reap_orphans(bool (*ours)(pid_t pid, void *context), void *context)
{
	struct process_stat *list;
	int count = process_stat_list(&list);
	int reaped = 0;

	for (int i = 0; i < count; i++) {
		if (list[i].ppid != getpid() || list[i].state != 'Z' || ours(list[i].pid, context))
			continue;
		if (waitpid(list[i].pid, NULL, WNOHANG) > 0)
			reaped++;
	}
	free(list);
	return reaped;
}
