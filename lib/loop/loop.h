/* SPDX-License-Identifier: MIT */
/*
 * The library's own way to call a loop, whatever it is. All on the loop's
 * thread. A descriptor has at most one watch at a time.
 */
#ifndef SCHEDD_LOOP_LOOP_H
#define SCHEDD_LOOP_LOOP_H

#include <schedd/loop.h>

/* See schedd_loop_ops. NULL and *err on failure. */
struct schedd_watch *loop_watch(struct schedd_loop *loop, int fd, unsigned ready,
    schedd_watch_fn call, void *context, struct schedd_error *err);
int loop_rewatch(struct schedd_loop *loop, struct schedd_watch *watch, unsigned ready)
    __attribute__((warn_unused_result));
/* NULL is fine. */
void loop_unwatch(struct schedd_loop *loop, struct schedd_watch *watch);

#endif
