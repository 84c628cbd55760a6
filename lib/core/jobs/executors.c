/* SPDX-License-Identifier: MIT */
/* Executors by name: added before or after the start, removed when nothing uses them. */
#include "core/jobs/executors.h"

#include <stdlib.h>
#include <string.h>
#include "core/jobs/entry.h"

struct executor_slot *executors_find(struct schedd_scheduler *scheduler, const char *name)
{
	for (uint32_t i = 0; i < scheduler->jobs.executor_count; i++)
		if (strcmp(scheduler->jobs.executors[i]->name, name) == 0 &&
		    !scheduler->jobs.executors[i]->removed)
			return scheduler->jobs.executors[i];
	return NULL;
}

/* All its workers fail, say; or no longer (reason NULL). */
static void executors_on_trouble(const char *name, const char *reason, void *context)
{
	struct schedd_scheduler *scheduler = context;
	struct strbuf text = STRBUF_EMPTY;

	scheduler_enter(scheduler);
	strbuf_printf(&text, "%s%s%s", name, reason ? ": " : "", reason ? reason : "");
	event_ring_say(scheduler,
	    reason ? SCHEDD_EVENT_EXECUTOR_FAILED : SCHEDD_EVENT_EXECUTOR_RECOVERED, NULL,
	    strbuf_peek(&text), NULL);
	strbuf_clear(&text);
	scheduler_leave(scheduler);
}

static int executors_open(struct schedd_scheduler *scheduler, struct executor_slot *slot,
    const char *type, unsigned max_workers, const struct worker_config *worker,
    struct schedd_error *err)
{
	struct executor_config config = {.name = slot->name,
	    .type = type,
	    .max_workers = max_workers,
	    .loop = scheduler->loop,
	    .mailbox = scheduler->mailbox,
	    .log = scheduler->log,
	    .clock = scheduler->clock,
	    .functions = scheduler->functions,
	    .drain = 2 * SCHEDD_SECOND,
	    .inherit = &scheduler->inherit,
	    .socket = scheduler->socket,
	    .worker = worker,
	    .tell = executors_on_trouble,
	    .tell_context = scheduler,
	    .spawners = scheduler_spawners(scheduler),
	    .cgroup = scheduler->cgroup};

	return executor_open(&config, &slot->executor, err);
}

/* Jobs that were waiting for an executor of that name find it now. */
static void executors_adopt(struct schedd_scheduler *scheduler, struct executor_slot *slot)
{
	uint32_t position = 0;
	struct entry *entry;

	while ((entry = strmap_next(&scheduler->jobs.entries, &position)))
		if (!entry->hidden && entry->executor == ENTRY_NOWHERE &&
		    strcmp(job_executor(entry->job), slot->name) == 0) {
			entry->executor = slot->place;
			slot->entries++;
		}
}

/* Room for one more. */
static int executors_grow(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	size_t size = (scheduler->jobs.executor_count + 1) * sizeof(scheduler->jobs.executors[0]);
	struct executor_slot **executors = realloc(scheduler->jobs.executors, size);

	if (!executors)
		return schedd_error_nomem(err);
	scheduler->jobs.executors = executors;
	return 0;
}

/* A slot, not used yet: of one that was removed, or a new one. */
static int executors_slot(struct schedd_scheduler *scheduler, const char *name,
    struct executor_slot **out, struct schedd_error *err)
{
	struct executor_slot *slot = NULL;
	char *copy = strdup(name);
	int rc = copy ? 0 : schedd_error_nomem(err);

	for (uint32_t i = 0; i < scheduler->jobs.executor_count && !slot; i++)
		if (!scheduler->jobs.executors[i]->executor)
			slot = scheduler->jobs.executors[i];
	if (!rc && !slot && scheduler->jobs.executor_count == ENTRY_NOWHERE)
		rc = schedd_error_set(
		    err, SCHEDD_EINVAL, "executor %s: there are too many already", name);
	if (!rc && !slot)
		rc = executors_grow(scheduler, err);
	if (!rc && !slot) {
		slot = calloc(1, sizeof(*slot));
		rc = slot ? 0 : schedd_error_nomem(err);
	}
	if (rc) {
		free(copy);
		return rc;
	}
	if (!slot->name) {
		heap_init(&slot->ready);
		slot->place = (uint16_t)scheduler->jobs.executor_count;
		scheduler->jobs.executors[scheduler->jobs.executor_count++] = slot;
	}
	free(slot->name);
	slot->name = copy;
	/* Until it is open. */
	slot->removed = true;
	*out = slot;
	return 0;
}

void executors_remove(struct executor_slot *slot)
{
	slot->removed = true;
	/* A notification may still be on its way through it. */
	if (executor_busy(slot->executor) == 0) {
		executor_close(slot->executor);
		slot->executor = NULL;
	}
}

int scheduler_add_executor(struct schedd_scheduler *scheduler, const char *name, const char *type,
    unsigned max_workers, const struct worker_config *worker, const struct scheduler_actor *actor,
    struct schedd_error *err)
{
	struct executor_slot *slot;
	int rc;

	if (executors_find(scheduler, name))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "executor %s: there is one already", name);
	rc = executors_slot(scheduler, name, &slot, err);
	if (!rc)
		rc = executors_open(scheduler, slot, type, max_workers, worker, err);
	if (rc)
		return rc;
	slot->removed = false;
	executors_adopt(scheduler, slot);
	event_ring_say(scheduler, SCHEDD_EVENT_EXECUTOR_ADDED, NULL, slot->name, actor);
	return 0;
}

void scheduler_restart_executor(struct schedd_scheduler *scheduler, const char *name,
    struct arena *arena, struct scheduler_reply reply)
{
	struct executor_slot *slot = executors_find(scheduler, name);
	struct schedd_error err;
	struct value status;
	int rc;

	scheduler_enter(scheduler);
	rc = slot ? executor_restart(slot->executor, &err)
		  : schedd_error_set(&err, SCHEDD_ENOTFOUND, "executor %s: no such executor", name);
	status = slot ? executor_status(slot->executor, arena) : value_nil();
	scheduler_answer(reply, rc, &err, &status);
	scheduler_leave(scheduler);
}

void scheduler_restart_executors(struct schedd_scheduler *scheduler)
{
	scheduler_enter(scheduler);
	for (uint32_t i = 0; i < scheduler->jobs.executor_count; i++) {
		struct executor_slot *slot = scheduler->jobs.executors[i];
		struct schedd_error err;

		if (!slot->removed && executor_can_restart(slot->executor) &&
		    executor_restart(slot->executor, &err))
			log_warn(scheduler->log, "executor %s: %s", slot->name, err.message);
	}
	scheduler_leave(scheduler);
}

struct executor_slot *executors_http(struct schedd_scheduler *scheduler)
{
	struct executor_slot *slot = executors_find(scheduler, "http");
	struct schedd_error err;

	if (!slot && scheduler_add_executor(scheduler, "http", "http", 0, NULL, NULL, &err))
		log_warn(scheduler->log, "requests cannot be sent: %s", err.message);
	return slot ? slot : executors_find(scheduler, "http");
}

void executors_close(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->jobs.executor_count; i++) {
		executor_close(scheduler->jobs.executors[i]->executor);
		scheduler->jobs.executors[i]->executor = NULL;
	}
}

void executors_free(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->jobs.executor_count; i++) {
		free(scheduler->jobs.executors[i]->name);
		free(scheduler->jobs.executors[i]);
	}
	free(scheduler->jobs.executors);
}

uint32_t executors_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->jobs.executor_count;
}

struct executor_slot *executors_at(const struct schedd_scheduler *scheduler, uint32_t place)
{
	return scheduler->jobs.executors[place];
}
