/* SPDX-License-Identifier: MIT */
/*
 * Listeners of the config: commands, functions and requests that are told of
 * events. Each has a bounded queue of its own and one delivery at a time with a
 * time-out, so whatever a listener does, no job waits for it.
 */
#ifndef SCHEDD_SERVER_LISTENERS_H
#define SCHEDD_SERVER_LISTENERS_H

#include <stdbool.h>
#include <schedd/error.h>
#include <schedd/log.h>
#include <schedd/loop.h>
#include "base/value.h"

struct config;
struct listeners;
struct schedd_scheduler;

/* All but config is borrowed and must outlive it. */
int listeners_new(struct schedd_scheduler *scheduler, struct schedd_loop *loop,
    const struct schedd_log *log, const struct config *config, struct listeners **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
/*
 * Is everything delivered? Otherwise finished is called when it is; it must not
 * free the listeners.
 */
bool listeners_finish(struct listeners *listeners, void (*finished)(void *context), void *context);
/* Drops what waits and ends deliveries that are under way, as finished will tell. */
void listeners_abandon(struct listeners *listeners);
/* No delivery may be under way. NULL is fine. */
void listeners_free(struct listeners *listeners);
/* Takes the listeners of the new config; on failure the old ones stay. Queues of the old ones are
 * lost. */
int listeners_configure(struct listeners *listeners, const struct config *config,
    struct schedd_error *err) __attribute__((warn_unused_result));
/* [{name, events, queued, delivered, dropped, failed, last_error}] */
struct value listeners_status(const struct listeners *listeners, struct arena *arena);

#endif
