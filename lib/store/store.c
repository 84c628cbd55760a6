/* SPDX-License-Identifier: MIT */
/* The calls of store.h, handed to the type's ops. */
#include "store/store_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "base/duration.h"
#include "base/log.h"
#include "store/store_batch.h"
#include "store/store_record.h"
#include "store/store_snapshot.h"

/* ---- Life ---- */

void store_release(struct store *store)
{
	while (store->listeners) {
		struct store_listener *listener = store->listeners;

		store->listeners = listener->next;
		free(listener);
	}
	free(store->name);
	free(store->path);
	free(store->address);
	free(store);
}

static int store_check(
    const struct store_ops *ops, const struct store_config *config, struct schedd_error *err)
{
	if (ops->needs_path && (!config->path || !config->path[0]))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': type '%s' needs a path, the file it is kept in", config->name,
		    config->type);
	if (ops->needs_url && (!config->url || !config->url[0]))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': type '%s' needs a url, where its server is", config->name,
		    config->type);
	if (!ops->needs_url && config->url && config->url[0])
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': type '%s' is on no server: no url", config->name, config->type);
	return 0;
}

int store_fill(struct store *store, const struct store_config *config, struct schedd_error *err)
{
	store->name = strdup(config->name);
	store->path = store->ops->needs_path ? strdup(config->path) : NULL;
	store->log = config->log;
	store->clock = config->clock ? config->clock : schedd_clock_system();
	store->loop = config->loop;
	store->mailbox = config->mailbox;
	store->trigger = config->trigger;
	store->host = &store_record_host;
	store->changed = config->changed;
	store->context = config->context;
	store->last_error_at = SCHEDD_TIME_NONE;
	store->state = STORE_CONNECTING;
	store->state_since = store->clock->wall(store->clock->context);
	if (getrandom(&store->life, sizeof(store->life), 0) < 0)
		store->life = (uint64_t)store->state_since;
	return store->name && !store->path == !store->ops->needs_path ? 0 : schedd_error_nomem(err);
}

int store_open_alone(const struct store_ops *ops, const struct store_config *config,
    struct store **out, struct schedd_error *err)
{
	struct store *store;
	int rc = store_check(ops, config, err);

	if (rc < 0)
		return rc;
	store = calloc(1, ops->size);
	if (!store)
		return schedd_error_nomem(err);
	store->ops = ops;
	rc = store_fill(store, config, err);
	if (rc == 0)
		rc = ops->jobs->open(store, config, err);
	if (rc < 0) {
		store_release(store);
		return rc;
	}
	*out = store;
	return 0;
}

int store_wait(struct store *store, schedd_span limit, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = limit == SCHEDD_SPAN_NONE ? 0 : clock->mono(clock->context).us + limit;

	while (store->state == STORE_CONNECTING) {
		int64_t left = limit;

		if (limit != SCHEDD_SPAN_NONE)
			left = end - clock->mono(clock->context).us;
		if ((limit != SCHEDD_SPAN_NONE && left <= 0) ||
		    mailbox_wait_for(store->mailbox, left) < 0)
			break;
	}
	if (store->state == STORE_OK)
		return 0;
	if (store->state == STORE_CONNECTING)
		return schedd_error_set(
		    err, SCHEDD_ETIMEOUT, "store '%s': it could not be opened yet", store->name);
	if (err)
		*err = store->state_err;
	return store->state_err.code;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	(void)store_flush(store, store->ops->needs_url ? STORE_LEAVE_LIMIT : SCHEDD_SPAN_NONE);
	store->changed = NULL;
	store->watch = NULL;
	store->share = NULL;
	store->leave.settled = NULL;
	store->leave.left = NULL;
	store->ops->jobs->close(store);
	if (store->leave.posted)
		mailbox_deliver(store->mailbox);
	store_release(store);
}

void store_expect_run(const struct store *store, uint32_t known)
{
	if (known && store->ops->history && store->ops->history->fetch_row)
		store->ops->history->fetch_row(store, known);
}

int store_flush(struct store *store, schedd_span limit)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = limit == SCHEDD_SPAN_NONE ? 0 : clock->mono(clock->context).us + limit;

	while (store->pending > 0) {
		int64_t left = SCHEDD_SPAN_NONE;

		if (store->ops->jobs && store->ops->jobs->hurry)
			store->ops->jobs->hurry(store);

		if (limit != SCHEDD_SPAN_NONE) {
			left = end - clock->mono(clock->context).us;
			if (left <= 0)
				return SCHEDD_EFAILED;
		}
		if (mailbox_wait_for(store->mailbox, left) < 0) {
			log_error(
			    store->log, "store '%s': waiting for its answers failed", store->name);
			return SCHEDD_EFAILED;
		}
	}
	return 0;
}

/* ---- What is known of it ---- */

const char *store_name(const struct store *store)
{
	return store->name;
}

const char *store_path(const struct store *store)
{
	return store->path;
}

const char *store_address(const struct store *store)
{
	return store->address;
}

const char *store_type(const struct store *store)
{
	return store->ops->type;
}

bool store_durable(const struct store *store)
{
	return store->ops->durable;
}

bool store_on_reserve(const struct store *store)
{
	return atomic_load_explicit(&store->on_reserve, memory_order_relaxed);
}

bool store_remote(const struct store *store)
{
	return store->ops->needs_url;
}

bool store_is_away(const struct store *store)
{
	enum store_state state = store_state(store);

	return state == STORE_CONNECTING || state == STORE_AWAY || state == STORE_REFUSED;
}

enum store_state store_state(const struct store *store)
{
	return store->state;
}

const char *store_state_why(const struct store *store)
{
	return store->state == STORE_OK ? "" : store->state_err.message;
}

bool store_behind(const struct store *store)
{
	return store->behind && store->behind == store->epoch;
}

bool store_unsure(const struct store *store)
{
	return store->unsure && store->unsure == store->epoch;
}

uint64_t store_epoch(const struct store *store)
{
	return store->epoch;
}

void store_reread(struct store *store, const char *id)
{
	if (store->watch && store->ops->jobs->reread)
		store->ops->jobs->reread(store, id);
}

/* ---- Sharing ---- */

void store_share(struct store *store, store_share_fn call, void *context)
{
	store->share = call;
	store->share_context = context;
}

bool store_shared(const struct store *store)
{
	return store->shared;
}

schedd_span store_lease(const struct store *store)
{
	return store->shared ? store->ops->jobs->share->lease(store) : SCHEDD_SPAN_NONE;
}

const char *store_node_name(const struct store *store)
{
	return store->shared ? store->ops->jobs->share->node_name(store) : NULL;
}

bool store_leased(const struct store *store, uint64_t epoch)
{
	return !store->shared || store->ops->jobs->share->leased(store, epoch);
}

bool store_late(const struct store *store)
{
	return store->shared && store->ops->jobs->share->late(store, store->epoch);
}

void store_share_refresh(
    struct store *store, const char *id, store_done_fn done, void *context)
{
	store->ops->jobs->share->refresh(store, id, done, context);
}

void store_share_output(struct store *store, const char *job, uint32_t number, store_output_fn call,
    void *context)
{
	if (store->keeps_output)
		store->ops->jobs->share->output(store, job, number, call, context);
	else
		call(0, NULL, NULL, 0, context);
}

void store_share_report(struct store *store, int64_t jobs, int64_t running)
{
	if (store->shared)
		store->ops->jobs->share->report(store, jobs, running);
}

const char *store_state_word(enum store_state state)
{
	static const char *const words[] = {
	    [STORE_CONNECTING] = "connecting",
	    [STORE_OK] = "ok",
	    [STORE_AWAY] = "away",
	    [STORE_READ_ONLY] = "read-only",
	    [STORE_HELD] = "held",
	    [STORE_REFUSED] = "refused",
	};

	return words[state];
}

schedd_span store_lag(const struct store *store)
{
	return store->oldest
		   ? store->clock->mono(store->clock->context).us - store->oldest->asked_at
		   : 0;
}

struct value store_status(struct store *store, struct arena *arena)
{
	bool ok = store->state == STORE_OK;
	struct value map = value_map();

	value_put(arena, &map, "name", value_string(arena, store->name));
	value_put(arena, &map, "type", value_string_ref(store->ops->type));
	value_put(arena, &map, "path", value_string(arena, store->path));
	value_put(arena, &map, "address", value_string(arena, store->address));
	value_put(arena, &map, "state", value_string_ref(store_state_word(store->state)));
	/* A store that is still connecting for the first time has no reason yet. */
	value_put(arena, &map, "why",
	    ok || !store->state_err.message[0] ? value_nil()
					       : value_string(arena, store->state_err.message));
	value_put(arena, &map, "since", ok ? value_nil() : value_int(store->state_since));
	value_put(arena, &map, "durable", value_bool(store->ops->durable));
	value_put(arena, &map, "commits", value_int((int64_t)store->commits));
	value_put(arena, &map, "pending", value_int((int64_t)store->pending));
	value_put(arena, &map, "lag", duration_to_value(store_lag(store)));
	value_put(arena, &map, "errors", value_int((int64_t)store->errors));
	value_put(arena, &map, "last_error",
	    store->errors ? value_string(arena, store->last_error) : value_nil());
	value_put(arena, &map, "last_error_at",
	    store->errors ? value_int(store->last_error_at) : value_nil());
	store->ops->jobs->status(store, arena, &map);
	return map;
}

/* ---- Asking and writing ---- */

void store_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context)
{
	store->ops->jobs->load(store, call, loaded, context);
}

void store_last_run(struct store *store, const char *id, store_number_fn call, void *context)
{
	store->ops->jobs->last_run(store, id, call, context);
}

void store_watch(struct store *store, store_watch_fn call, void *context)
{
	store->watch = call;
	store->watch_context = context;
}

/* An answer without a batch. */
struct store_refusal {
	struct mailbox_letter letter; /* first */
	struct store *store;
	store_done_fn done;
	void *context;
	struct schedd_error err;
};

static void store_refusal_open(struct mailbox_letter *letter)
{
	struct store_refusal *refusal = (struct store_refusal *)letter;

	store_answered(refusal->store);
	refusal->store->errors++;
	refusal->done(refusal->err.code, &refusal->err, refusal->context);
	free(refusal);
}

/* Without memory for a letter it is told at once: late is worse than early. */
static void store_refuse(struct store *store, store_done_fn done, void *context)
{
	struct store_refusal *refusal = calloc(1, sizeof(*refusal));
	struct schedd_error err;

	if (!refusal) {
		schedd_error_set(&err, SCHEDD_ENOMEM, "store '%s': out of memory", store->name);
		done(SCHEDD_ENOMEM, &err, context);
		return;
	}
	refusal->letter.open = store_refusal_open;
	refusal->store = store;
	refusal->done = done;
	refusal->context = context;
	schedd_error_set(
	    &refusal->err, SCHEDD_ENOMEM, "store '%s': out of memory", store->name);
	store->pending++;
	mailbox_put(store->mailbox, &refusal->letter);
}

void store_commit(struct store *store, struct store_batch *batch, store_done_fn done, void *context)
{
	if (!batch) {
		if (done)
			store_refuse(store, done, context);
		return;
	}
	batch->done = done;
	batch->context = context;
	store->pending++;
	store_batch_asked(batch);
	if (!store->leave.begun && (store->ops->needs_url || store->state == STORE_OK)) {
		store->ops->jobs->commit(store, batch);
		return;
	}
	batch->rc = schedd_error_set(&batch->err, SCHEDD_EFAILED, "store '%s': it is %s%s%s",
	    store->name, store->leave.begun ? "being closed" : "not open",
	    store->state_err.message[0] ? ": " : "", store->state_err.message);
	store_batch_put(batch);
}

void store_query_runs(
    struct store *store, const struct store_run_query *query, store_runs_fn call, void *context)
{
	store->ops->history->runs(store, query, call, context);
}

void store_run_cursor(struct store *store, const struct store_run_query *from,
    const struct run *run, char cursor[STORE_CURSOR_MAX])
{
	store->ops->history->cursor(from, run, cursor);
}

void store_query_changes(struct store *store, const char *job, schedd_time since, uint64_t limit,
    store_value_fn call, void *context)
{
	store->ops->history->changes(store, job, since, limit, call, context);
}

void store_query_stats(
    struct store *store, const char *job, schedd_time since, store_value_fn call, void *context)
{
	store->ops->history->stats(store, job, since, call, context);
}

void store_retain(struct store *store, const char *job, const struct store_retention *retention,
    uint32_t budget, store_done_fn done, void *context)
{
	store->ops->history->retain(store, job, retention, budget, done, context);
}

void store_backup(struct store *store, const char *path, store_done_fn done, void *context)
{
	store->ops->history->backup(store, path, done, context);
}
