/* SPDX-License-Identifier: MIT */
#include "executor/adopted.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "executor/process_census.h"
#include "executor/process_stat.h"
#include "executor/process_tree.h"
#include "loop/loop.h"

struct adopted {
	struct schedd_loop *loop;
	struct schedd_watch *watch; /* NULL once it has ended */
	adopted_fn ended;
	void *context;
	char *run;
	char *invocation;
	uid_t uid; /* whose it is */
	uint64_t start;
	pid_t pid;
	int pidfd;
};

static void adopted_ready(int fd, unsigned ready, void *context)
{
	struct adopted *adopted = context;

	(void)fd;
	(void)ready;
	loop_unwatch(adopted->loop, adopted->watch);
	adopted->watch = NULL;
	adopted->ended(adopted->context);
}

/* A descriptor of that very process: the start time is read when the pid is pinned already. */
static int adopted_open(pid_t pid, uint64_t start, struct schedd_error *err)
{
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	struct process_stat now;

	if (fd < 0 && pid > 0 && errno != ESRCH)
		return schedd_error_set(err, SCHEDD_EFAILED, "process %ld cannot be watched: %s",
		    (long)pid, strerror(errno));
	if (fd < 0 || !process_stat_read(pid, &now) || now.start != start || now.state == 'Z') {
		if (fd >= 0)
			close(fd);
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "process %ld has ended", (long)pid);
	}
	return fd;
}

struct adopted *adopted_new(struct schedd_loop *loop, pid_t pid, uint64_t pid_start,
    const char *run, const char *invocation, adopted_fn ended, void *context, struct schedd_error *err)
{
	struct adopted *adopted = calloc(1, sizeof(*adopted));

	if (!adopted) {
		schedd_error_nomem(err);
		return NULL;
	}
	adopted->loop = loop;
	adopted->ended = ended;
	adopted->context = context;
	adopted->pid = pid;
	adopted->start = pid_start;
	adopted->pidfd = -1;
	adopted->run = strdup(run);
	adopted->invocation = strdup(invocation);
	if (!adopted->run || !adopted->invocation) {
		schedd_error_nomem(err);
		goto fail;
	}
	adopted->pidfd = adopted_open(pid, pid_start, err);
	if (adopted->pidfd < 0)
		goto fail;
	if (!process_uid(pid, &adopted->uid)) {
		schedd_error_set(err, SCHEDD_ENOTFOUND, "process %ld has ended", (long)pid);
		goto fail;
	}
	adopted->watch = loop_watch(loop, adopted->pidfd, SCHEDD_READ, adopted_ready, adopted, err);
	if (!adopted->watch)
		goto fail;
	return adopted;
fail:
	adopted_free(adopted);
	return NULL;
}

void adopted_free(struct adopted *adopted)
{
	if (!adopted)
		return;
	loop_unwatch(adopted->loop, adopted->watch);
	if (adopted->pidfd >= 0)
		close(adopted->pidfd);
	free(adopted->run);
	free(adopted->invocation);
	free(adopted);
}

pid_t adopted_pid(const struct adopted *adopted)
{
	return adopted->pid;
}

int adopted_signal(struct adopted *adopted, int signal, struct schedd_error *err)
{
	struct process_stat now;
	struct process_tree tree = {
	    .pid = adopted->pid,
	    .start = adopted->start,
	    .held = process_stat_read(adopted->pid, &now) && now.start == adopted->start,
	    .invocation = adopted->invocation,
	    .uid = adopted->uid,
	};

	if (process_tree_signal(&tree, signal) > 0)
		return 0;
	return schedd_error_set(err, SCHEDD_ENOTFOUND, "nothing is left of run %s", adopted->run);
}
