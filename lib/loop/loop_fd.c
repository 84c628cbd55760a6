/* SPDX-License-Identifier: MIT */
/*
 * A loop that is one epoll descriptor, for hosts with a loop of their own and
 * for schedd_scheduler_run(). A watch that ends inside a callback is buried
 * only after the round, since a later event of that round may still name it.
 */
#include <schedd/loop.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>

#define FD_LOOP_BATCH 64 /* events taken from the kernel at a time */

struct fd_loop {
	struct schedd_loop loop;
	int epoll;
	unsigned depth;            /* dispatches under way: a callback may dispatch again */
	struct schedd_watch *dead; /* ended during a dispatch, freed after it */
};

struct schedd_watch {
	struct fd_loop *loop;
	schedd_watch_fn call;
	void *context;
	struct schedd_watch *next_dead;
	int fd;
	unsigned ready; /* waited for; with 0 the descriptor is not in the epoll set */
	bool dead;
};

static const struct schedd_loop_ops fd_ops;

static int fd_loop_control(struct schedd_watch *watch, unsigned ready)
{
	struct epoll_event event = {.data.ptr = watch};
	int op = EPOLL_CTL_MOD;

	/* A hang-up is reported even when nothing is asked for: so take it out then. */
	if (!watch->ready)
		op = EPOLL_CTL_ADD;
	else if (!ready)
		op = EPOLL_CTL_DEL;
	if (watch->ready == ready)
		return 0;
	if (ready & SCHEDD_READ)
		event.events |= EPOLLIN;
	if (ready & SCHEDD_WRITE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(watch->loop->epoll, op, watch->fd, &event) < 0)
		return -errno;
	watch->ready = ready;
	return 0;
}

static struct schedd_watch *fd_watch(struct schedd_loop *loop, int fd, unsigned ready,
    schedd_watch_fn call, void *context, struct schedd_error *err)
{
	struct schedd_watch *watch = calloc(1, sizeof(*watch));
	int rc;

	if (!watch) {
		schedd_error_nomem(err);
		return NULL;
	}
	watch->loop = (struct fd_loop *)loop;
	watch->fd = fd;
	watch->call = call;
	watch->context = context;
	rc = fd_loop_control(watch, ready);
	if (rc < 0) {
		schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot watch file descriptor %d: %s", fd, strerror(-rc));
		free(watch);
		return NULL;
	}
	return watch;
}

static int fd_rewatch(struct schedd_watch *watch, unsigned ready)
{
	return fd_loop_control(watch, ready) < 0 ? SCHEDD_EFAILED : 0;
}

static void fd_unwatch(struct schedd_watch *watch)
{
	/* The descriptor may be closed already, then it left the set by itself. */
	(void)fd_loop_control(watch, 0);
	watch->dead = true;
	if (watch->loop->depth == 0) {
		free(watch);
		return;
	}
	watch->next_dead = watch->loop->dead;
	watch->loop->dead = watch;
}

static void fd_loop_bury(struct fd_loop *loop)
{
	while (loop->dead) {
		struct schedd_watch *watch = loop->dead;

		loop->dead = watch->next_dead;
		free(watch);
	}
}

static void fd_loop_free(struct schedd_loop *loop)
{
	close(((struct fd_loop *)loop)->epoll);
	free(loop);
}

/* What of the events was asked for; errors and hang-ups count as ready for all of it. */
static unsigned fd_loop_ready(const struct schedd_watch *watch, uint32_t events)
{
	unsigned ready = 0;

	if (events & EPOLLIN)
		ready |= SCHEDD_READ;
	if (events & EPOLLOUT)
		ready |= SCHEDD_WRITE;
	if (events & (EPOLLERR | EPOLLHUP))
		ready |= SCHEDD_READ | SCHEDD_WRITE;
	return ready & watch->ready;
}

struct schedd_loop *schedd_loop_new_fd(struct schedd_error *err)
{
	struct fd_loop *loop = calloc(1, sizeof(*loop));

	if (!loop) {
		schedd_error_nomem(err);
		return NULL;
	}
	loop->loop.ops = &fd_ops;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make an epoll descriptor: %s", strerror(errno));
		free(loop);
		return NULL;
	}
	return &loop->loop;
}

int schedd_loop_fd(struct schedd_loop *loop)
{
	return loop->ops == &fd_ops ? ((struct fd_loop *)loop)->epoll : -1;
}

int schedd_loop_dispatch(struct schedd_loop *public_loop, int timeout)
{
	struct epoll_event events[FD_LOOP_BATCH];
	struct fd_loop *loop = (struct fd_loop *)public_loop;
	int count, calls = 0;

	if (public_loop->ops != &fd_ops)
		return SCHEDD_EINVAL;
	count = epoll_wait(loop->epoll, events, FD_LOOP_BATCH, timeout);
	if (count < 0)
		return errno == EINTR ? 0 : SCHEDD_EFAILED;
	loop->depth++;
	for (int i = 0; i < count; i++) {
		struct schedd_watch *watch = events[i].data.ptr;
		unsigned ready = watch->dead ? 0 : fd_loop_ready(watch, events[i].events);

		if (!ready)
			continue;
		watch->call(watch->fd, ready, watch->context);
		calls++;
	}
	if (--loop->depth == 0)
		fd_loop_bury(loop);
	return calls;
}

static const struct schedd_loop_ops fd_ops = {
    .name = "fd",
    .watch = fd_watch,
    .rewatch = fd_rewatch,
    .unwatch = fd_unwatch,
    .free = fd_loop_free,
};
