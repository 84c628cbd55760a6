/* SPDX-License-Identifier: MIT */
#include "server/web_link.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/dynlib.h"
#include "core/scheduler.h"
#include "loop/offloop.h"
#include "server/daemon.h"
#include "server/daemon_state.h"
#include "server/paths.h"
#include "server/rpc/connection.h"
#include "server/rpc/rpc_state.h"
#include "server/users.h"

struct web_link {
	struct daemon *daemon;
	struct rpc *rpc;
	const struct web_ops *ops;
	struct web *web;
	struct web_host host;
	struct offloop *offloop; /* NULL: nothing was to be done off the loop yet */
};

#define WEB_LINK_WORKS 64 /* off the loop at one time */

/* ---- What is offered to the module ---- */

static struct connection *web_link_connect(void *context, const struct web_identity *identity,
    const struct connection_sink *sink, void *sink_context, struct schedd_error *err)
{
	struct web_link *link = context;
	struct users_caller caller;
	struct connection *connection;

	if (users_vouch(&daemon_config(link->daemon)->users, identity->role, identity->account,
		&caller, err))
		return NULL;
	connection = connection_local_open(link->rpc, &caller, getpid(), sink, sink_context);
	if (!connection)
		schedd_error_nomem(err);
	return connection;
}

static bool web_link_drained(struct connection *connection)
{
	struct schedd_error err;

	if (connection_judge(connection, &err))
		return false;
	connection_drained(connection);
	return true;
}

static void web_link_call(struct connection *connection, uint32_t msgid, const char *method,
    struct arena *arena, const struct value *params, size_t bytes)
{
	rpc_local_call(
	    connection_rpc(connection), connection, msgid, method, arena, params, bytes);
}

static bool web_link_ready(void *context, const char **reason)
{
	const struct web_link *link = context;

	*reason = "stopping\n";
	return !daemon_is_stopping(link->daemon);
}

static bool web_link_work(void *context, struct offloop_work *work)
{
	struct web_link *link = context;

	if (!link->offloop)
		link->offloop = offloop_new(link->daemon->loop, WEB_LINK_WORKS, NULL);
	return link->offloop && offloop_start(link->offloop, work);
}

static uint64_t web_link_generation(void *context)
{
	const struct web_link *link = context;

	return scheduler_touched(daemon_scheduler(link->daemon)) ^
	       (uint64_t)rpc_generation(link->rpc) << 40;
}

static void web_link_denied(void *context, const char *text)
{
	const struct web_link *link = context;

	scheduler_say(
	    daemon_scheduler(link->daemon), SCHEDD_EVENT_ACCESS_DENIED, NULL, text);
}

/* ---- Life ---- */

int web_link_open(struct daemon *daemon, struct rpc *rpc, const struct web_config *config,
    struct web_link **out, struct schedd_error *err)
{
	const struct schedd_module *module;
	struct web_link *link;
	int rc;

	*out = NULL;
	if (!config->listen)
		return 0;
	rc = dynlib_module("web", &module, err);
	if (rc) {
		schedd_error_prefix(err, "http.listen needs the module schedd_web");
		return SCHEDD_EFILE;
	}
	link = calloc(1, sizeof(*link));
	if (!link)
		return schedd_error_nomem(err);
	link->daemon = daemon;
	link->rpc = rpc;
	link->ops = module->service;
	link->host = (struct web_host){
	    .context = link,
	    .base = rpc_base(rpc),
	    .log = daemon_log(daemon),
	    .open = web_link_connect,
	    .close = connection_local_close,
	    .drained = web_link_drained,
	    .full = connection_is_full,
	    .call = web_link_call,
	    .ready = web_link_ready,
	    .generation = web_link_generation,
	    .state_dir = daemon_paths(daemon)->state_dir,
	    .work = web_link_work,
	    .leave = offloop_leave,
	    .denied = web_link_denied,
	};
	rc = link->ops->open(config, &link->host, &link->web, err);
	if (rc) {
		free(link);
		return rc;
	}
	*out = link;
	return 0;
}

void web_link_close(struct web_link *link)
{
	if (!link)
		return;
	link->ops->close(link->web);
	offloop_free(link->offloop);
	free(link);
}

int web_link_reload(
    struct web_link *link, const struct web_config *config, struct schedd_error *err)
{
	return link ? link->ops->reload(link->web, config, err) : 0;
}

struct value web_link_status(const struct web_link *link, struct arena *arena)
{
	struct value map = value_map();

	if (!link)
		return value_nil();
	link->ops->status(link->web, arena, &map);
	return map;
}

/* ---- Tokens ---- */

static int web_link_missing(struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_ECONFLICT,
	    "HTTP is off: set http.listen and http.tokens in the config and restart schedd");
}

int web_link_token_add(struct web_link *link, const char *name, const char *role,
    const char *account, struct arena *arena, struct value *answer, struct schedd_error *err)
{
	return link ? link->ops->token_add(link->web, name, role, account, arena, answer, err)
		    : web_link_missing(err);
}

int web_link_token_list(
    struct web_link *link, struct arena *arena, struct value *answer, struct schedd_error *err)
{
	return link ? link->ops->token_list(link->web, arena, answer, err) : web_link_missing(err);
}

int web_link_token_remove(struct web_link *link, const char *name, struct schedd_error *err)
{
	return link ? link->ops->token_remove(link->web, name, err) : web_link_missing(err);
}
