/* SPDX-License-Identifier: MIT */
/* An executor whose attempts start at once and end when the test says. */
#include "support/core_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/frame/scheduler_state.h"
#include "executor/executor_ops.h"

#define CORE_FAKE_MAX 4096

struct core_fake_task {
	struct task task;
	int signal;
	char run[160];
};

/* Tests run in processes of their own, one scheduler at a time. */
static struct core_fake_task *core_fake_tasks[CORE_FAKE_MAX];
static int core_fake_count;
static void (*core_fake_begins)(const char *run);

void core_fake_on_start(void (*begins)(const char *run))
{
	core_fake_begins = begins;
}

static int fake_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	(void)executor;
	(void)config;
	(void)err;
	return 0;
}

static void fake_close(struct executor *executor)
{
	(void)executor;
	/* As if the process had died: nobody hears of them again. */
	for (int i = 0; i < core_fake_count; i++) {
		job_unref(core_fake_tasks[i]->task.request->job);
		free(core_fake_tasks[i]);
	}
	core_fake_count = 0;
}

static struct task *fake_start(struct executor *executor, const struct task_request *request)
{
	struct core_fake_task *task = calloc(1, sizeof(*task));

	if (!task || core_fake_count == CORE_FAKE_MAX) {
		free(task);
		return executor_fail(executor, request, "too many attempts for the fake");
	}
	if (request->job->kind == JOB_COMMAND && strcmp(request->job->argv[0], "/missing") == 0) {
		free(task);
		return executor_fail(executor, request, "/missing: No such file or directory");
	}
	task->task.executor = executor;
	task->task.request = request;
	snprintf(task->run, sizeof(task->run), "%s", request->run_id);
	core_fake_tasks[core_fake_count++] = task;
	if (core_fake_begins)
		core_fake_begins(task->run);
	request->started(4000 + core_fake_count, 1, request->context);
	return &task->task;
}

static int fake_signal(struct task *task, int signal, struct schedd_error *err)
{
	(void)err;
	((struct core_fake_task *)(void *)task)->signal = signal;
	return 0;
}

static const struct executor_ops core_fake_ops = {
    .type = "fake",
    .kinds = EXECUTOR_KIND(JOB_COMMAND) | EXECUTOR_KIND(JOB_SHELL),
    .size = sizeof(struct executor),
    .setup = fake_setup,
    .close = fake_close,
    .start = fake_start,
    .signal = fake_signal,
};

bool core_fake_add(struct schedd_scheduler *scheduler, unsigned max_workers)
{
	struct executor *executor = calloc(1, sizeof(*executor));
	struct executor_slot *slot = calloc(1, sizeof(*slot));
	struct executor_slot **slots =
	    realloc(scheduler->jobs.executors, (scheduler->jobs.executor_count + 1) * sizeof(slots[0]));

	if (!executor || !slot || !slots)
		return false;
	scheduler->jobs.executors = slots;
	executor->ops = &core_fake_ops;
	executor->config.name = strdup("default");
	executor->config.type = "fake";
	executor->config.max_workers = max_workers;
	slot->executor = executor;
	slot->name = strdup("default");
	slots[scheduler->jobs.executor_count++] = slot;
	return true;
}

void core_fake_forget(struct schedd_scheduler *scheduler)
{
	scheduler->runs.running_count = 0;
}

int core_tasks(void)
{
	return core_fake_count;
}

const char *core_task_run(int i)
{
	return i < core_fake_count ? core_fake_tasks[i]->run : "";
}

int core_task_signal(int i)
{
	return i < core_fake_count ? core_fake_tasks[i]->signal : -1;
}

const char *core_task_env(int i, const char *name)
{
	const struct job_pairs *env =
	    i < core_fake_count ? core_fake_tasks[i]->task.request->extra_env : NULL;

	for (uint32_t k = 0; env && k < env->count; k++)
		if (strcmp(env->items[k].name, name) == 0)
			return env->items[k].text;
	return "";
}

static void core_fake_end(int i, const struct task_result *result)
{
	struct core_fake_task *task = core_fake_tasks[i];
	const struct task_request *request = task->task.request;
	struct executor *executor = task->task.executor;

	memmove(&core_fake_tasks[i], &core_fake_tasks[i + 1],
	    (size_t)(--core_fake_count - i) * sizeof(core_fake_tasks[0]));
	free(task);
	executor_done(executor, request, result);
}

void core_task_end(int i, int exit_code)
{
	struct task_result result = {.started = true, .exit_code = exit_code};

	core_fake_end(i, &result);
}

void core_task_end_signal(int i, int signal)
{
	struct task_result result = {.started = true, .exit_code = -1, .signal = signal};

	core_fake_end(i, &result);
}
