/* SPDX-License-Identifier: MIT */
/* Notices that the time zone database or the machine's zone was changed, without polling. */
#ifndef SCHEDD_SERVER_ZONE_WATCH_H
#define SCHEDD_SERVER_ZONE_WATCH_H

#include <schedd/error.h>
#include <schedd/log.h>

struct event_base;
struct zone_watch;

/* Called on the loop's thread, once for a burst of changes. */
typedef void (*zone_watch_fn)(void *context);

/*
 * Watches the directory of the database with its subdirectories, and root/etc
 * for localtime and timezone (root "" outside of tests). What cannot be watched
 * is logged and left out. log is borrowed.
 */
int zone_watch_new(struct event_base *base, const char *directory, const char *root,
    const struct schedd_log *log, zone_watch_fn call, void *context, struct zone_watch **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* NULL is fine. */
void zone_watch_free(struct zone_watch *watch);

#endif
