/* SPDX-License-Identifier: MIT */
/* How attempts end, for every backend. */
#include <stdio.h>
#include "executor/executor_ops.h"

void executor_done(
    struct executor *executor, const struct task_request *request, const struct task_result *result)
{
	struct schedd_job *job = executor->ops->at_once ? NULL : request->job;

	executor->busy--;
	request->done(result, request->context);
	/* The request may be gone now. */
	job_unref(job);
}

struct task *executor_fail(
    struct executor *executor, const struct task_request *request, const char *reason)
{
	struct task_result result = {.exit_code = -1, .reason = reason};

	executor_done(executor, request, &result);
	return NULL;
}

struct task_result executor_returned(int value, char *reason)
{
	struct task_result result = {.started = true, .exit_code = value};

	if (value < 0 || value > 255) {
		snprintf(reason, 64, "the function returned %d, which is not in 0-255", value);
		result.exit_code = -1;
		result.reason = reason;
	}
	return result;
}

void executor_tell(const struct executor *executor, const char *reason)
{
	if (executor->config.tell)
		executor->config.tell(
		    executor->config.name, reason, executor->config.tell_context);
}
