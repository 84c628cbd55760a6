/* SPDX-License-Identifier: MIT */
/* The stores and executors that a daemon begins with. */
#include "server/daemon_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <schedd/scheduler.h>
#include "core/scheduler.h"
#include "model/job_fields.h"

/* The default store and executor, and the memory store, unless the config says something else. */
static int daemon_add_defaults(struct daemon *daemon, struct schedd_error *err)
{
	const struct config *config = daemon->setup.config;
	bool has_default = false, has_memory = false, has_executor = false;
	char *path = NULL;
	int rc = 0;

	for (uint32_t i = 0; i < config->store_count; i++) {
		has_default |= strcmp(config->stores[i].name, "default") == 0;
		has_memory |= strcmp(config->stores[i].name, "memory") == 0;
	}
	for (uint32_t i = 0; i < config->executor_count; i++)
		has_executor |= strcmp(config->executors[i].name, "default") == 0;
	if (asprintf(&path, "%s/default.db", daemon->setup.paths->state_dir) < 0)
		return schedd_error_nomem(err);
	if (!has_default)
		rc = schedd_scheduler_add_store(daemon->scheduler, "default", "sqlite", path, err);
	if (!rc && !has_memory)
		rc = schedd_scheduler_add_store(daemon->scheduler, "memory", "memory", NULL, err);
	if (!rc && !has_executor)
		rc = schedd_scheduler_add_executor(
		    daemon->scheduler, "default", "subprocess", 0, err);
	free(path);
	return rc;
}

/* What its processes are given, as a job that does nothing. */
static int daemon_make_world(
    const struct config_executor *executor, struct schedd_job *world, struct schedd_error *err)
{
	const struct {
		const char *field;
		const struct value *value;
	} rows[] = {
	    {"cwd", &executor->cwd},
	    {"env", &executor->env},
	    {"user", &executor->user},
	    {"umask", &executor->umask},
	    {"nice", &executor->nice},
	    {"rlimits", &executor->rlimits},
	};
	const struct job_fields_context context = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value->type != VALUE_NIL)
			rc = job_fields_set(world, NULL, job_fields_find(rows[i].field),
			    rows[i].value, &context, err);
	return rc;
}

static int daemon_add_executor(
    struct daemon *daemon, const struct config_executor *executor, struct schedd_error *err)
{
	struct worker_config worker = executor->worker;
	struct schedd_job *world = schedd_job_new();
	int rc = world ? daemon_make_world(executor, world, err) : schedd_error_nomem(err);

	worker.world = world;
	worker.users = executor->users;
	if (!rc)
		rc = scheduler_add_executor(daemon->scheduler, executor->name, executor->type,
		    executor->max_workers, &worker, NULL, err);
	job_unref(world);
	return rc;
}

int daemon_add_parts(struct daemon *daemon, struct schedd_error *err)
{
	const struct config *config = daemon->setup.config;
	int rc = daemon_add_defaults(daemon, err);

	/* First those that others may keep their runs in. */
	for (int apart = 0; apart <= 1; apart++)
		for (uint32_t i = 0; !rc && i < config->store_count; i++)
			if (config_store_apart(&config->stores[i]) == apart)
				rc = daemon_add_configured_store(daemon, &config->stores[i], err);
	for (uint32_t i = 0; !rc && i < config->executor_count; i++)
		rc = daemon_add_executor(daemon, &config->executors[i], err);
	/* It is the config that asks for what makes no sense. */
	return rc == SCHEDD_EINVAL ? SCHEDD_EFILE : rc;
}
