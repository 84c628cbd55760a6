/* SPDX-License-Identifier: MIT */
/*
 * Functions of any language, called in processes that stay (see WORKER.md).
 * What is the same for all calls (account, directory, environment) is the
 * executor's affair: a job that asks for its own is refused. Each account whose
 * jobs it calls has a pool of its own, of processes that run as that account.
 */
#include <stdlib.h>
#include <string.h>
#include "base/strmap.h"
#include "executor/executor_ops.h"
#include "executor/worker_pool.h"

struct exec_worker {
	struct executor executor;
	struct worker_world *world;
	struct worker_pool *pool;   /* of the daemon's own jobs */
	struct strmap accounts;     /* pools of accounts, by their names */
};

static const char *exec_worker_key(const void *item)
{
	return worker_pool_user(item);
}

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
	/* Where each account has so many, its own limit of runs is what counts. */
	if (!worker->users &&
	    (executor->config.max_workers == 0 || executor->config.max_workers > seats))
		executor->config.max_workers = seats;
	strmap_init(&self->accounts, exec_worker_key);
	self->pool = worker_pool_new(executor, self->world, NULL, err);
	return self->pool ? 0 : err->code;
}

static void exec_worker_close(struct executor *executor)
{
	struct exec_worker *self = (struct exec_worker *)executor;

	struct worker_pool *pool;
	uint32_t position = 0;

	/* All are told to end before one is waited for. */
	worker_pool_dismiss(self->pool);
	while ((pool = strmap_next(&self->accounts, &position)))
		worker_pool_dismiss(pool);
	position = 0;
	while ((pool = strmap_next(&self->accounts, &position)))
		worker_pool_free(pool);
	strmap_clear(&self->accounts);
	worker_pool_free(self->pool);
	worker_world_free(self->world);
}

/* Of the job's account, made when its first call comes. NULL and *err: it cannot be. */
static struct worker_pool *exec_worker_pool(
    struct exec_worker *self, const struct schedd_job *job, struct schedd_error *err)
{
	size_t length = job->id ? job_id_account(job->id) : 0;
	char name[JOB_ACCOUNT_MAX + 1];
	struct worker_pool *pool;

	if (length == 0 || length > JOB_ACCOUNT_MAX)
		return self->pool;
	memcpy(name, job->id, length);
	name[length] = '\0';
	pool = strmap_get(&self->accounts, name);
	if (pool)
		return pool;
	pool = worker_pool_new(&self->executor, self->world, name, err);
	if (pool && strmap_put(&self->accounts, pool)) {
		worker_pool_free(pool);
		schedd_error_nomem(err);
		return NULL;
	}
	return pool;
}

/* What only a process of its own could be given. */
static const char *exec_worker_own(const struct job_details *details, bool account)
{
	const struct {
		const char *field;
		bool given;
	} rows[] = {
	    {"cwd", details->cwd != NULL},
	    {"env", details->env.count > 0},
	    {"user", details->user != NULL && !account}, /* an account's jobs all name it */
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
	const char *own = exec_worker_own(job_details(job), job->id && job_id_account(job->id));

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
	struct schedd_error err;
	struct worker_pool *pool =
	    exec_worker_pool((struct exec_worker *)executor, request->job, &err);

	return pool ? worker_pool_start(pool, request)
		    : executor_fail(executor, request, "out of memory");
}

static struct task *exec_worker_resume(struct executor *executor,
    const struct task_request *request, const struct value *from, struct schedd_error *err)
{
	struct worker_pool *pool =
	    exec_worker_pool((struct exec_worker *)executor, request->job, err);

	return pool ? worker_pool_resume(pool, request, from, err) : NULL;
}

static bool exec_worker_owns(const struct executor *executor, pid_t pid)
{
	const struct exec_worker *self = (const struct exec_worker *)executor;
	const struct worker_pool *pool;
	bool owns = worker_pool_owns(self->pool, pid);

	for (uint32_t position = 0; !owns && (pool = strmap_next(&self->accounts, &position));)
		owns = worker_pool_owns(pool, pid);
	return owns;
}

static void exec_worker_restart(struct executor *executor)
{
	struct exec_worker *self = (struct exec_worker *)executor;
	struct worker_pool *pool;

	worker_pool_restart(self->pool);
	for (uint32_t position = 0; (pool = strmap_next(&self->accounts, &position));)
		worker_pool_restart(pool);
}

static void exec_worker_status(
    const struct executor *executor, struct arena *arena, struct value *map)
{
	const struct exec_worker *self = (const struct exec_worker *)executor;
	struct value accounts = value_array();
	const struct worker_pool *pool;

	worker_pool_status(self->pool, arena, map);
	if (!worker_world_config(self->world)->users)
		return;
	for (uint32_t position = 0; (pool = strmap_next(&self->accounts, &position));) {
		struct value one = value_map();

		value_put(arena, &one, "account", value_string(arena, worker_pool_user(pool)));
		worker_pool_status(pool, arena, &one);
		value_append(arena, &accounts, one);
	}
	value_put(arena, map, "accounts", accounts);
}

static bool exec_worker_serves(const struct executor *executor)
{
	return worker_world_config(((const struct exec_worker *)executor)->world)->users;
}

const struct executor_ops exec_worker_ops = {
    .type = "worker",
    .kinds = EXECUTOR_KIND(JOB_CALL),
    .keywords = true,
    .output = true,
    .size = sizeof(struct exec_worker),
    .setup = exec_worker_setup,
    .close = exec_worker_close,
    .serves = exec_worker_serves,
    .accepts = exec_worker_accepts,
    .start = exec_worker_start,
    .signal = worker_pool_signal,
    .waits = worker_pool_waits,
    .release = worker_pool_release,
    .resume = exec_worker_resume,
    .owns = exec_worker_owns,
    .restart = exec_worker_restart,
    .status = exec_worker_status,
};
