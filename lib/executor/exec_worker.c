/* SPDX-License-Identifier: MIT */
/*
 * Functions of any language, called in processes that stay (see WORKER.md).
 * What is the same for all calls (account, directory, environment) is the
 * executor's affair: a job that asks for its own is refused.
 */
#include <string.h>
#include "executor/executor_ops.h"
#include "executor/worker_pool.h"

struct exec_worker {
	struct executor executor;
	struct worker_world *world;
	struct worker_pool *pool;
};

static int exec_worker_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	struct exec_worker *self = (struct exec_worker *)executor;
	int rc = worker_world_new(&executor->config, config, &self->world, err);
	const struct worker_config *worker;
	uint32_t seats;

	if (rc)
		return rc;
	worker = worker_world_config(self->world);
	seats = worker->processes * worker->concurrency;
	if (executor->config.max_workers == 0 || executor->config.max_workers > seats)
		executor->config.max_workers = seats;
	self->pool = worker_pool_new(executor, self->world, NULL, err);
	return self->pool ? 0 : err->code;
}

static void exec_worker_close(struct executor *executor)
{
	struct exec_worker *self = (struct exec_worker *)executor;

	worker_pool_free(self->pool);
	worker_world_free(self->world);
}

/* What only a process of its own could be given. */
static const char *exec_worker_own(const struct job_details *details)
{
	const struct {
		const char *field;
		bool given;
	} rows[] = {
	    {"cwd", details->cwd != NULL},
	    {"env", details->env.count > 0},
	    {"user", details->user != NULL},
	    {"umask", details->umask >= 0},
	    {"nice", details->nice != 0},
	    {"rlimits", details->rlimit_count > 0},
	    {"stdin", details->stdin_path || details->stdin_text},
	    {"secrets", details->secrets.count > 0},
	    {"shell_path", details->shell_path != NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].given)
			return rows[i].field;
	return NULL;
}

static int exec_worker_accepts(
    const struct executor *executor, const struct schedd_job *job, struct schedd_error *err)
{
	const char *function = job->call->function, *colon = strchr(function, ':');
	const char *own = exec_worker_own(job_details(job));

	if (!colon || colon == function || !colon[1])
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "call '%s': a worker needs module:function", function);
	if (job->call->args && job->call->args[0] != '[')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "call: args: a worker needs a list of arguments, not %.32s; arguments by name "
		    "are kwargs",
		    job->call->args);
	if (own)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s: calls of executor '%s' share its processes: set it in the config, "
		    "executors.%s.%s",
		    own, executor->config.name, executor->config.name, own);
	return 0;
}

static struct task *exec_worker_start(
    struct executor *executor, const struct task_request *request)
{
	return worker_pool_start(((struct exec_worker *)executor)->pool, request);
}

static struct task *exec_worker_resume(struct executor *executor,
    const struct task_request *request, const struct value *from, struct schedd_error *err)
{
	return worker_pool_resume(((struct exec_worker *)executor)->pool, request, from, err);
}

static bool exec_worker_owns(const struct executor *executor, pid_t pid)
{
	return worker_pool_owns(((const struct exec_worker *)executor)->pool, pid);
}

static void exec_worker_restart(struct executor *executor)
{
	worker_pool_restart(((struct exec_worker *)executor)->pool);
}

static void exec_worker_status(
    const struct executor *executor, struct arena *arena, struct value *map)
{
	worker_pool_status(((const struct exec_worker *)executor)->pool, arena, map);
}

const struct executor_ops exec_worker_ops = {
    .type = "worker",
    .kinds = EXECUTOR_KIND(JOB_CALL),
    .keywords = true,
    .output = true,
    .size = sizeof(struct exec_worker),
    .setup = exec_worker_setup,
    .close = exec_worker_close,
    .accepts = exec_worker_accepts,
    .start = exec_worker_start,
    .signal = worker_pool_signal,
    .release = worker_pool_release,
    .resume = exec_worker_resume,
    .owns = exec_worker_owns,
    .restart = exec_worker_restart,
    .status = exec_worker_status,
};
