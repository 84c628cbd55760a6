/* SPDX-License-Identifier: MIT */
/* The registry of types, and the calls of store.h handed to the type's ops. */
#include "store/store_ops.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/store_batch.h"

static const struct store_ops *const store_registry[] = {
    &store_sqlite_ops,
    &store_memory_ops,
};

#define STORE_TYPES (sizeof(store_registry) / sizeof(store_registry[0]))

static const char *const store_type_names[STORE_TYPES + 1] = {"sqlite", "memory", NULL};

const char *const *store_types(void)
{
	return store_type_names;
}

static const struct store_ops *store_find(const char *type)
{
	for (size_t i = 0; i < STORE_TYPES; i++)
		if (strcmp(store_registry[i]->type, type) == 0)
			return store_registry[i];
	return NULL;
}

int store_type_check(const char *type, struct schedd_error *err)
{
	if (store_find(type))
		return 0;
	return schedd_error_set(
	    err, SCHEDD_EINVAL, "type '%.64s' is not known, use sqlite or memory", type);
}

static void store_release(struct store *store)
{
	free(store->name);
	free(store->path);
	free(store);
}

int store_open(const struct store_config *config, struct store **out, struct schedd_error *err)
{
	const struct store_ops *ops = store_find(config->type);
	struct store *store;
	int rc;

	if (store_type_check(config->type, err))
		return schedd_error_prefix(err, "store '%s'", config->name);
	if (ops->needs_path && (!config->path || !config->path[0]))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': type '%s' needs a path, the file it is kept in", config->name,
		    config->type);
	store = calloc(1, ops->size);
	if (!store)
		return schedd_error_nomem(err);
	store->ops = ops;
	store->name = strdup(config->name);
	store->path = ops->needs_path ? strdup(config->path) : NULL;
	store->log = config->log;
	store->clock = config->clock ? config->clock : schedd_clock_system();
	store->mailbox = config->mailbox;
	store->trigger = config->trigger;
	store->last_error_at = SCHEDD_TIME_NONE;
	if (!store->name || (ops->needs_path && !store->path))
		rc = schedd_error_nomem(err);
	else
		rc = ops->open(store, config, err);
	if (rc < 0) {
		store_release(store);
		return rc;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	store_flush(store);
	store->ops->close(store);
	store_release(store);
}

const char *store_name(const struct store *store)
{
	return store->name;
}

const char *store_path(const struct store *store)
{
	return store->path;
}

const char *store_type(const struct store *store)
{
	return store->ops->type;
}

bool store_durable(const struct store *store)
{
	return store->ops->durable;
}

struct value store_status(struct store *store, struct arena *arena)
{
	struct value map = value_map();

	value_put(arena, &map, "name", value_string(arena, store->name));
	value_put(arena, &map, "type", value_string_ref(store->ops->type));
	value_put(arena, &map, "path", value_string(arena, store->path));
	value_put(arena, &map, "durable", value_bool(store->ops->durable));
	value_put(arena, &map, "commits", value_int((int64_t)store->commits));
	value_put(arena, &map, "pending", value_int((int64_t)store->pending));
	value_put(arena, &map, "errors", value_int((int64_t)store->errors));
	value_put(arena, &map, "last_error",
	    store->errors ? value_string(arena, store->last_error) : value_nil());
	value_put(arena, &map, "last_error_at",
	    store->errors ? value_int(store->last_error_at) : value_nil());
	store->ops->status(store, arena, &map);
	return map;
}

int store_load(struct store *store, store_load_fn call, void *context, struct schedd_error *err)
{
	return store->ops->load(store, call, context, err);
}

int store_load_unfinished(
    struct store *store, struct run **out, size_t *count, struct schedd_error *err)
{
	*out = NULL;
	*count = 0;
	return store->ops->load_unfinished(store, out, count, err);
}

int64_t store_load_number(struct store *store, const char *key, int64_t fallback)
{
	return store->ops->load_number(store, key, fallback);
}

int store_load_texts(struct store *store, const char *prefix, store_text_fn call, void *context,
    struct schedd_error *err)
{
	return store->ops->load_texts(store, prefix, call, context, err);
}

uint32_t store_last_run(struct store *store, const char *id)
{
	return store->ops->last_run(store, id);
}

void store_commit(struct store *store, struct store_batch *batch, store_done_fn done, void *context)
{
	struct schedd_error err;

	if (batch) {
		batch->done = done;
		batch->context = context;
		store->ops->commit(store, batch);
	} else if (done) {
		schedd_error_set(&err, SCHEDD_ENOMEM, "store '%s': out of memory", store->name);
		done(SCHEDD_ENOMEM, &err, context);
	}
}

void store_flush(struct store *store)
{
	while (store->pending > 0)
		if (mailbox_wait(store->mailbox) < 0) {
			log_error(
			    store->log, "store '%s': waiting for its answers failed", store->name);
			return;
		}
}

void store_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context)
{
	store->ops->query_runs(store, query, call, context);
}

void store_query_changes(struct store *store, const char *job, schedd_time since, uint64_t limit,
    store_value_fn call, void *context)
{
	store->ops->query_changes(store, job, since, limit, call, context);
}

void store_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context)
{
	store->ops->query_stats(store, job, since, call, context);
}

void store_retain(struct store *store, const char *job, const struct store_retention *retention,
    uint32_t budget, store_done_fn done, void *context)
{
	store->ops->retain(store, job, retention, budget, done, context);
}

void store_backup(struct store *store, const char *path, store_done_fn done, void *context)
{
	store->ops->backup(store, path, done, context);
}
