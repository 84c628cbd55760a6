/* SPDX-License-Identifier: MIT */
/* What concerns the daemon as a whole. */
#include "server/rpc/rpc_rows.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/log.h"
#include "server/config_show.h"
#include "server/daemon.h"
#include "server/options.h"
#include "server/rpc/rpc_call.h"
#include "server/rpc/rpc_names.h"
#include "server/rpc/rpc_view.h"

#define RPC_PROTOCOL 1

void rpc_server_hello(struct rpc_call *call)
{
	const char *client = rpc_call_text(call, "client");
	const char *account = rpc_call_text(call, "account");
	struct value map = value_map();
	struct schedd_error err;

	if (account && peer_narrow(connection_peer(call->connection), account, &err)) {
		rpc_call_fail(call, &err);
		return;
	}
	if (client)
		log_debug(daemon_log(call->daemon), "hello from %.64s, uid %lld, pid %lld", client,
		    (long long)call->actor.uid, (long long)call->actor.pid);
	value_put(&call->arena, &map, "server", value_string_ref("schedd"));
	value_put(&call->arena, &map, "version", value_string_ref(SCHEDD_VERSION));
	value_put(&call->arena, &map, "protocol", value_int(RPC_PROTOCOL));
	value_put(&call->arena, &map, "pid", value_int(getpid()));
	value_put(&call->arena, &map, "role",
	    value_string_ref(users_role_name(call->caller->role)));
	value_put(&call->arena, &map, "account",
	    call->caller->account[0] ? value_string_ref(call->caller->account) : value_nil());
	rpc_call_answer_built(call, &map);
}

void rpc_server_ping(struct rpc_call *call)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct value map = value_map();

	value_put(&call->arena, &map, "ready", value_bool(!daemon_is_stopping(call->daemon)));
	value_put(&call->arena, &map, "time", value_int(clock->wall(clock->context)));
	rpc_call_answer_built(call, &map);
}

/* The nodes by their names, and how each is. */
static struct value rpc_server_nodes(struct rpc_call *call)
{
	static const char *const told[] = {"name", "state", "since"};
	struct value all = scheduler_nodes(call->scheduler, &call->arena), list = value_array();

	for (uint32_t i = 0; all.type == VALUE_ARRAY && i < all.array.count; i++) {
		struct value map = value_map();

		for (size_t k = 0; k < sizeof(told) / sizeof(told[0]); k++) {
			const struct value *value = value_get(&all.array.items[i], told[k]);

			value_put(&call->arena, &map, told[k], value ? *value : value_nil());
		}
		value_append(&call->arena, &list, map);
	}
	return list;
}

void rpc_server_status(struct rpc_call *call)
{
	struct value map = rpc_view_status(call);
	const char *node = scheduler_node_name(call->scheduler);

	if (node) {
		value_put(&call->arena, &map, "node", value_string_ref(node));
		value_put(&call->arena, &map, "nodes", rpc_server_nodes(call));
	}
	rpc_call_answer_built(call, &map);
}

/* ---- Figures of runs, asked of one store after the other ---- */

struct rpc_stats {
	struct value answer; /* in the call's arena, as is all of it */
	struct value jobs;
	struct value stores; /* from scheduler_stores() */
	uint32_t next;       /* the store to ask */
	const char *job;     /* NULL: all */
	schedd_time since;
	struct value missing; /* names of those that cannot be asked now */
	struct schedd_error err; /* of the last of them */
};

static void rpc_stats_step(struct rpc_call *call);

/* Is the store one of several, and away? Then the others' figures are told. */
static bool rpc_stats_goes_without(const struct rpc_stats *stats, int rc)
{
	return stats->stores.array.count > 1 && rc != SCHEDD_EINVAL && rc != SCHEDD_ENOMEM;
}

/* Where a node was named its own are told: those that it has now, of a store that is shared. */
static bool rpc_stats_tells(const struct rpc_call *call, const char *job)
{
	const char *node;

	if (!rpc_names_shown(rpc_view(call), job))
		return false;
	return !rpc_call_text(call, "node") || (scheduler_job_peek(call->scheduler, job) &&
						       !scheduler_job_elsewhere(call->scheduler, job, &node));
}

static void rpc_stats_came(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct rpc_call *call = context;
	struct rpc_stats *stats = call->state;

	if (rc && rpc_stats_goes_without(stats, rc)) {
		value_append(&call->arena, &stats->missing,
		    *value_get(&stats->stores.array.items[stats->next - 1], "name"));
		stats->err = *err;
		rpc_stats_step(call);
		return;
	}
	if (rc) {
		rpc_call_fail(call, err);
		return;
	}
	for (uint32_t i = 0; value->type == VALUE_ARRAY && i < value->array.count; i++) {
		const char *job = value_get_string(&value->array.items[i], "job");

		if (job && rpc_stats_tells(call, job))
			value_append(&call->arena, &stats->jobs,
			    value_copy(&call->arena, &value->array.items[i]));
	}
	rpc_stats_step(call);
}

static void rpc_stats_step(struct rpc_call *call)
{
	struct rpc_stats *stats = call->state;

	/* Nobody waits: perhaps because schedd ends, and its stores with it. */
	while (connection_is_open(call->connection) && stats->next < stats->stores.array.count) {
		const struct value *map = &stats->stores.array.items[stats->next++];
		const char *name = value_get_string(map, "name");
		struct store *store = name ? scheduler_store(call->scheduler, name) : NULL;

		/* What another keeps for it that one counts. */
		if (!store || store_history(store))
			continue;
		/* Known to be away: its answer, that it is, would be long in coming. */
		if (store_is_away(store) && stats->stores.array.count > 1) {
			schedd_error_set(&stats->err, SCHEDD_EFAILED, "%s", store_state_why(store));
			value_append(&call->arena, &stats->missing, *value_get(map, "name"));
			continue;
		}
		store_query_stats(store, stats->job, stats->since, rpc_stats_came, call);
		return;
	}
	/* Nothing at all is no answer where something may be there. */
	if (stats->missing.array.count && !stats->jobs.array.count) {
		rpc_call_fail(call, &stats->err);
		return;
	}
	value_put(&call->arena, &stats->answer, "jobs", stats->jobs);
	if (stats->missing.array.count)
		value_put(&call->arena, &stats->answer, "missing", stats->missing);
	rpc_call_answer_built(call, &stats->answer);
}

void rpc_server_stats(struct rpc_call *call)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct rpc_stats *stats = arena_alloc(&call->arena, sizeof(*stats));
	schedd_time since;

	if (!rpc_call_time(call, "since", clock->wall(clock->context) - SCHEDD_DAY, &since))
		return;
	if (!stats) {
		rpc_call_answer_built(call, &call->params);
		return;
	}
	stats->since = since;
	stats->job = rpc_call_text(call, "id");
	stats->answer = value_map();
	stats->jobs = stats->missing = value_array();
	stats->stores = scheduler_stores(call->scheduler, &call->arena);
	call->state = stats;
	value_put(&call->arena, &stats->answer, "since", value_int(since));
	value_put(&call->arena, &stats->answer, "counters", rpc_view_scheduler(call));
	rpc_stats_step(call);
}

/* ---- Reload, backup, shutdown ---- */

static void rpc_reload_answer(
    struct rpc_call *call, const struct value *changed, const struct value *restart, bool exec)
{
	struct value map = value_map();

	value_put(&call->arena, &map, "changed", *changed);
	value_put(&call->arena, &map, "restart", *restart);
	value_put(&call->arena, &map, "exec", value_bool(exec));
	rpc_call_answer(call, &map);
}

static void rpc_reload_done(int rc, const struct schedd_error *err, const struct value *changed,
    const struct value *restart, void *context)
{
	struct rpc_call *call = context;

	if (rc)
		rpc_call_fail(call, err);
	else
		rpc_reload_answer(call, changed, restart, false);
}

void rpc_server_reload(struct rpc_call *call)
{
	const struct value none = value_array();
	struct schedd_error err;

	if (!rpc_call_bool(call, "exec"))
		daemon_reload(call->daemon, &call->actor, rpc_reload_done, call);
	else if (daemon_reexec(call->daemon, &err))
		rpc_call_fail(call, &err);
	else
		rpc_reload_answer(call, &none, &none, true);
}

static void rpc_backup_done(int rc, const struct schedd_error *err, void *context)
{
	struct rpc_call *call = context;
	struct value map = value_map();
	const char *path = rpc_call_text(call, "path");
	const char *store = rpc_call_text(call, "store");
	struct stat st;

	if (rc) {
		rpc_call_fail(call, err);
		return;
	}
	value_put(&call->arena, &map, "path", value_string_ref(path));
	value_put(&call->arena, &map, "store", value_string_ref(store ? store : "default"));
	value_put(&call->arena, &map, "bytes",
	    stat(path, &st) == 0 ? value_int(st.st_size) : value_nil());
	rpc_call_answer(call, &map);
}

static void rpc_dump_done(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct rpc_call *call = context;
	const char *path = rpc_call_text(call, "path");
	struct value map = value_map();
	struct stat st;

	if (rc) {
		rpc_call_fail(call, err);
		return;
	}
	if (result->type == VALUE_NIL) {
		rpc_call_answer(call, result);
		return;
	}
	for (uint32_t i = 0; i < result->map.count; i++)
		value_put(&call->arena, &map, result->map.members[i].key, result->map.members[i].value);
	value_put(&call->arena, &map, "bytes",
	    stat(path, &st) == 0 ? value_int(st.st_size) : value_nil());
	rpc_call_answer(call, &map);
}

void rpc_server_restore(struct rpc_call *call)
{
	const char *path = rpc_call_text(call, "path");
	const char *name = rpc_call_text(call, "store");
	struct schedd_error err;

	if (path[0] == '/') {
		scheduler_undump(call->scheduler, name ? name : "default", path,
		    rpc_call_bool(call, "replace"), &call->actor, rpc_call_reply(call));
		return;
	}
	schedd_error_set(&err, SCHEDD_EINVAL,
	    "server.restore: '%.256s' is no absolute path: schedd's working directory is not yours",
	    path);
	rpc_call_fail(call, &err);
}

void rpc_server_backup(struct rpc_call *call)
{
	const char *path = rpc_call_text(call, "path");
	const char *name = rpc_call_text(call, "store");
	struct store *store = scheduler_store(call->scheduler, name ? name : "default");
	struct schedd_error err;

	if (path[0] != '/') {
		schedd_error_set(&err, SCHEDD_EINVAL,
		    "server.backup: '%.256s' is no absolute path: schedd's working directory is "
		    "not "
		    "yours",
		    path);
		rpc_call_fail(call, &err);
	} else if (!store) {
		schedd_error_set(
		    &err, SCHEDD_ENOTFOUND, "no store '%.64s'", name ? name : "default");
		rpc_call_fail(call, &err);
	} else if (rpc_call_bool(call, "logical") || store_remote(store)) {
		scheduler_dump(call->scheduler, name ? name : "default", path,
		    (struct scheduler_reply){rpc_dump_done, call});
	} else {
		store_backup(store, path, rpc_backup_done, call);
	}
}

void rpc_server_shutdown(struct rpc_call *call)
{
	static const char *const modes[] = {"limit", "wait", "now"};
	bool wait = rpc_call_bool(call, "wait"), now = rpc_call_bool(call, "now");
	enum daemon_stop how = now ? DAEMON_STOP_NOW : wait ? DAEMON_STOP_WAIT : DAEMON_STOP_LIMIT;
	struct daemon *daemon = call->daemon;
	struct value map = value_map(), status;
	struct schedd_error err;

	if (wait && now) {
		schedd_error_set(
		    &err, SCHEDD_EINVAL, "server.shutdown: wait and now exclude each other");
		rpc_call_fail(call, &err);
		return;
	}
	status = scheduler_status(call->scheduler, &call->arena);
	log_info(daemon_log(daemon), "shutdown asked for by uid %lld, pid %lld",
	    (long long)call->actor.uid, (long long)call->actor.pid);
	value_put(&call->arena, &map, "mode", value_string_ref(modes[how]));
	value_put(&call->arena, &map, "running", value_int(value_get_int(&status, "running", 0)));
	connection_hold_to_the_end(call->connection);
	/* It stops, whatever can be said of it. */
	rpc_call_answer(call, &map);
	daemon_stop(daemon, how);
}

static void rpc_server_set_paused(struct rpc_call *call, bool paused)
{
	struct value answer = value_map();

	value_put(&call->arena, &answer, "paused", value_bool(paused));
	scheduler_set_paused(
	    call->scheduler, paused, &call->actor, rpc_call_reply_with(call, answer));
}

void rpc_server_pause(struct rpc_call *call)
{
	rpc_server_set_paused(call, true);
}

void rpc_server_resume(struct rpc_call *call)
{
	rpc_server_set_paused(call, false);
}

/* What was said elsewhere than in the config beats it. */
static void rpc_config_said(
    const struct value *settings, const char *key, const char *text, const char *origin)
{
	for (uint32_t i = 0; i < settings->array.count; i++) {
		struct value *row = &settings->array.items[i];

		for (uint32_t j = 0; j < row->map.count && value_is_text(value_get(row, "key"), key); j++) {
			struct value_member *member = &row->map.members[j];

			if (strcmp(member->key, "value") == 0 || strcmp(member->key, "text") == 0)
				member->value = value_string_ref(text);
			else if (strcmp(member->key, "origin") == 0)
				member->value = value_string_ref(origin);
		}
	}
}

void rpc_server_config(struct rpc_call *call)
{
	const struct config *config = daemon_config(call->daemon);
	const struct paths *paths = daemon_paths(call->daemon);
	const char *key = rpc_call_text(call, "key");
	struct value map = config_show_value(config, key, &call->arena);
	const struct value *settings = value_get(&map, "settings");
	const struct options *options = daemon_options(call->daemon);
	const struct {
		const char *key, *text, *origin;
	} said[] = {
	    {"socket", paths->socket, paths->socket_origin},
	    {"state_dir", paths->state_dir, paths->state_dir_origin},
	    {"log.level", options->log_level, "--log-level"},
	    {"log.format", options->log_format, "--log-format"},
	    {"log.file", options->log_file, "--log-file"},
	};
	struct schedd_error err;

	if (key && settings->array.count == 0) {
		schedd_error_set(&err, SCHEDD_ENOTFOUND,
		    "no setting '%.64s'; schedd --help-config lists them all", key);
		rpc_call_fail(call, &err);
		return;
	}
	/* How things really are, and who said so, is known only since the start. */
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (said[i].text)
			rpc_config_said(settings, said[i].key, said[i].text, said[i].origin);
	rpc_call_answer_built(call, &map);
}
