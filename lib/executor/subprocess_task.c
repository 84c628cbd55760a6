/* SPDX-License-Identifier: MIT */
#include "executor/subprocess_task.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include "executor/cgroup.h"

struct subprocess *subprocess_task_owner(const struct subprocess_task *task)
{
	return (struct subprocess *)task->task.executor;
}

/* Nobody will look for it later than now. */
static void subprocess_task_invent(struct subprocess_task *task)
{
	uint64_t random[2] = {(uintptr_t)task, 0};

	(void)!getrandom(random, sizeof(random), GRND_NONBLOCK);
	snprintf(task->invocation, sizeof(task->invocation), "%016" PRIx64 "%016" PRIx64, random[0],
	    random[1]);
}

struct subprocess_task *subprocess_task_new(
    struct subprocess *self, const struct task_request *request)
{
	struct subprocess_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->task.executor = &self->executor;
	task->task.request = request;
	for (int i = 0; i < SPAWN_FDS; i++)
		task->spawn.fds[i] = -1;
	task->note = -1;
	if (request->invocation)
		memcpy(task->invocation, request->invocation,
		    strnlen(request->invocation, PROCESS_INVOCATION));
	else
		subprocess_task_invent(task);
	task->next = self->tasks;
	if (self->tasks)
		self->tasks->previous = task;
	self->tasks = task;
	return task;
}

void subprocess_task_free(struct subprocess_task *task)
{
	struct subprocess *self = subprocess_task_owner(task);

	if (task->next)
		task->next->previous = task->previous;
	if (task->previous)
		task->previous->next = task->next;
	else if (self->tasks == task)
		self->tasks = task->next;
	spawner_start_clear(&task->spawn);
	for (int i = 0; i < 2; i++)
		capture_free(task->captures[i]);
	if (task->note >= 0)
		close(task->note);
	alarm_free(task->drain);
	secret_set_remove(&task->secrets);
	/* Not empty where the run left something behind. */
	if (task->cgroup && cgroup_remove(task->cgroup) < 0)
		self->cgroup_stale = true;
	free(task->cgroup);
	free(task);
}

bool subprocess_task_reads(const struct subprocess_task *task)
{
	return task->captures[0] || task->captures[1];
}
