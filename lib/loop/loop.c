/* SPDX-License-Identifier: MIT */
/* Calls through a loop's ops; knows no particular loop. */
#include "loop/loop.h"

#include <stddef.h>

struct schedd_watch *loop_watch(struct schedd_loop *loop, int fd, unsigned ready,
    schedd_watch_fn call, void *context, struct schedd_error *err)
{
	return loop->ops->watch(loop, fd, ready, call, context, err);
}

int loop_rewatch(struct schedd_loop *loop, struct schedd_watch *watch, unsigned ready)
{
	return loop->ops->rewatch(watch, ready);
}

void loop_unwatch(struct schedd_loop *loop, struct schedd_watch *watch)
{
	if (watch)
		loop->ops->unwatch(watch);
}

void schedd_loop_free(struct schedd_loop *loop)
{
	if (loop)
		loop->ops->free(loop);
}
