/* SPDX-License-Identifier: MIT */
/* Stores and executors by name: added before or after the start, removed when nothing uses them. */
#include "core/top/scheduler_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "core/frame/history.h"
#include "core/runs/run_live.h"
#include "core/top/restart.h"
#include "executor/function_table.h"

struct zone_cache *scheduler_zones(struct schedd_scheduler *scheduler)
{
	return scheduler->zones;
}

const struct zone_local *scheduler_zone(const struct schedd_scheduler *scheduler)
{
	return &scheduler->zone;
}

const struct trigger_context *scheduler_trigger_context(struct schedd_scheduler *scheduler)
{
	scheduler->trigger = (struct trigger_context){.zones = scheduler->zones,
	    .zone = scheduler->zone.zone,
	    .now = scheduler_now(scheduler),
	    .host = scheduler->host,
	    .cache = scheduler->triggers};
	return &scheduler->trigger;
}

struct function_table *scheduler_functions(struct schedd_scheduler *scheduler)
{
	return scheduler->functions;
}

struct mailbox *scheduler_mailbox(struct schedd_scheduler *scheduler)
{
	return scheduler->mailbox;
}

struct store_slot *scheduler_store_slot(struct schedd_scheduler *scheduler, const char *name)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++)
		if (strcmp(scheduler->stores[i]->name, name) == 0)
			return scheduler->stores[i];
	return NULL;
}

struct executor_slot *scheduler_executor_slot(struct schedd_scheduler *scheduler, const char *name)
{
	for (uint32_t i = 0; i < scheduler->executor_count; i++)
		if (strcmp(scheduler->executors[i]->name, name) == 0 &&
		    !scheduler->executors[i]->removed)
			return scheduler->executors[i];
	return NULL;
}

struct store *scheduler_store(struct schedd_scheduler *scheduler, const char *name)
{
	struct store_slot *slot = scheduler_store_slot(scheduler, name);

	return slot ? slot->store : NULL;
}

void scheduler_parts_event(struct schedd_scheduler *scheduler, enum schedd_event_code code,
    const char *name, const char *error, const struct scheduler_actor *actor)
{
	struct schedd_event event = {.code = code,
	    .time = scheduler_now(scheduler),
	    .store = name,
	    .scheduled_at = SCHEDD_TIME_NONE,
	    .exit_code = -1,
	    .error = error,
	    .uid = actor ? actor->uid : -1,
	    .pid = actor ? actor->pid : -1,
	    .method = actor ? actor->method : NULL};

	event_ring_emit(scheduler, &event);
}

int scheduler_parts_init(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	scheduler->functions = function_table_new(NULL);
	return scheduler->functions ? 0 : schedd_error_nomem(err);
}

/* Room for one more pointer in an array of them. */
static int scheduler_parts_grow(void *array, uint32_t count, struct schedd_error *err)
{
	void **parts = *(void ***)array;

	parts = realloc(parts, (count + 1) * sizeof(parts[0]));
	if (!parts)
		return schedd_error_nomem(err);
	*(void ***)array = parts;
	return 0;
}

static int scheduler_parts_open_store(struct schedd_scheduler *scheduler, struct store_slot *slot,
    const char *type, const char *path, struct schedd_error *err)
{
	struct store_config config = {.name = slot->name,
	    .type = type,
	    .path = path,
	    .log = scheduler->log,
	    .clock = scheduler->clock,
	    .mailbox = scheduler->mailbox,
	    .trigger = scheduler_trigger_context(scheduler)};
	int rc = store_open(&config, &slot->store, err);

	if (!rc)
		slot->durable = store_durable(slot->store);
	return rc;
}

/* The jobs of a store that is added while the scheduler runs. */
static int scheduler_parts_take_up(
    struct schedd_scheduler *scheduler, struct store_slot *slot, struct schedd_error *err)
{
	int rc;

	scheduler_enter(scheduler);
	rc = restart_load_store(scheduler, slot, err);
	if (!rc && scheduler->phase == SCHEDULER_RUNNING)
		restart_begin_store(scheduler, slot);
	scheduler_leave(scheduler);
	return rc;
}

/* Two stores in one file would run each job twice. */
static int scheduler_parts_same_file(
    const struct schedd_scheduler *scheduler, const char *path, struct schedd_error *err)
{
	struct stat wanted, there;

	if (!path || stat(path, &wanted) < 0)
		return 0;
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		const char *other = store_path(scheduler->stores[i]->store);

		if (other && stat(other, &there) == 0 && wanted.st_dev == there.st_dev &&
		    wanted.st_ino == there.st_ino)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "'%s' holds the store %s already", path, scheduler->stores[i]->name);
	}
	return 0;
}

int schedd_scheduler_add_store(struct schedd_scheduler *scheduler, const char *name,
    const char *type, const char *path, struct schedd_error *err)
{
	return scheduler_add_store(scheduler, name, type, path, NULL, err);
}

int scheduler_add_store(struct schedd_scheduler *scheduler, const char *name, const char *type,
    const char *path, const struct scheduler_actor *actor, struct schedd_error *err)
{
	struct store_slot *slot;
	int rc;

	if (scheduler_store_slot(scheduler, name))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "store %s: there is one already", name);
	if (scheduler->store_count == SCHEDULER_STORES_MAX)
		return schedd_error_set(err, SCHEDD_EINVAL, "store %s: no more than %d stores",
		    name, SCHEDULER_STORES_MAX);
	if (scheduler_parts_same_file(scheduler, path, err))
		return schedd_error_prefix(err, "store '%s'", name);
	slot = calloc(1, sizeof(*slot));
	if (!slot)
		return schedd_error_nomem(err);
	slot->scheduler = scheduler;
	slot->retry_at = SCHEDD_TIME_NONE;
	slot->name = strdup(name);
	rc = slot->name ? scheduler_parts_grow(&scheduler->stores, scheduler->store_count, err)
			: schedd_error_nomem(err);
	if (!rc)
		rc = scheduler_parts_open_store(scheduler, slot, type, path, err);
	if (rc) {
		free(slot->name);
		free(slot);
		return rc;
	}
	scheduler->stores[scheduler->store_count++] = slot;
	if (scheduler->loaded)
		rc = scheduler_parts_take_up(scheduler, slot, err);
	scheduler_parts_event(scheduler, SCHEDD_EVENT_JOBSTORE_ADDED, slot->name, NULL, actor);
	return rc;
}

const struct spawn_inherit *scheduler_inherit(const struct schedd_scheduler *scheduler)
{
	return &scheduler->inherit;
}

int scheduler_set_cgroup(
    struct schedd_scheduler *scheduler, const char *directory, struct schedd_error *err)
{
	char *copy = directory ? strdup(directory) : NULL;

	if (directory && !copy)
		return schedd_error_nomem(err);
	free(scheduler->cgroup);
	scheduler->cgroup = copy;
	return 0;
}

static int scheduler_parts_open_executor(struct schedd_scheduler *scheduler,
    struct executor_slot *slot, const char *type, unsigned max_workers, struct schedd_error *err)
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
	    .cgroup = scheduler->cgroup};

	return executor_open(&config, &slot->executor, err);
}

/* Jobs that were waiting for an executor of that name find it now. */
static void scheduler_parts_adopt(struct schedd_scheduler *scheduler, struct executor_slot *slot)
{
	uint32_t position = 0;
	struct entry *entry;

	while ((entry = strmap_next(&scheduler->entries, &position)))
		if (!entry->hidden && entry->executor == ENTRY_NOWHERE &&
		    strcmp(job_executor(entry->job), slot->name) == 0) {
			entry->executor = slot->place;
			slot->entries++;
		}
}

int schedd_scheduler_add_executor(struct schedd_scheduler *scheduler, const char *name,
    const char *type, unsigned max_workers, struct schedd_error *err)
{
	return scheduler_add_executor(scheduler, name, type, max_workers, NULL, err);
}

int scheduler_add_executor(struct schedd_scheduler *scheduler, const char *name, const char *type,
    unsigned max_workers, const struct scheduler_actor *actor, struct schedd_error *err)
{
	struct executor_slot *slot;
	int rc;

	if (scheduler_executor_slot(scheduler, name))
		return schedd_error_set(
		    err, SCHEDD_ECONFLICT, "executor %s: there is one already", name);
	if (scheduler->executor_count == ENTRY_NOWHERE)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "executor %s: there are too many already", name);
	slot = calloc(1, sizeof(*slot));
	if (!slot)
		return schedd_error_nomem(err);
	heap_init(&slot->ready);
	slot->name = strdup(name);
	rc = slot->name
		 ? scheduler_parts_grow(&scheduler->executors, scheduler->executor_count, err)
		 : schedd_error_nomem(err);
	if (!rc)
		rc = scheduler_parts_open_executor(scheduler, slot, type, max_workers, err);
	if (rc) {
		free(slot->name);
		free(slot);
		return rc;
	}
	slot->place = (uint16_t)scheduler->executor_count;
	scheduler->executors[scheduler->executor_count++] = slot;
	scheduler_parts_adopt(scheduler, slot);
	scheduler_parts_event(scheduler, SCHEDD_EVENT_EXECUTOR_ADDED, NULL, slot->name, actor);
	return 0;
}

struct executor_slot *scheduler_parts_http(struct schedd_scheduler *scheduler)
{
	struct executor_slot *slot = scheduler_executor_slot(scheduler, "http");
	struct schedd_error err;

	if (!slot && schedd_scheduler_add_executor(scheduler, "http", "http", 0, &err))
		log_warn(scheduler->log, "requests cannot be sent: %s", err.message);
	return slot ? slot : scheduler_executor_slot(scheduler, "http");
}

int schedd_scheduler_register(struct schedd_scheduler *scheduler, const char *name,
    schedd_function function, void *context, struct schedd_error *err)
{
	return function_table_add(scheduler->functions, name, function, context, err);
}

int scheduler_parts_default(struct schedd_scheduler *scheduler, struct schedd_error *err)
{
	int rc = 0;

	if (!scheduler_store_slot(scheduler, "default"))
		rc = schedd_scheduler_add_store(scheduler, "default", "memory", NULL, err);
	if (!rc && !scheduler_executor_slot(scheduler, "default"))
		rc = schedd_scheduler_add_executor(scheduler, "default", "subprocess", 0, err);
	if (!rc && !scheduler_executor_slot(scheduler, "function"))
		rc = schedd_scheduler_add_executor(scheduler, "function", "function", 0, err);
	return rc;
}

/* Does anything still need the store? */
static bool scheduler_parts_store_used(
    const struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	uint32_t position = 0;
	const struct entry *entry;

	for (const struct run_live *live = scheduler->live; live; live = live->next)
		if (live->store == slot)
			return true;
	while ((entry = strmap_next(&scheduler->entries, &position)))
		if (entry->store == slot)
			return true;
	return false;
}

/* Closes it and takes it out; its name stays for events that point to it. */
static void scheduler_parts_drop_store(struct schedd_scheduler *scheduler, struct store_slot *slot)
{
	uint32_t at = 0;

	history_flush(scheduler);
	store_close(slot->store);
	slot->store = NULL;
	history_free_store(slot);
	while (scheduler->stores[at] != slot)
		at++;
	scheduler->store_count--;
	memmove(&scheduler->stores[at], &scheduler->stores[at + 1],
	    (scheduler->store_count - at) * sizeof(scheduler->stores[0]));
	slot->next = scheduler->retired;
	scheduler->retired = slot;
}

void scheduler_remove_store(struct schedd_scheduler *scheduler, const char *name,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct store_slot *slot = scheduler_store_slot(scheduler, name);
	struct schedd_error err;
	int rc = 0;

	scheduler_enter(scheduler);
	if (!slot)
		rc = schedd_error_set(&err, SCHEDD_ENOTFOUND, "store %s: no such store", name);
	else if (strcmp(name, "default") == 0)
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT, "store default cannot be removed");
	else if (scheduler_parts_store_used(scheduler, slot))
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "store %s has %u jobs: remove them or move them first", name, slot->entries);
	if (!rc) {
		scheduler_parts_drop_store(scheduler, slot);
		scheduler_parts_event(
		    scheduler, SCHEDD_EVENT_JOBSTORE_REMOVED, slot->name, NULL, actor);
	}
	scheduler_answer(reply, rc, &err, NULL);
	scheduler_leave(scheduler);
}

static uint32_t scheduler_parts_running(
    const struct schedd_scheduler *scheduler, const struct executor_slot *slot)
{
	uint32_t count = 0;

	for (const struct run_live *live = scheduler->live; live; live = live->next)
		count += live->executor == slot;
	return count;
}

void scheduler_remove_executor(struct schedd_scheduler *scheduler, const char *name,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct executor_slot *slot = scheduler_executor_slot(scheduler, name);
	struct schedd_error err;
	int rc = 0;

	if (!slot)
		rc =
		    schedd_error_set(&err, SCHEDD_ENOTFOUND, "executor %s: no such executor", name);
	else if (slot->entries || scheduler_parts_running(scheduler, slot))
		rc = schedd_error_set(&err, SCHEDD_ECONFLICT,
		    "executor %s is used by %u jobs: give them another one first", name,
		    slot->entries);
	if (!rc) {
		slot->removed = true;
		scheduler_parts_event(scheduler, SCHEDD_EVENT_EXECUTOR_REMOVED, NULL, name, actor);
	}
	scheduler_answer(reply, rc, &err, NULL);
}

void scheduler_parts_close_executors(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->executor_count; i++) {
		executor_close(scheduler->executors[i]->executor);
		scheduler->executors[i]->executor = NULL;
	}
}

void scheduler_parts_close_stores(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		store_close(scheduler->stores[i]->store);
		scheduler->stores[i]->store = NULL;
		history_free_store(scheduler->stores[i]);
	}
}

void scheduler_parts_free(struct schedd_scheduler *scheduler)
{
	while (scheduler->retired) {
		struct store_slot *slot = scheduler->retired;

		scheduler->retired = slot->next;
		free(slot->name);
		free(slot);
	}
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		free(scheduler->stores[i]->name);
		free(scheduler->stores[i]);
	}
	for (uint32_t i = 0; i < scheduler->executor_count; i++) {
		free(scheduler->executors[i]->name);
		free(scheduler->executors[i]);
	}
	free(scheduler->stores);
	free(scheduler->executors);
	function_table_free(scheduler->functions);
}
