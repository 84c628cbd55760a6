/* SPDX-License-Identifier: MIT */
/* C functions called on the loop's thread: for short work that never blocks. */
#include "executor/executor_ops.h"

static int function_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	(void)executor;
	(void)config;
	(void)err;
	return 0;
}

static void function_close(struct executor *executor)
{
	(void)executor;
}

static int function_accepts(
    const struct executor *executor, const struct schedd_job *job, struct schedd_error *err)
{
	return function_table_check(executor->config.functions, job->call->function, err);
}

static struct task *function_start(struct executor *executor, const struct task_request *request)
{
	const struct job_call *job_call = request->job->call;
	const struct schedd_call call = {
	    .job_id = request->job->id,
	    .run_id = request->run_id,
	    .scheduled_at = request->scheduled_at,
	    .attempt = request->attempt,
	    .args = job_call->args ? job_call->args : "null",
	};
	struct function function;
	struct schedd_error err;
	struct task_result result;
	char reason[64];

	if (function_table_find(executor->config.functions, job_call->function, &function, &err) <
	    0)
		return executor_fail(executor, request, err.message);
	request->started(0, 0, request->context);
	result = executor_returned(function.call(&call, function.context), reason);
	executor_done(executor, request, &result);
	return NULL;
}

/* Never called: a task is over before anybody has it. */
static int function_signal(struct task *task, int signal, struct schedd_error *err)
{
	(void)task;
	(void)signal;
	return schedd_error_set(err, SCHEDD_EFAILED, "a C function that runs cannot be stopped");
}

const struct executor_ops exec_function_ops = {
    .type = "function",
    .kinds = EXECUTOR_KIND(JOB_CALL),
    .at_once = true,
    .size = sizeof(struct executor),
    .setup = function_setup,
    .close = function_close,
    .accepts = function_accepts,
    .start = function_start,
    .signal = function_signal,
};
