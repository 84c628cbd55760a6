/* SPDX-License-Identifier: MIT */
/* The process stays a zombie from its end until child_reap(), so that its group can be signalled.
 */
#include "executor/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "loop/alarm.h"
#include "loop/loop.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define CHILD_POLL (20 * (schedd_span)1000)

struct child {
	struct schedd_loop *loop;
	const struct schedd_clock *clock;
	struct schedd_watch *watch; /* of pidfd; NULL once it has ended */
	struct alarm *poll;         /* instead, without a pidfd */
	void (*ended)(void *context);
	void *context;
	pid_t pid;
	int pidfd; /* -1: none */
	bool has_ended;
};

/* Is it over? Leaves it to be reaped. */
static bool child_look(const struct child *child)
{
	siginfo_t info = {0};
	int rc =
	    child->pidfd >= 0
		? waitid((idtype_t)P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG | WNOWAIT)
		: waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);

	return rc == 0 ? info.si_pid != 0 : errno == ECHILD;
}

static void child_stop_watching(struct child *child)
{
	loop_unwatch(child->loop, child->watch);
	alarm_free(child->poll);
	child->watch = NULL;
	child->poll = NULL;
}

static void child_ready(int fd, unsigned ready, void *context)
{
	struct child *child = context;

	(void)fd;
	(void)ready;
	if (!child_look(child))
		return;
	child_stop_watching(child);
	child->has_ended = true;
	child->ended(child->context);
}

static int child_poll_later(struct child *child)
{
	struct schedd_mono when = child->clock->mono(child->clock->context);

	when.us += CHILD_POLL;
	return alarm_set_mono(child->poll, when);
}

static void child_poll(bool stepped, void *context)
{
	struct child *child = context;

	(void)stepped;
	/* Setting it first: afterwards the child may be gone. A timerfd that is there can be set.
	 */
	(void)child_poll_later(child);
	child_ready(-1, 0, child);
}

struct child *child_new(struct schedd_loop *loop, const struct schedd_clock *clock, pid_t pid,
    int pidfd, void (*ended)(void *context), void *context, struct schedd_error *err)
{
	struct child *child = calloc(1, sizeof(*child));

	if (!child) {
		schedd_error_nomem(err);
		goto fail;
	}
	*child = (struct child){
	    .loop = loop,
	    .clock = clock,
	    .ended = ended,
	    .context = context,
	    .pid = pid,
	    .pidfd = pidfd,
	};
	if (pidfd >= 0) {
		child->watch = loop_watch(loop, pidfd, SCHEDD_READ, child_ready, child, err);
	} else {
		child->poll = alarm_new_mono(loop, child_poll, child, err);
		if (child->poll)
			(void)child_poll_later(child);
	}
	if (!child->watch && !child->poll)
		goto fail;
	return child;
fail:
	if (pidfd >= 0)
		close(pidfd);
	free(child);
	return NULL;
}

pid_t child_pid(const struct child *child)
{
	return child->pid;
}

bool child_ended(const struct child *child)
{
	return child->has_ended;
}

static void child_free(struct child *child)
{
	child_stop_watching(child);
	if (child->pidfd >= 0)
		close(child->pidfd);
	free(child);
}

void child_release(struct child *child)
{
	child_free(child);
}

static int64_t child_timeval(struct timeval time)
{
	return (int64_t)time.tv_sec * SCHEDD_SECOND + time.tv_usec;
}

void child_reap(struct child *child, struct child_exit *out)
{
	struct rusage usage = {0};
	int status = 0;
	pid_t got;

	do
		got = wait4(child->pid, &status, 0, &usage);
	while (got < 0 && errno == EINTR);
	*out = (struct child_exit){
	    .exit_code = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	    .signal = got > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	    .max_rss = (int64_t)usage.ru_maxrss * 1024,
	    .cpu_us = child_timeval(usage.ru_utime) + child_timeval(usage.ru_stime),
	    .unknown = got < 0,
	};
	child_free(child);
}
