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
#define CHILD_YOUTH (100 * (schedd_span)1000) /* in a nursery */

struct child_nursery {
	struct schedd_loop *loop;
	const struct schedd_clock *clock;
	struct alarm *alarm;         /* runs while it is not empty */
	struct child *first, *last;  /* oldest first */
	bool set;
};

struct child {
	struct schedd_loop *loop;
	const struct schedd_clock *clock;
	struct schedd_watch *watch; /* of pidfd; NULL once it has ended */
	struct alarm *poll;         /* instead, without a pidfd */
	void (*ended)(void *context);
	void *context;
	struct child_nursery *nursery; /* NULL: it has left it */
	struct child *next, *previous; /* there */
	struct schedd_mono born;       /* likewise */
	struct rusage usage;           /* reaped: what it took, */
	int status;                    /* and how it ended */
	pid_t pid;
	int pidfd; /* -1: none */
	bool has_ended;
	bool reaped;
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

static void child_leave_nursery(struct child *child)
{
	struct child_nursery *nursery = child->nursery;

	if (!nursery)
		return;
	if (child->next)
		child->next->previous = child->previous;
	else
		nursery->last = child->previous;
	if (child->previous)
		child->previous->next = child->next;
	else
		nursery->first = child->next;
	child->nursery = NULL;
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

/* It is told of from now on. 0, or *err. */
static int child_watch(struct child *child, struct schedd_error *err)
{
	if (child->pidfd >= 0) {
		child->watch =
		    loop_watch(child->loop, child->pidfd, SCHEDD_READ, child_ready, child, err);
	} else {
		child->poll = alarm_new_mono(child->loop, child_poll, child, err);
		if (child->poll)
			(void)child_poll_later(child);
	}
	return child->watch || child->poll ? 0 : err->code;
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
	if (child_watch(child, err) < 0)
		goto fail;
	return child;
fail:
	if (pidfd >= 0)
		close(pidfd);
	free(child);
	return NULL;
}

/* ---- The nursery ---- */

static void nursery_set(struct child_nursery *nursery, struct schedd_mono when)
{
	nursery->set = alarm_set_mono(nursery->alarm, when) == 0;
}

/* Where there is no descriptor for it, it stays and is looked at from time to time. */
static bool child_grow_up(struct child *child)
{
	struct schedd_error err;

	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child_watch(child, &err) == 0) {
		child_leave_nursery(child);
		return true;
	}
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
	return false;
}

static void nursery_look(bool stepped, void *context)
{
	struct child_nursery *nursery = context;
	int64_t now = nursery->clock->mono(nursery->clock->context).us;
	struct child *child = nursery->first;

	(void)stepped;
	nursery->set = false;
	while (child && now - child->born.us >= CHILD_YOUTH) {
		struct child *next = child->next;

		if (!child_grow_up(child) && child_look(child)) {
			child_leave_nursery(child);
			child->has_ended = true;
			child->ended(child->context);
			next = nursery->first; /* whoever was told may have ended others */
		}
		child = next;
	}
	if (nursery->first && !nursery->set)
		nursery_set(nursery, (struct schedd_mono){now + CHILD_YOUTH});
}

struct child_nursery *child_nursery_new(
    struct schedd_loop *loop, const struct schedd_clock *clock, struct schedd_error *err)
{
	struct child_nursery *nursery = calloc(1, sizeof(*nursery));

	if (!nursery) {
		schedd_error_nomem(err);
		return NULL;
	}
	nursery->loop = loop;
	nursery->clock = clock;
	nursery->alarm = alarm_new_mono(loop, nursery_look, nursery, err);
	if (nursery->alarm)
		return nursery;
	free(nursery);
	return NULL;
}

void child_nursery_free(struct child_nursery *nursery)
{
	if (!nursery)
		return;
	alarm_free(nursery->alarm);
	free(nursery);
}

struct child *child_new_in(struct child_nursery *nursery, pid_t pid, void (*ended)(void *context),
    void *context, struct schedd_error *err)
{
	struct child *child = calloc(1, sizeof(*child));

	if (!child) {
		schedd_error_nomem(err);
		return NULL;
	}
	*child = (struct child){
	    .loop = nursery->loop,
	    .clock = nursery->clock,
	    .ended = ended,
	    .context = context,
	    .nursery = nursery,
	    .previous = nursery->last,
	    .born = nursery->clock->mono(nursery->clock->context),
	    .pid = pid,
	    .pidfd = -1,
	};
	if (nursery->last)
		nursery->last->next = child;
	else
		nursery->first = child;
	nursery->last = child;
	if (!nursery->set)
		nursery_set(nursery, (struct schedd_mono){child->born.us + CHILD_YOUTH});
	return child;
}

static pid_t child_wait(struct child *child, int flags)
{
	pid_t got;

	do
		got = wait4(child->pid, &child->status, flags, &child->usage);
	while (got < 0 && errno == EINTR);
	return got;
}

bool child_over(struct child *child)
{
	pid_t got;

	if (child->has_ended || !child->nursery)
		return child->has_ended;
	got = child_wait(child, WNOHANG);
	if (got == 0) {
		(void)child_grow_up(child);
		return false;
	}
	child_leave_nursery(child);
	child->reaped = got > 0;
	child->has_ended = true;
	return true;
}

/* ---- What it is, and its end ---- */

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
	child_leave_nursery(child);
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
	bool reaped = child->reaped || child_wait(child, 0) > 0;

	*out = (struct child_exit){
	    .exit_code = reaped && WIFEXITED(child->status) ? WEXITSTATUS(child->status) : -1,
	    .signal = reaped && WIFSIGNALED(child->status) ? WTERMSIG(child->status) : 0,
	    .max_rss = (int64_t)child->usage.ru_maxrss * 1024,
	    .cpu_us = child_timeval(child->usage.ru_utime) + child_timeval(child->usage.ru_stime),
	    .unknown = !reaped,
	};
	child_free(child);
}
