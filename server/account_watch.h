/* SPDX-License-Identifier: MIT */
/* Notices that accounts of the machine come, go, change or expire. */
#ifndef SCHEDD_SERVER_ACCOUNT_WATCH_H
#define SCHEDD_SERVER_ACCOUNT_WATCH_H

#include <schedd/error.h>
#include <schedd/log.h>

struct account_watch;
struct event_base;

/* Called on the loop's thread, once for a burst of changes, and when a day begins (UTC), as accounts
 * expire by days. */
typedef void (*account_watch_fn)(void *context);

/* Watches /etc. Where that cannot be, it is logged, and days alone are noticed. log is borrowed. */
int account_watch_new(struct event_base *base, const struct schedd_log *log, account_watch_fn call,
    void *context, struct account_watch **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* NULL is fine. */
void account_watch_free(struct account_watch *watch);

#endif
