/* SPDX-License-Identifier: MIT */
#include "server/rpc/rpc_view.h"

#include <string.h>
#include "base/strbuf.h"
#include "server/daemon.h"
#include "server/rpc/rpc_call.h"
#include "server/status.h"
#include "server/users_guard.h"

const char *rpc_view(const struct rpc_call *call)
{
	return call->caller->view;
}

/* ---- Counts ---- */

struct rpc_view_counts {
	struct rpc_call *call;
	int64_t jobs, paused, running, queued;
	schedd_time next;
};

static void rpc_view_count(const char *id, void *context)
{
	static const char *const wanted[] = {"paused", "running", "queued", "next_run_time", NULL};
	struct rpc_view_counts *counts = context;
	struct value job =
	    scheduler_job_some(counts->call->scheduler, id, wanted, &counts->call->arena);
	schedd_time next = value_get_int(&job, "next_run_time", SCHEDD_TIME_NONE);

	counts->jobs++;
	counts->paused += value_get_bool(&job, "paused", false);
	counts->running += value_get_int(&job, "running", 0);
	counts->queued += value_get_int(&job, "queued", 0);
	if (next != SCHEDD_TIME_NONE && (counts->next == SCHEDD_TIME_NONE || next < counts->next))
		counts->next = next;
}

static bool rpc_view_is(const char *key, const char *const *keys)
{
	while (*keys && strcmp(key, *keys) != 0)
		keys++;
	return *keys != NULL;
}

/* Everything but these members is nobody's business. */
static void rpc_view_keep(struct value *map, const char *const *keys)
{
	for (uint32_t i = 0; map->type == VALUE_MAP && i < map->map.count; i++)
		if (!rpc_view_is(map->map.members[i].key, keys))
			map->map.members[i].value = value_nil();
}

static void rpc_view_set(struct value *map, const char *key, struct value value)
{
	for (uint32_t i = 0; map->type == VALUE_MAP && i < map->map.count; i++)
		if (strcmp(map->map.members[i].key, key) == 0)
			map->map.members[i].value = value;
}

/* Of the accounts whose jobs are held the one that is seen. */
static struct value rpc_view_held(struct rpc_call *call, const struct value *scheduler)
{
	const struct value *all = value_get(scheduler, "held");
	struct value list = value_array();

	for (uint32_t i = 0; all && i < all->array.count; i++)
		if (value_is_text(value_get(&all->array.items[i], "account"), rpc_view(call)))
			value_append(&call->arena, &list, all->array.items[i]);
	return list;
}

struct value rpc_view_scheduler(struct rpc_call *call)
{
	static const char *const kept[] = {"state", "paused_by", "started_at", "timezone",
	    "timezone_origin", "timezone_conflict", NULL};
	struct value map = scheduler_status(call->scheduler, &call->arena);
	const char *patterns[2] = {NULL, NULL};
	struct scheduler_job_query query = {
	    .patterns = patterns, .due_before = SCHEDD_TIME_NONE};
	struct rpc_view_counts counts = {.call = call, .next = SCHEDD_TIME_NONE};
	struct strbuf next = STRBUF_EMPTY;
	struct value held;
	struct schedd_error err;

	if (!rpc_view(call)[0])
		return map;
	patterns[0] = arena_printf(&call->arena, "%s:*", rpc_view(call));
	if (patterns[0] &&
	    scheduler_job_find(call->scheduler, &query, rpc_view_count, &counts, &next, &err))
		counts.jobs = 0;
	strbuf_clear(&next);
	held = rpc_view_held(call, &map);
	rpc_view_keep(&map, kept);
	rpc_view_set(&map, "held", held);
	rpc_view_set(&map, "jobs", value_int(counts.jobs));
	rpc_view_set(&map, "paused_jobs", value_int(counts.paused));
	rpc_view_set(&map, "running", value_int(counts.running));
	rpc_view_set(&map, "queued", value_int(counts.queued));
	if (counts.next != SCHEDD_TIME_NONE)
		rpc_view_set(&map, "next_run_time", value_int(counts.next));
	return map;
}

struct value rpc_view_status(struct rpc_call *call)
{
	static const char *const kept[] = {
	    "version", "pid", "uid", "state", "started_at", "uptime", "socket", "zone", NULL};
	struct value map = status_value(call->daemon, &call->arena);
	const struct users_caller *caller = call->caller;

	if (caller->view[0]) {
		rpc_view_keep(&map, kept);
		rpc_view_set(&map, "stores", rpc_view_stores(call));
		rpc_view_set(&map, "executors", rpc_view_executors(call));
		rpc_view_set(&map, "listeners", value_array());
		rpc_view_set(&map, "config", value_array());
		rpc_view_set(&map, "scheduler", rpc_view_scheduler(call));
	}
	value_put(&call->arena, &map, "role", value_string_ref(users_role_name(caller->role)));
	value_put(&call->arena, &map, "account",
	    caller->account[0] ? value_string_ref(caller->account) : value_nil());
	return map;
}

/* ---- What is open to users ---- */

/* The list as it is, or of what is open, with these members alone. */
static struct value rpc_view_list(struct rpc_call *call, struct value all,
    bool (*open)(const struct config *config, const char *name), const char *const *kept)
{
	const struct config *config = daemon_config(call->daemon);
	struct value list = value_array();

	if (call->caller->role != USERS_USER)
		return all;
	for (uint32_t i = 0; i < all.array.count; i++) {
		const char *name = value_get_string(&all.array.items[i], "name");

		if (!name || !open(config, name))
			continue;
		rpc_view_keep(&all.array.items[i], kept);
		value_append(&call->arena, &list, all.array.items[i]);
	}
	return list;
}

struct value rpc_view_stores(struct rpc_call *call)
{
	static const char *const kept[] = {"name", "type", "durable", NULL};

	return rpc_view_list(
	    call, scheduler_stores(call->scheduler, &call->arena), users_store_open, kept);
}

struct value rpc_view_executors(struct rpc_call *call)
{
	static const char *const kept[] = {"name", "type", NULL};

	return rpc_view_list(
	    call, scheduler_executors(call->scheduler, &call->arena), users_executor_open, kept);
}

struct value rpc_view_groups(struct rpc_call *call)
{
	static const char *const kept[] = {"name", "parallel", NULL};

	return rpc_view_list(
	    call, scheduler_groups(call->scheduler, &call->arena), users_group_open, kept);
}

int rpc_view_check_env(const struct rpc_call *call, const char *job, struct schedd_error *err)
{
	const struct users_caller *caller = call->caller;
	size_t length = strlen(caller->account);

	if (!rpc_call_param(call, "env") || caller->role == USERS_ADMIN ||
	    (strncmp(job, caller->account, length) == 0 && job[length] == ':'))
		return 0;
	return schedd_error_set(err, SCHEDD_EPERM,
	    "%s: env: the environment of '%.128s' is for its own account and for admins",
	    call->method->method->name, job);
}
