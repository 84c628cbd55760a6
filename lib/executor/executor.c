/* SPDX-License-Identifier: MIT */
/* The registry of backends and what is the same for all of them. */
#include "executor/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/dynlib.h"
#include "executor/executor_ops.h"

#define EXECUTOR_DRAIN (2 * SCHEDD_SECOND)

static const struct executor_ops *const executor_types[] = {
    &exec_subprocess_ops,
    &exec_worker_ops,
    &exec_function_ops,
    &exec_threadpool_ops,
};

#define EXECUTOR_TYPES (sizeof(executor_types) / sizeof(executor_types[0]))

static const struct {
	const char *what; /* in a sentence */
	const char *type; /* which executor does it */
} executor_kinds[] = {
    [JOB_COMMAND] = {"a command", "subprocess"},
    [JOB_SHELL] = {"a shell line", "subprocess"},
    [JOB_CALL] = {"a call", "worker, function or threadpool"},
    [JOB_HTTP] = {"a request", "http"},
};

/* The type that comes with schedd as a module, as not everybody has libcurl. */
#define EXECUTOR_MODULE "http"

static int executor_unknown(const char *type, struct schedd_error *err)
{
	char known[256] = "";

	for (size_t i = 0; i < EXECUTOR_TYPES; i++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "",
		    executor_types[i]->type);
	return schedd_error_set(err, SCHEDD_EINVAL, "executor type '%s' is not known, take %s or %s", type,
	    known, EXECUTOR_MODULE);
}

/* A type that is not built in is a module, loaded when it is first asked for. */
static int executor_find(
    const char *type, const struct executor_ops **out, struct schedd_error *err)
{
	const struct schedd_module *module;
	int rc;

	for (size_t i = 0; i < EXECUTOR_TYPES; i++) {
		if (strcmp(executor_types[i]->type, type) == 0) {
			*out = executor_types[i];
			return 0;
		}
	}
	rc = dynlib_module(type, &module, err);
	if (rc == SCHEDD_ENOTFOUND && strcmp(type, EXECUTOR_MODULE) == 0)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "executor type '%s' is not installed: its module schedd_%s.so, which schedd is "
		    "built with where libcurl is, is not in %s",
		    type, type, dynlib_directory());
	if (rc == SCHEDD_ENOTFOUND)
		return executor_unknown(type, err);
	if (rc < 0)
		return rc;
	if (!module->executor)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "module '%s' is no executor", module->name);
	*out = module->executor;
	return 0;
}

int executor_type_check(const char *type, struct schedd_error *err)
{
	const struct executor_ops *ops;

	return executor_find(type, &ops, err);
}

int executor_open(
    const struct executor_config *config, struct executor **out, struct schedd_error *err)
{
	const struct executor_ops *ops = NULL;
	struct executor *executor;
	int rc = executor_find(config->type, &ops, err);

	if (rc < 0)
		return rc;
	executor = calloc(1, ops->size);
	if (!executor)
		return schedd_error_nomem(err);
	executor->ops = ops;
	executor->config = *config;
	executor->config.type = ops->type;
	executor->config.inherit = NULL;
	executor->config.cgroup = NULL;
	executor->config.worker = NULL;
	if (!config->clock)
		executor->config.clock = schedd_clock_system();
	if (config->drain == 0)
		executor->config.drain = EXECUTOR_DRAIN;
	executor->config.name = strdup(config->name);
	if (!executor->config.name) {
		free(executor);
		return schedd_error_nomem(err);
	}
	rc = ops->setup(executor, config, err);
	if (rc < 0)
		executor_close(executor);
	else
		*out = executor;
	return rc;
}

void executor_close(struct executor *executor)
{
	if (!executor)
		return;
	executor->ops->close(executor);
	free((char *)(uintptr_t)executor->config.name);
	free(executor);
}

uint32_t executor_max_workers(const struct executor *executor)
{
	return executor->config.max_workers;
}

const char *executor_waits(const struct task *task)
{
	const struct executor_ops *ops = task->executor->ops;

	return ops->waits ? ops->waits(task) : NULL;
}

uint32_t executor_busy(const struct executor *executor)
{
	return executor->busy;
}

static bool executor_is_account_s(const struct schedd_job *job)
{
	return job->id && job_id_account(job->id) > 0;
}

/* What accounts ask for is done in processes of theirs, or not at all. */
static int executor_serves(const struct executor *executor, const struct schedd_job *job,
    bool account, struct schedd_error *err)
{
	bool inside = job->kind == JOB_CALL || job->kind == JOB_HTTP;

	if (!inside || !account ||
	    (executor->ops->serves && executor->ops->serves(executor)))
		return 0;
	if (job->kind == JOB_HTTP)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "http: executor '%s' makes requests inside the daemon, which is for an "
		    "administrator's jobs alone: leave executor out, or name one of type subprocess",
		    executor->config.name);
	if (!executor->ops->serves)
		return schedd_error_set(err, SCHEDD_EPERM,
		    "call: only root's jobs may run code inside the daemon, as executor '%s' does: an "
		    "administrator decides, who may open one of type worker to users",
		    executor->config.name);
	return schedd_error_set(err, SCHEDD_EPERM,
	    "call: executor '%s' serves only root's jobs: an administrator decides "
	    "(executors.%s.users: true in the config, and a restart)",
	    executor->config.name, executor->config.name);
}

/* Is that kind of job its business at all? */
static int executor_can(
    const struct executor *executor, const struct schedd_job *job, struct schedd_error *err)
{
	const struct executor_ops *ops = executor->ops;
	bool account = executor_is_account_s(job), request = job->kind == JOB_HTTP;

	if (account && ops->account_kinds & EXECUTOR_KIND(job->kind))
		return 0;
	if (ops->kinds & EXECUTOR_KIND(job->kind))
		return executor_serves(executor, job, account, err);
	/* Advice that cannot be followed here helps nobody. */
	if (request && !account && executor_find(EXECUTOR_MODULE, &ops, err) != 0)
		return SCHEDD_EINVAL;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "executor '%s' of type %s cannot do %s, that needs one of type %s",
	    executor->config.name, executor->ops->type, executor_kinds[job->kind].what,
	    request && account ? "subprocess" : executor_kinds[job->kind].type);
}

int executor_accepts(
    const struct executor *executor, const struct schedd_job *job, struct schedd_error *err)
{
	int rc = executor_can(executor, job, err);

	if (!rc && job->kind == JOB_CALL && job->call->kwargs && !executor->ops->keywords)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "call: kwargs: a C function takes args alone; functions of an executor of type "
		    "worker have both");
	return rc || !executor->ops->accepts ? rc : executor->ops->accepts(executor, job, err);
}

struct task *executor_start(struct executor *executor, const struct task_request *request)
{
	struct schedd_error err;

	/* Counting references takes a tenth of what a short function does. */
	if (!executor->ops->at_once)
		job_ref(request->job);
	executor->busy++;
	/* Whatever else accepts() looks at, start() meets by itself. */
	if (executor_can(executor, request->job, &err) < 0)
		return executor_fail(executor, request, err.message);
	return executor->ops->start(executor, request);
}

int executor_signal(struct task *task, int signal, struct schedd_error *err)
{
	return task->executor->ops->signal(task, signal, err);
}

bool executor_can_release(const struct executor *executor)
{
	return executor->ops->release != NULL;
}

struct value executor_release(struct task *task, struct arena *arena)
{
	struct executor *executor = task->executor;
	struct schedd_job *job = task->request->job;
	struct value map = value_map();

	executor->ops->release(task, arena, &map);
	executor->busy--;
	job_unref(job);
	return map;
}

struct task *executor_resume(struct executor *executor, const struct task_request *request,
    const struct value *from, struct schedd_error *err)
{
	struct task *task = NULL;

	if (!executor->ops->resume) {
		schedd_error_set(err, SCHEDD_EFAILED, "executor '%s' of type %s takes nothing over",
		    executor->config.name, executor->ops->type);
		return NULL;
	}
	task = executor->ops->resume(executor, request, from, err);
	if (!task)
		return NULL;
	job_ref(request->job);
	executor->busy++;
	return task;
}

bool executor_owns(const struct executor *executor, pid_t pid)
{
	return executor->ops->owns && executor->ops->owns(executor, pid);
}

bool executor_has_output(const struct executor *executor)
{
	return executor->ops->output;
}

bool executor_can_restart(const struct executor *executor)
{
	return executor->ops->restart != NULL;
}

int executor_restart(struct executor *executor, struct schedd_error *err)
{
	if (!executor->ops->restart)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "executor %s is of type %s, which keeps nothing running: only type worker does",
		    executor->config.name, executor->ops->type);
	executor->ops->restart(executor);
	return 0;
}

struct value executor_status(const struct executor *executor, struct arena *arena)
{
	struct value map = value_map();

	value_put(arena, &map, "name", value_string(arena, executor->config.name));
	value_put(arena, &map, "type", value_string_ref(executor->ops->type));
	value_put(arena, &map, "max_workers", value_int(executor->config.max_workers));
	value_put(arena, &map, "running", value_int(executor->busy));
	if (executor->ops->status)
		executor->ops->status(executor, arena, &map);
	return map;
}
