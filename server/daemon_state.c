/* SPDX-License-Identifier: MIT */
/* What requests may know of the daemon and ask of it: ground for daemon.c, which controls it. */
#include "store/store_url.h"
#include "server/daemon_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>
#include "base/log.h"
#include "core/scheduler.h"
#include "loop/offloop.h"
#include "server/users.h"

#define DAEMON_WORKS 16 /* off the loop at one time */

struct schedd_scheduler *daemon_scheduler(struct daemon *daemon)
{
	return daemon->scheduler;
}

const struct schedd_log *daemon_log(const struct daemon *daemon)
{
	return &daemon->setup.sink->log;
}

const struct config *daemon_config(const struct daemon *daemon)
{
	return daemon->setup.config;
}

const struct options *daemon_options(const struct daemon *daemon)
{
	return daemon->setup.options;
}

const struct paths *daemon_paths(const struct daemon *daemon)
{
	return daemon->setup.paths;
}

struct cron_tables *daemon_cron(const struct daemon *daemon)
{
	return daemon->cron;
}

struct offloop *daemon_offloop(struct daemon *daemon)
{
	if (!daemon->offloop)
		daemon->offloop = offloop_new(daemon->loop, DAEMON_WORKS, NULL);
	return daemon->offloop;
}

struct web_link *daemon_web(const struct daemon *daemon)
{
	return daemon->web;
}

bool daemon_is_stopping(const struct daemon *daemon)
{
	return daemon->stopping;
}

/* Puts the file's whole path into the store; *own is to be freed. */
static int daemon_place_store(struct daemon *daemon, struct scheduler_new_store *store, char **own,
    struct schedd_error *err)
{
	const char *directory = daemon->setup.paths->state_dir;
	const char *name = store->name, *type = store->type, *path = store->path;
	int length = 0;

	*own = NULL;
	if (path && strcmp(type, "memory") == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': a memory store is kept in no file: no path", name);
	if (path && path[0] != '/')
		length = asprintf(own, "%s/%s", directory, path);
	else if (!path && strcmp(type, "sqlite") == 0)
		length = asprintf(own, "%s/%s.db", directory, name);
	if (length < 0) {
		*own = NULL;
		return schedd_error_nomem(err);
	}
	if (*own)
		store->path = *own;
	return 0;
}

int daemon_add_store(
    struct daemon *daemon, const struct scheduler_new_store *store, struct schedd_error *err)
{
	struct scheduler_new_store made = *store;
	char *own;
	int rc = daemon_place_store(daemon, &made, &own, err);

	if (!rc)
		rc = scheduler_add_store(daemon->scheduler, &made, NULL, err);
	free(own);
	return rc;
}

void daemon_add_store_live(struct daemon *daemon, const struct scheduler_new_store *store,
    const struct scheduler_actor *actor, struct scheduler_reply reply)
{
	struct scheduler_new_store made = *store;
	struct schedd_error err;
	char *own;
	int rc = daemon_place_store(daemon, &made, &own, &err);

	if (rc)
		reply.call(rc, &err, NULL, reply.context);
	else
		scheduler_add_store_live(daemon->scheduler, &made, actor, reply);
	free(own);
}

/* With the options of one on a server, as they stand in the config. */
int daemon_add_configured_store(
    struct daemon *daemon, const struct config_store *config, struct schedd_error *err)
{
	const struct config_node *node = &daemon->setup.config->node;
	struct strbuf run_as = STRBUF_EMPTY;
	struct store_option options[] = {{"prefix", config->prefix},
	    {"compact", config->compact},
	    {"connect_timeout", config->connect_timeout}, {"timeout", config->timeout},
	    {"lease", config->lease}, {"outbox", config->outbox}, {"password_file", config->password_file},
	    {"tls_ca", config->tls_ca}, {"tls_cert", config->tls_cert},
	    {"tls_key", config->tls_key}, {"run_as", NULL},
	    {"shared", config->shared ? "true" : NULL},
	    {"node", config->shared ? node->name : NULL},
	    {"labels", config->shared ? node->labels : NULL}, {NULL, NULL}};
	struct scheduler_new_store store = {.name = config->name,
	    .type = config->type,
	    .path = config->path,
	    .url = config->url,
	    .options = options,
	    .history = config->history};
	size_t count = 0;
	int rc;

	for (const char *const *name = config->run_as; name && *name; name++)
		strbuf_printf(&run_as, "%s%s", run_as.length ? "," : "", *name);
	for (size_t i = 0; i + 1 < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, "run_as") == 0 && run_as.length)
			options[i].text = strbuf_peek(&run_as);
		if (options[i].text)
			options[count++] = options[i];
	}
	options[count] = (struct store_option){NULL, NULL};
	if (!config->url && count)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "store '%s': %s is for stores on servers",
		    config->name, options[0].name);
	else
		rc = daemon_add_store(daemon, &store, err);
	/* The store has taken the password, and nobody else needs it. */
	store_url_blot(config->url);
	strbuf_clear(&run_as);
	return rc;
}

int daemon_admit(struct daemon *daemon, const struct config *config, struct schedd_error *err)
{
	const struct paths *paths = daemon->setup.paths;

	return listener_admit(
	    paths->socket, users_are_served(&config->users), !paths->socket_explicit, err);
}

static void daemon_on_accounts(void *context)
{
	struct daemon *daemon = context;
	uint32_t changed = scheduler_review_accounts(daemon->scheduler);

	/* Who has left a group is no operator any more, also where it is connected already. */
	if (daemon->rpc)
		rpc_judge_anew(daemon->rpc);
	if (changed)
		log_info(daemon_log(daemon), "%u account%s whose jobs are held, or no longer held",
		    changed, changed == 1 ? "" : "s");
}

static void daemon_review_accounts(evutil_socket_t fd, short what, void *context)
{
	struct daemon *daemon = context;

	(void)fd;
	(void)what;
	(void)scheduler_review_accounts(daemon->scheduler);
}

void daemon_accounts_again(struct daemon *daemon)
{
	static const struct timeval later = {.tv_sec = 1};

	if (!daemon->accounts_again)
		daemon->accounts_again = event_new(daemon->base, -1, 0, daemon_review_accounts, daemon);
	/* Without memory the next change of accounts has to be enough. */
	if (daemon->accounts_again && !event_pending(daemon->accounts_again, EV_TIMEOUT, NULL))
		(void)event_add(daemon->accounts_again, &later);
}

int daemon_watch_accounts(struct daemon *daemon, struct schedd_error *err)
{
	daemon_on_accounts(daemon);
	if (daemon->account_watch || !(users_are_served(&daemon->setup.config->users) ||
					 daemon->setup.config->cron.tables))
		return 0;
	return account_watch_new(daemon->base, daemon_log(daemon), daemon_on_accounts, daemon,
	    &daemon->account_watch, err);
}

/* ---- Control ---- */

void daemon_stop(struct daemon *daemon, enum daemon_stop how)
{
	daemon->control->stop(daemon, how);
}

int daemon_reexec(struct daemon *daemon, struct schedd_error *err)
{
	return daemon->control->reexec(daemon, err);
}

void daemon_reload(
    struct daemon *daemon, const struct scheduler_actor *actor, reload_fn done, void *context)
{
	daemon->control->reload(daemon, actor, done, context);
}
