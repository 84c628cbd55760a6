/* SPDX-License-Identifier: MIT */
/*
 * One listener of the config: a queue of events and at most one delivery under
 * way, which is run as an attempt of a small job by an executor.
 */
#ifndef SCHEDD_SERVER_EVENT_TARGET_H
#define SCHEDD_SERVER_EVENT_TARGET_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/event.h>
#include <schedd/log.h>
#include <schedd/loop.h>
#include "base/value.h"
#include "server/config.h"
#include "server/event_filter.h"

struct event_target;
struct executor;
struct schedd_scheduler;

/* What targets work with; outlives them. */
struct event_target_owner {
	struct schedd_scheduler *scheduler;
	struct schedd_loop *loop;
	const struct schedd_log *log;
	/* A delivery has ended, and nothing waits. It may free the target. */
	void (*idle)(struct event_target *target, void *context);
	void *context;
};

/* executor can do what the listener wants and stays the caller's. Texts are copied. */
int event_target_new(const struct event_target_owner *owner, const struct config_listener *listener,
    struct executor *executor, struct event_target **out, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* Must be idle. NULL is fine. */
void event_target_free(struct event_target *target);
const struct event_filter *event_target_filter(const struct event_target *target);
/* Queues the event, dropping it where the queue is full, and delivers when its turn comes. */
void event_target_tell(struct event_target *target, const struct schedd_event *event);
/* Drops what waits and ends the delivery that is under way; idle is called when it has ended. */
void event_target_abandon(struct event_target *target);
bool event_target_is_idle(const struct event_target *target);
/* {name, events, queued, delivered, dropped, failed, last_error} */
struct value event_target_status(const struct event_target *target, struct arena *arena);

#endif
