/* SPDX-License-Identifier: MIT */
/*
 * A loop around a libevent base. The only file of the library that knows
 * libevent; the base belongs to the caller and is never run from here.
 */
#include <schedd/loop.h>

#include <stdlib.h>
#include <event2/event.h>

struct libevent_loop {
	struct schedd_loop loop;
	struct event_base *base; /* the caller's */
};

struct schedd_watch {
	struct event *event;
	struct event_base *base;
	schedd_watch_fn call;
	void *context;
};

static const struct schedd_loop_ops libevent_ops;

static void libevent_ready(evutil_socket_t fd, short what, void *context)
{
	struct schedd_watch *watch = context;
	unsigned ready = 0;

	if (what & EV_READ)
		ready |= SCHEDD_READ;
	if (what & EV_WRITE)
		ready |= SCHEDD_WRITE;
	if (ready)
		watch->call(fd, ready, watch->context);
	/* The watch may be gone now. */
}

static short libevent_flags(unsigned ready)
{
	int flags = EV_PERSIST;

	if (ready & SCHEDD_READ)
		flags |= EV_READ;
	if (ready & SCHEDD_WRITE)
		flags |= EV_WRITE;
	return (short)flags;
}

static struct schedd_watch *libevent_watch(struct schedd_loop *loop, int fd, unsigned ready,
    schedd_watch_fn call, void *context, struct schedd_error *err)
{
	struct event_base *base = ((struct libevent_loop *)loop)->base;
	struct schedd_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		goto fail;
	watch->base = base;
	watch->call = call;
	watch->context = context;
	watch->event = event_new(base, fd, libevent_flags(ready), libevent_ready, watch);
	if (!watch->event)
		goto fail;
	if (ready && event_add(watch->event, NULL) < 0) {
		schedd_error_set(
		    err, SCHEDD_EFAILED, "libevent cannot watch file descriptor %d", fd);
		event_free(watch->event);
		free(watch);
		return NULL;
	}
	return watch;
fail:
	free(watch);
	schedd_error_nomem(err);
	return NULL;
}

static int libevent_rewatch(struct schedd_watch *watch, unsigned ready)
{
	evutil_socket_t fd = event_get_fd(watch->event);

	event_del(watch->event);
	if (!ready)
		return 0;
	if (event_assign(
		watch->event, watch->base, fd, libevent_flags(ready), libevent_ready, watch) < 0)
		return SCHEDD_EFAILED;
	return event_add(watch->event, NULL) < 0 ? SCHEDD_EFAILED : 0;
}

static void libevent_unwatch(struct schedd_watch *watch)
{
	event_free(watch->event);
	free(watch);
}

static void libevent_free(struct schedd_loop *loop)
{
	free(loop);
}

struct schedd_loop *schedd_loop_new_libevent(struct event_base *base, struct schedd_error *err)
{
	struct libevent_loop *loop = malloc(sizeof(*loop));

	if (!loop) {
		schedd_error_nomem(err);
		return NULL;
	}
	loop->loop.ops = &libevent_ops;
	loop->base = base;
	return &loop->loop;
}

static const struct schedd_loop_ops libevent_ops = {
    .name = "libevent",
    .watch = libevent_watch,
    .rewatch = libevent_rewatch,
    .unwatch = libevent_unwatch,
    .free = libevent_free,
};
