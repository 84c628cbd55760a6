/* SPDX-License-Identifier: MIT */
/*
 * C functions called on worker threads. A thread is made when none is idle and
 * stays until the executor closes; how many run at a time is the caller's
 * affair (max_workers), so nothing ever waits here.
 */
#include "executor/executor_ops.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define THREADPOOL_STACK ((size_t)512 * 1024)

struct threadpool;

struct threadpool_task {
	struct task task;
	struct mailbox_letter letter; /* carries the result home */
	struct threadpool_task *next; /* waits for a thread to wake up */
	struct function function;
	struct schedd_call call;
	int returned;
};

struct threadpool_thread {
	struct threadpool_thread *next;
	pthread_t thread;
};

struct threadpool {
	struct executor executor;
	struct threadpool_thread *threads; /* the loop's thread only */
	pthread_mutex_t mutex;             /* guards what follows */
	pthread_cond_t wake;
	struct threadpool_task *queue; /* oldest first */
	uint32_t queued;
	uint32_t idle;
	bool quit;
};

static void threadpool_home(struct mailbox_letter *letter)
{
	struct threadpool_task *task =
	    (struct threadpool_task *)((char *)letter - offsetof(struct threadpool_task, letter));
	struct executor *executor = task->task.executor;
	const struct task_request *request = task->task.request;
	char reason[64];
	struct task_result result = executor_returned(task->returned, reason);

	free(task);
	executor_done(executor, request, &result);
}

static void *threadpool_run(void *context)
{
	struct threadpool *pool = context;

	pthread_mutex_lock(&pool->mutex);
	for (;;) {
		struct threadpool_task *task;

		pool->idle++;
		while (!pool->queue && !pool->quit)
			pthread_cond_wait(&pool->wake, &pool->mutex);
		pool->idle--;
		task = pool->queue;
		if (!task)
			break;
		pool->queue = task->next;
		pool->queued--;
		pthread_mutex_unlock(&pool->mutex);
		task->returned = task->function.call(&task->call, task->function.context);
		mailbox_post(pool->executor.config.mailbox, &task->letter);
		pthread_mutex_lock(&pool->mutex);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

/* Signals are the host's main thread's affair. 0 or an errno. */
static int threadpool_add(struct threadpool *pool)
{
	struct threadpool_thread *thread = malloc(sizeof(*thread));
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	if (!thread)
		return ENOMEM;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREADPOOL_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread->thread, &attributes, threadpool_run, pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error) {
		free(thread);
		return error;
	}
	thread->next = pool->threads;
	pool->threads = thread;
	return 0;
}

static int threadpool_setup(
    struct executor *executor, const struct executor_config *config, struct schedd_error *err)
{
	struct threadpool *pool = (struct threadpool *)executor;

	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->wake, NULL);
	if (!config->mailbox)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "executor '%s' needs a mailbox", config->name);
	return 0;
}

static void threadpool_close(struct executor *executor)
{
	struct threadpool *pool = (struct threadpool *)executor;

	pthread_mutex_lock(&pool->mutex);
	pool->quit = true;
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->mutex);
	while (pool->threads) {
		struct threadpool_thread *thread = pool->threads;

		pool->threads = thread->next;
		pthread_join(thread->thread, NULL);
		free(thread);
	}
	/* What they brought home last is opened while there is a home. */
	if (executor->config.mailbox)
		(void)mailbox_deliver(executor->config.mailbox);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->mutex);
}

static int threadpool_accepts(
    const struct executor *executor, const struct schedd_job *job, struct schedd_error *err)
{
	return function_table_check(executor->config.functions, job->call->function, err);
}

static void threadpool_push(struct threadpool *pool, struct threadpool_task *task)
{
	struct threadpool_task **tail = &pool->queue;

	pthread_mutex_lock(&pool->mutex);
	while (*tail)
		tail = &(*tail)->next;
	*tail = task;
	pool->queued++;
	pthread_cond_signal(&pool->wake);
	pthread_mutex_unlock(&pool->mutex);
}

static bool threadpool_full(struct threadpool *pool)
{
	bool full;

	pthread_mutex_lock(&pool->mutex);
	full = pool->queued >= pool->idle;
	pthread_mutex_unlock(&pool->mutex);
	return full;
}

static struct task *threadpool_start(struct executor *executor, const struct task_request *request)
{
	struct threadpool *pool = (struct threadpool *)executor;
	const struct job_call *job_call = request->job->call;
	struct threadpool_task *task = calloc(1, sizeof(*task));
	struct schedd_error err;
	int error;

	if (!task) {
		schedd_error_nomem(&err);
		return executor_fail(executor, request, err.message);
	}
	task->task.executor = executor;
	task->task.request = request;
	task->letter.open = threadpool_home;
	task->call.job_id = request->job->id;
	task->call.run_id = request->run_id;
	task->call.scheduled_at = request->scheduled_at;
	task->call.attempt = request->attempt;
	task->call.args = job_call->args ? job_call->args : "null";
	if (function_table_find(
		executor->config.functions, job_call->function, &task->function, &err) < 0)
		goto fail;
	error = threadpool_full(pool) ? threadpool_add(pool) : 0;
	/* With no thread to be had a busy one will take it; with none at all nobody would. */
	if (error && !pool->threads) {
		schedd_error_set(&err, SCHEDD_EFAILED, "cannot make a thread: %s", strerror(error));
		goto fail;
	}
	request->started(0, 0, request->context);
	threadpool_push(pool, task);
	return &task->task;
fail:
	free(task);
	return executor_fail(executor, request, err.message);
}

static int threadpool_signal(struct task *task, int signal, struct schedd_error *err)
{
	(void)signal;
	return schedd_error_set(err, SCHEDD_EFAILED,
	    "run %s is a C function, which cannot be stopped while it runs", task->request->run_id);
}

const struct executor_ops exec_threadpool_ops = {
    .type = "threadpool",
    .kinds = EXECUTOR_KIND(JOB_CALL),
    .size = sizeof(struct threadpool),
    .setup = threadpool_setup,
    .close = threadpool_close,
    .accepts = threadpool_accepts,
    .start = threadpool_start,
    .signal = threadpool_signal,
};
