/* SPDX-License-Identifier: MIT */
/* A pool without its workers: the queue, in the order calls came, and its failures. */
#include "executor/worker_state.h"

#include <stdlib.h>
#include "base/log.h"

struct schedd_mono worker_state_now(const struct worker_pool *pool)
{
	const struct schedd_clock *clock = pool->executor->config.clock;

	return clock->mono(clock->context);
}

/* ---- The queue ---- */

void worker_state_wait(struct worker_pool *pool, struct worker_task *task)
{
	task->previous = pool->waiting_last;
	task->next = NULL;
	if (task->previous)
		task->previous->next = task;
	else
		pool->waiting = task;
	pool->waiting_last = task;
}

void worker_state_wait_first(struct worker_pool *pool, struct worker_task *task)
{
	task->worker = NULL;
	task->previous = NULL;
	task->next = pool->waiting;
	if (task->next)
		task->next->previous = task;
	else
		pool->waiting_last = task;
	pool->waiting = task;
}

void worker_state_unwait(struct worker_pool *pool, struct worker_task *task)
{
	if (task->previous)
		task->previous->next = task->next;
	else
		pool->waiting = task->next;
	if (task->next)
		task->next->previous = task->previous;
	else
		pool->waiting_last = task->previous;
	task->next = task->previous = NULL;
}

void worker_state_end_task(struct worker_task *task, const struct task_result *result)
{
	struct executor *executor = task->task.executor;
	const struct task_request *request = task->task.request;

	free(task);
	executor_done(executor, request, result);
}

/* ---- Failures ---- */

void worker_state_failed(struct worker_pool *pool, const char *reason, bool at_once)
{
	const struct executor_config *config = &pool->executor->config;
	bool opened;

	if (!reason) {
		log_info(config->log, "executor %s: its workers work again", config->name);
		executor_tell(pool->executor, NULL);
		return;
	}
	opened = worker_circuit_fail(&pool->circuit, worker_state_now(pool), reason, at_once);
	log_warn(config->log, "executor %s: %s", config->name, reason);
	if (!opened)
		return;
	log_error(config->log,
	    "executor %s: its workers fail one after the other: its runs wait, one is tried now "
	    "and then",
	    config->name);
	executor_tell(pool->executor, reason);
}
