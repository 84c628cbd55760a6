/* SPDX-License-Identifier: MIT */
/* Notices that files of a directory were changed, without polling: the machine's accounts, its time zones. */
#ifndef SCHEDD_SERVER_FILE_WATCH_H
#define SCHEDD_SERVER_FILE_WATCH_H

#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/log.h>

struct event_base;
struct file_watch;

/* Called on the loop's thread, once for a burst of changes. */
typedef void (*file_watch_fn)(void *context);

struct file_watch_config {
	struct event_base *base;
	const struct schedd_log *log; /* borrowed */
	const char *unnoticed;        /* what is logged of what cannot be watched; borrowed */
	schedd_span pause;            /* how long nothing may change before a burst is over */
	file_watch_fn call;
	void *context;
};

/* Where nothing can be watched that is logged, and call is never called. */
int file_watch_new(const struct file_watch_config *config, struct file_watch **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/*
 * names: the files that matter, NULL at its end (borrowed); NULL: all of them. depth: how many levels of
 * folders below it are watched, too. What is not there is left out; what cannot be watched is logged.
 */
void file_watch_add(struct file_watch *watch, const char *directory, const char *const *names, unsigned depth);
/* NULL is fine. */
void file_watch_free(struct file_watch *watch);

#endif
