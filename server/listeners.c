/* SPDX-License-Identifier: MIT */
/*
 * Old targets of a changed config go when their last delivery has ended.
 * Executors are opened when a listener first needs one, and are apart from
 * those of jobs, so that listeners never take a worker from a job.
 */
#include "server/listeners.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "core/scheduler.h"
#include "executor/executor.h"
#include "server/config.h"
#include "server/event_target.h"

/* What a listener asks for and what does it. */
enum { LISTENER_RUN, LISTENER_CALL, LISTENER_HTTP, LISTENER_KINDS };
static const char *const listener_executors[LISTENER_KINDS] = {"subprocess", "threadpool", "http"};

struct listeners_entry {
	struct listeners_entry *next;
	struct event_target *target;
	bool retired; /* of a config that is gone: no new events */
};

struct listeners {
	struct event_target_owner owner;
	struct executor *executors[LISTENER_KINDS]; /* NULL: not needed so far */
	struct listeners_entry *entries;
	struct schedd_listener *listener; /* at the scheduler; NULL: there are no entries */
	void (*finished)(void *context);  /* NULL: not finishing */
	void *context;
};

static void listeners_on_event(const struct schedd_event *event, void *context)
{
	struct listeners *listeners = context;
	struct listeners_entry *entry, *next;

	for (entry = listeners->entries; entry; entry = next) {
		next = entry->next;
		if (!entry->retired && event_filter_matches(event_target_filter(entry->target),
					   listeners->owner.scheduler, event))
			event_target_tell(entry->target, event);
	}
}

static void listeners_drop(struct listeners *listeners, struct listeners_entry *entry)
{
	struct listeners_entry **link = &listeners->entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	event_target_free(entry->target);
	free(entry);
}

static bool listeners_are_idle(const struct listeners *listeners)
{
	for (const struct listeners_entry *entry = listeners->entries; entry; entry = entry->next) {
		if (!event_target_is_idle(entry->target))
			return false;
	}
	return true;
}

static void listeners_on_idle(struct event_target *target, void *context)
{
	struct listeners *listeners = context;
	struct listeners_entry *entry;

	for (entry = listeners->entries; entry && entry->target != target; entry = entry->next)
		;
	if (entry && entry->retired)
		listeners_drop(listeners, entry);
	if (listeners->finished && listeners_are_idle(listeners))
		listeners->finished(listeners->context);
}

static int listeners_executor(
    struct listeners *listeners, int kind, struct executor **out, struct schedd_error *err)
{
	struct executor_config config = {
	    .name = "listeners",
	    .type = listener_executors[kind],
	    .loop = listeners->owner.loop,
	    .mailbox = scheduler_mailbox(listeners->owner.scheduler),
	    .log = listeners->owner.log,
	    .clock = schedd_clock_system(),
	    .functions = scheduler_functions(listeners->owner.scheduler),
	    .drain = SCHEDD_SECOND,
	    .inherit = scheduler_inherit(listeners->owner.scheduler),
	    .spawners = scheduler_spawners(listeners->owner.scheduler),
	};
	int rc = 0;

	if (!listeners->executors[kind])
		rc = executor_open(&config, &listeners->executors[kind], err);
	*out = listeners->executors[kind];
	return rc;
}

static int listeners_add(struct listeners *listeners, const struct config_listener *config,
    struct listeners_entry **list, struct schedd_error *err)
{
	int kind = config->run ? LISTENER_RUN : config->call ? LISTENER_CALL : LISTENER_HTTP;
	struct listeners_entry *entry = calloc(1, sizeof(*entry));
	struct executor *executor;
	int rc;

	if (!entry)
		return schedd_error_nomem(err);
	rc = listeners_executor(listeners, kind, &executor, err);
	if (!rc)
		rc = event_target_new(&listeners->owner, config, executor, &entry->target, err);
	if (rc) {
		free(entry);
		return schedd_error_prefix(err, "listener %s", config->name);
	}
	entry->next = *list;
	*list = entry;
	return 0;
}

/* The old entries take no more events; those without a delivery under way go at once. */
static void listeners_retire(struct listeners *listeners)
{
	struct listeners_entry *entry, *next;

	for (entry = listeners->entries; entry; entry = next) {
		next = entry->next;
		if (entry->retired)
			continue;
		entry->retired = true;
		event_target_abandon(entry->target);
	}
}

int listeners_configure(
    struct listeners *listeners, const struct config *config, struct schedd_error *err)
{
	struct listeners_entry *fresh = NULL, *entry, **last;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < config->listener_count; i++)
		rc = listeners_add(listeners, &config->listeners[i], &fresh, err);
	if (!rc && fresh && !listeners->listener) {
		listeners->listener = schedd_scheduler_listen(
		    listeners->owner.scheduler, SCHEDD_EVENT_ALL, listeners_on_event, listeners);
		rc = listeners->listener ? 0 : schedd_error_nomem(err);
	}
	while (rc && (entry = fresh)) {
		fresh = entry->next;
		event_target_free(entry->target);
		free(entry);
	}
	if (rc)
		return rc;
	listeners_retire(listeners);
	for (last = &fresh; *last; last = &(*last)->next)
		;
	*last = listeners->entries;
	listeners->entries = fresh;
	return 0;
}

int listeners_new(struct schedd_scheduler *scheduler, struct schedd_loop *loop,
    const struct schedd_log *log, const struct config *config, struct listeners **out,
    struct schedd_error *err)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));
	int rc;

	if (!listeners)
		return schedd_error_nomem(err);
	listeners->owner.scheduler = scheduler;
	listeners->owner.loop = loop;
	listeners->owner.log = log;
	listeners->owner.idle = listeners_on_idle;
	listeners->owner.context = listeners;
	rc = listeners_configure(listeners, config, err);
	if (rc) {
		listeners_free(listeners);
		return rc;
	}
	*out = listeners;
	return 0;
}

bool listeners_finish(struct listeners *listeners, void (*finished)(void *context), void *context)
{
	if (listeners_are_idle(listeners))
		return true;
	listeners->finished = finished;
	listeners->context = context;
	return false;
}

void listeners_abandon(struct listeners *listeners)
{
	listeners_retire(listeners);
}

void listeners_free(struct listeners *listeners)
{
	if (!listeners)
		return;
	if (listeners->listener)
		schedd_scheduler_unlisten(listeners->listener);
	while (listeners->entries)
		listeners_drop(listeners, listeners->entries);
	for (int i = 0; i < LISTENER_KINDS; i++)
		executor_close(listeners->executors[i]);
	free(listeners);
}

struct value listeners_status(const struct listeners *listeners, struct arena *arena)
{
	struct value list = value_array();

	for (const struct listeners_entry *entry = listeners->entries; entry; entry = entry->next) {
		if (!entry->retired)
			value_append(arena, &list, event_target_status(entry->target, arena));
	}
	return list;
}
