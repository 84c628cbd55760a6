/* SPDX-License-Identifier: MIT */
/* The scheduler's parts: where jobs are kept, what runs them, what holds them back. */
#include "store/store_url.h"
#include "server/rpc/rpc_rows.h"

#include <stdlib.h>
#include <string.h>
#include "executor/worker_config.h"
#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_view.h"
#include "store/store.h"

#define RPC_WORKERS_MAX 1000000 /* as the config has it */

/* The element of a list of maps whose name is that; nil: none. */
static struct value rpc_store_named(const struct value *list, const char *name)
{
	for (uint32_t i = 0; i < list->array.count; i++) {
		if (value_is_text(value_get(&list->array.items[i], "name"), name))
			return list->array.items[i];
	}
	return value_nil();
}

/* An alias is part of file names and of command lines. True: it is none, and the call was ended. */
static bool rpc_store_refuses(struct rpc_call *call)
{
	const char *name = rpc_call_text(call, "name");
	struct schedd_error err;

	if (job_alias_valid(name))
		return false;
	schedd_error_set(&err, SCHEDD_EINVAL,
	    "'%.64s' is no name: letters, digits, '_', '-' and '.', at most 128", name);
	rpc_call_fail(call, &err);
	return true;
}

/* What the removal of a part answers. */
static struct scheduler_reply rpc_store_removed(struct rpc_call *call)
{
	struct value answer = value_map();

	value_put(&call->arena, &answer, "name", value_string_ref(rpc_call_text(call, "name")));
	return rpc_call_reply_with(call, answer);
}

void rpc_store_list(struct rpc_call *call)
{
	struct value list = rpc_view_stores(call);

	rpc_call_answer_built(call, &list);
}

/* A map of texts becomes the options of the store. */
static int rpc_store_options(
    struct rpc_call *call, struct scheduler_new_store *store, struct schedd_error *err)
{
	const struct value *map = value_get(&call->params, "options");
	struct store_option *options;
	uint32_t count = 0;

	if (!map || map->type != VALUE_MAP)
		return 0;
	options = arena_alloc(&call->arena, (map->map.count + 1) * sizeof(options[0]));
	if (!options)
		return schedd_error_nomem(err);
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];

		if (member->value.type != VALUE_STRING)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "%s: option '%.64s' must be a text", call->method->method->name,
			    member->key);
		if (strcmp(member->key, "history") == 0) {
			store->history = member->value.string.text;
			continue;
		}
		options[count].name = member->key;
		options[count++].text = member->value.string.text;
	}
	store->options = options;
	return 0;
}

void rpc_store_add(struct rpc_call *call)
{
	const char *name = rpc_call_text(call, "name");
	struct scheduler_new_store new = {.name = name,
	    .type = rpc_call_text(call, "type"),
	    .path = rpc_call_text(call, "path"),
	    .url = rpc_call_text(call, "url")};
	struct schedd_error err, why;
	char *url;
	int rc;

	if (rpc_store_refuses(call))
		return;
	if (!new.type)
		new.type = new.url ? store_type_of_url(new.url, &why) : "sqlite";
	if (!new.type)
		schedd_error_set(&err, SCHEDD_EINVAL, "store '%s': %s", name, why.message);
	rc = new.type ? rpc_store_options(call, &new, &err) : SCHEDD_EINVAL;
	url = !rc && new.url ? strdup(new.url) : NULL;
	if (!rc && new.url && !url)
		rc = schedd_error_nomem(&err);
	/* It may be answered before it is given back, and the call gone with what it was sent. */
	store_url_blot(new.url);
	new.url = url;
	if (rc)
		rpc_call_fail(call, &err);
	else
		daemon_add_store_live(call->daemon, &new, &call->actor, rpc_call_reply(call));
	store_url_blot(url);
	free(url);
}

void rpc_store_check(struct rpc_call *call)
{
	struct scheduler_new_store store = {.name = rpc_call_text(call, "name"),
	    .type = rpc_call_text(call, "type"),
	    .url = rpc_call_text(call, "url")};
	struct schedd_error err, why;
	char *url;
	int rc = 0;

	if (!store.type && store.url)
		store.type = store_type_of_url(store.url, &why);
	if (!store.name == !store.url)
		rc = schedd_error_set(&err, SCHEDD_EINVAL,
		    "store.check: give the name of a store, or the url of a server");
	else if (store.name && (store.type || rpc_call_param(call, "options")))
		rc = schedd_error_set(&err, SCHEDD_EINVAL,
		    "store.check: type and options are for a url; the store %s has its own",
		    store.name);
	else if (store.url && !store.type)
		rc = schedd_error_set(&err, SCHEDD_EINVAL, "store.check: %s", why.message);
	if (!rc)
		rc = rpc_store_options(call, &store, &err);
	if (!rc && store.history)
		rc = schedd_error_set(&err, SCHEDD_EINVAL,
		    "store.check: the server alone is looked at: no history");
	url = !rc && store.url ? strdup(store.url) : NULL;
	if (!rc && store.url && !url)
		rc = schedd_error_nomem(&err);
	/* It may be answered before it is given back, and the call gone with what it was sent. */
	store_url_blot(store.url);
	store.url = url;
	if (rc)
		rpc_call_fail(call, &err);
	else
		scheduler_check_store(call->scheduler, &store, rpc_call_reply(call));
	store_url_blot(url);
	free(url);
}

/* ---- Moving jobs ---- */

static void rpc_store_moved(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	struct value map = value_map();
	const char *from = rpc_call_text(call, "from");

	/* The connection may end of what is answered. */
	call->state = NULL;
	if (rc) {
		rpc_call_fail(call, err);
		return;
	}
	if (from)
		value_put(&call->arena, &map, "from", value_string_ref(from));
	if (result->type == VALUE_NIL) {
		rpc_call_answer(call, result);
		return;
	}
	for (uint32_t i = 0; i < result->map.count; i++)
		value_put(&call->arena, &map, result->map.members[i].key, result->map.members[i].value);
	rpc_call_answer(call, &map);
}

/* The client went away: what is under way comes to its end, nothing more is begun. */
static void rpc_store_move_cancelled(struct rpc_call *call)
{
	struct value nil = value_nil();

	if (!call->state)
		return;
	scheduler_move_cancel(call->state);
	call->state = NULL;
	rpc_call_answer(call, &nil);
}

static void rpc_store_move_by(struct rpc_call *call, const struct scheduler_move *move)
{
	struct scheduler_mover *mover = scheduler_move_jobs(call->scheduler, move, &call->actor,
	    (struct scheduler_reply){rpc_store_moved, call});

	if (!mover)
		return;
	call->state = mover;
	rpc_call_on_cancel(call, rpc_store_move_cancelled);
}

void rpc_store_move(struct rpc_call *call)
{
	const struct scheduler_move move = {.jobs = rpc_call_texts(call, "jobs"),
	    .to = rpc_call_text(call, "to"),
	    .history = rpc_call_bool(call, "history"),
	    .wait = rpc_call_bool(call, "wait")};
	struct schedd_error err;

	if (move.jobs) {
		rpc_store_move_by(call, &move);
		return;
	}
	schedd_error_set(&err, SCHEDD_EINVAL, "store.move: name the jobs");
	rpc_call_fail(call, &err);
}

void rpc_store_copy(struct rpc_call *call)
{
	const struct scheduler_move move = {.from = rpc_call_text(call, "from"),
	    .to = rpc_call_text(call, "to"),
	    .history = rpc_call_bool(call, "history"),
	    .wait = rpc_call_bool(call, "wait")};

	rpc_store_move_by(call, &move);
}

void rpc_store_remove(struct rpc_call *call)
{
	scheduler_remove_store(
	    call->scheduler, rpc_call_text(call, "name"), &call->actor, rpc_store_removed(call));
}

void rpc_store_executors(struct rpc_call *call)
{
	struct value list = rpc_view_executors(call);

	rpc_call_answer_built(call, &list);
}

void rpc_store_executor_add(struct rpc_call *call)
{
	const char *name = rpc_call_text(call, "name");
	const char *type = rpc_call_text(call, "type");
	int64_t workers = rpc_call_int(call, "max_workers", 0);
	bool own = strcmp(type, "worker") == 0;
	struct worker_config worker;
	struct schedd_error err;
	struct value list, executor;

	if (rpc_store_refuses(call))
		return;
	if (workers > RPC_WORKERS_MAX) {
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "executor.add: max_workers: %lld is out of 0-%d", (long long)workers,
		    RPC_WORKERS_MAX);
		rpc_call_fail(call, &err);
		return;
	}
	worker_config_init(&worker);
	if (workers > 0)
		worker.processes = (uint32_t)workers;
	if ((own && worker_config_check(&worker, &err)) ||
	    scheduler_add_executor(call->scheduler, name, type, (unsigned)workers,
		own ? &worker : NULL, &call->actor, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	list = scheduler_executors(call->scheduler, &call->arena);
	executor = rpc_store_named(&list, name);
	rpc_call_answer(call, &executor);
}

void rpc_store_executor_remove(struct rpc_call *call)
{
	scheduler_remove_executor(
	    call->scheduler, rpc_call_text(call, "name"), &call->actor, rpc_store_removed(call));
}

void rpc_store_executor_restart(struct rpc_call *call)
{
	scheduler_restart_executor(
	    call->scheduler, rpc_call_text(call, "name"), &call->arena, rpc_call_reply(call));
}

void rpc_store_groups(struct rpc_call *call)
{
	struct value list = rpc_view_groups(call);

	rpc_call_answer_built(call, &list);
}

void rpc_store_group_set(struct rpc_call *call)
{
	int64_t parallel = rpc_call_int(call, "parallel", 0);
	struct schedd_error err;

	if (rpc_store_refuses(call))
		return;
	if (parallel < 1 || parallel > UINT32_MAX) {
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "group.set: a group lets at least 1 run at a time, not %lld",
		    (long long)parallel);
		rpc_call_fail(call, &err);
		return;
	}
	scheduler_group_set(call->scheduler, rpc_call_text(call, "name"), (uint32_t)parallel,
	    &call->actor, rpc_call_reply(call));
}
