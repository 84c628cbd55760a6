/* SPDX-License-Identifier: MIT */
/* What requests may know of the daemon and ask of it: ground for daemon.c, which controls it. */
#include "server/daemon_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/scheduler.h"

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

const struct paths *daemon_paths(const struct daemon *daemon)
{
	return daemon->setup.paths;
}

struct cron_tables *daemon_cron(const struct daemon *daemon)
{
	return daemon->cron;
}

struct web_link *daemon_web(const struct daemon *daemon)
{
	return daemon->web;
}

bool daemon_is_stopping(const struct daemon *daemon)
{
	return daemon->stopping;
}

int daemon_add_store(struct daemon *daemon, const char *name, const char *type, const char *path,
    const struct scheduler_actor *actor, struct schedd_error *err)
{
	const char *directory = daemon->setup.paths->state_dir;
	char *own = NULL;
	int length = 0, rc;

	if (path && strcmp(type, "memory") == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': a memory store is kept in no file: no path", name);
	if (path && path[0] != '/')
		length = asprintf(&own, "%s/%s", directory, path);
	else if (!path && strcmp(type, "memory") != 0)
		length = asprintf(&own, "%s/%s.db", directory, name);
	if (length < 0)
		return schedd_error_nomem(err);
	rc = scheduler_add_store(daemon->scheduler, name, type, own ? own : path, actor, err);
	free(own);
	return rc;
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
