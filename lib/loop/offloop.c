/* SPDX-License-Identifier: MIT */
/*
 * A thread for each call. It shares the offloop with its owner, so either may
 * be the last to know it; who comes last frees it.
 */
#include "loop/offloop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include "loop/loop.h"

#define OFFLOOP_STACK ((size_t)256 * 1024) /* look-ups load libraries and have buffers */

struct offloop {
	pthread_mutex_t lock; /* of all below and of the works' next and left */
	struct offloop_work *ran;
	unsigned under_way;
	unsigned holders; /* the owner and each thread */
	bool closed;      /* the owner is gone */
	/* The owner's alone. */
	struct schedd_loop *loop;
	struct schedd_watch *watch;
	unsigned most;
	int event;
};

static void offloop_release(struct offloop *offloop)
{
	bool last;

	pthread_mutex_lock(&offloop->lock);
	last = --offloop->holders == 0;
	pthread_mutex_unlock(&offloop->lock);
	if (!last)
		return;
	if (offloop->event >= 0)
		close(offloop->event);
	pthread_mutex_destroy(&offloop->lock);
	free(offloop);
}

static void *offloop_thread(void *context)
{
	struct offloop_work *work = context;
	struct offloop *offloop = work->offloop;
	const uint64_t one = 1;
	bool left;

	work->ops->run(work);
	pthread_mutex_lock(&offloop->lock);
	offloop->under_way--;
	left = work->left || offloop->closed;
	if (!left) {
		work->next = offloop->ran;
		offloop->ran = work;
	}
	pthread_mutex_unlock(&offloop->lock);
	if (left)
		work->ops->drop(work);
	else
		(void)!write(offloop->event, &one, sizeof(one));
	offloop_release(offloop);
	return NULL;
}

static struct offloop_work *offloop_next(struct offloop *offloop)
{
	struct offloop_work *work;

	pthread_mutex_lock(&offloop->lock);
	work = offloop->ran;
	if (work)
		offloop->ran = work->next;
	pthread_mutex_unlock(&offloop->lock);
	return work;
}

static void offloop_ready(int fd, unsigned ready, void *context)
{
	struct offloop *offloop = context;
	struct offloop_work *work;
	uint64_t count;

	(void)fd;
	(void)ready;
	(void)!read(offloop->event, &count, sizeof(count));
	while ((work = offloop_next(offloop))) {
		if (!work->left)
			work->ops->done(work);
		work->ops->drop(work);
	}
}

struct offloop *offloop_new(struct schedd_loop *loop, unsigned most, struct schedd_error *err)
{
	struct offloop *offloop = calloc(1, sizeof(*offloop));

	if (!offloop) {
		schedd_error_nomem(err);
		return NULL;
	}
	offloop->loop = loop;
	offloop->most = most;
	offloop->holders = 1;
	pthread_mutex_init(&offloop->lock, NULL);
	offloop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (offloop->event >= 0)
		offloop->watch =
		    loop_watch(loop, offloop->event, SCHEDD_READ, offloop_ready, offloop, err);
	else
		schedd_error_set(err, SCHEDD_EFAILED, "cannot make an eventfd");
	if (offloop->watch)
		return offloop;
	offloop_release(offloop);
	return NULL;
}

void offloop_free(struct offloop *offloop)
{
	struct offloop_work *work;

	if (!offloop)
		return;
	loop_unwatch(offloop->loop, offloop->watch);
	pthread_mutex_lock(&offloop->lock);
	offloop->closed = true;
	pthread_mutex_unlock(&offloop->lock);
	while ((work = offloop_next(offloop)))
		work->ops->drop(work);
	offloop_release(offloop);
}

static bool offloop_thread_start(struct offloop_work *work)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int rc;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, OFFLOOP_STACK);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread, &attributes, offloop_thread, work);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return rc == 0;
}

bool offloop_start(struct offloop *offloop, struct offloop_work *work)
{
	bool room;

	work->offloop = offloop;
	pthread_mutex_lock(&offloop->lock);
	room = offloop->under_way < offloop->most;
	if (room) {
		offloop->under_way++;
		offloop->holders++;
	}
	pthread_mutex_unlock(&offloop->lock);
	if (!room)
		return false;
	if (offloop_thread_start(work))
		return true;
	pthread_mutex_lock(&offloop->lock);
	offloop->under_way--;
	offloop->holders--;
	pthread_mutex_unlock(&offloop->lock);
	return false;
}

void offloop_leave(struct offloop_work *work)
{
	struct offloop *offloop = work->offloop;

	/* If it has run, it is dropped with the loop's next turn. */
	pthread_mutex_lock(&offloop->lock);
	work->left = true;
	pthread_mutex_unlock(&offloop->lock);
}

/* Takes it out of the list of those that have run. */
static bool offloop_take(struct offloop *offloop, struct offloop_work *work)
{
	struct offloop_work **at;
	bool found;

	pthread_mutex_lock(&offloop->lock);
	at = &offloop->ran;
	while (*at && *at != work)
		at = &(*at)->next;
	found = *at != NULL;
	if (found)
		*at = work->next;
	pthread_mutex_unlock(&offloop->lock);
	return found;
}

bool offloop_wait(struct offloop_work *work, schedd_span limit)
{
	struct offloop *offloop = work->offloop;
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + limit;
	const uint64_t again = 1;

	while (!offloop_take(offloop, work)) {
		struct pollfd event = {.fd = offloop->event, .events = POLLIN};
		int64_t left = end - clock->mono(clock->context).us;
		uint64_t count;

		if (left <= 0) {
			(void)!write(offloop->event, &again, sizeof(again));
			return false;
		}
		if (poll(&event, 1, (int)(left / 1000) + 1) > 0)
			(void)!read(offloop->event, &count, sizeof(count));
	}
	/* Others may have run meanwhile, whose word was taken here. */
	(void)!write(offloop->event, &again, sizeof(again));
	work->ops->done(work);
	work->ops->drop(work);
	return true;
}
