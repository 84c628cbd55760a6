/* SPDX-License-Identifier: MIT */
/* Changes in the directories of cron's tables, told by name as they happen. */
#ifndef SCHEDD_SERVER_CRON_WATCH_H
#define SCHEDD_SERVER_CRON_WATCH_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/log.h>

struct cron_watch;
struct event_base;

/* name: what changed in that directory; NULL: anything may have, look at all. */
typedef void (*cron_watch_fn)(int directory, const char *name, void *context);

/* Without inotify (its limit is reached) everything is told of each minute, and that is logged. */
int cron_watch_new(struct event_base *base, const struct schedd_log *log, cron_watch_fn call,
    void *context, struct cron_watch **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Watches a directory under a number of the caller's; again after it was gone. False: there is
 * none. */
bool cron_watch_add(struct cron_watch *watch, int directory, const char *path);
/* Tells of everything soon, as what was told of could not be looked at. */
void cron_watch_again(struct cron_watch *watch);
void cron_watch_free(struct cron_watch *watch);

#endif
