/* SPDX-License-Identifier: MIT */
#include "core/frame/janitor.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct janitor {
	struct mailbox *mailbox;
	pthread_mutex_t lock; /* of queue, end and working */
	struct janitor_task *queue, **end;
	bool working;     /* the thread looks at the queue again before it ends */
	bool started;     /* thread is to be joined */
	pthread_t thread; /* the loop's thread alone touches it and started */
	atomic_bool stopping;
};

static void janitor_open(struct mailbox_letter *letter)
{
	struct janitor_task *task =
	    (struct janitor_task *)(void *)((char *)letter - offsetof(struct janitor_task, letter));

	task->done(task);
}

/* The first in the queue; NULL: there is none, and the thread ends. */
static struct janitor_task *janitor_next(struct janitor *janitor)
{
	struct janitor_task *task;

	pthread_mutex_lock(&janitor->lock);
	task = janitor->queue;
	if (task)
		janitor->queue = task->next;
	if (!janitor->queue)
		janitor->end = &janitor->queue;
	janitor->working = task != NULL;
	pthread_mutex_unlock(&janitor->lock);
	return task;
}

static void *janitor_main(void *context)
{
	struct janitor *janitor = context;
	struct janitor_task *task;

	while ((task = janitor_next(janitor))) {
		if (!janitor_stopping(janitor))
			task->work(task);
		mailbox_post(janitor->mailbox, &task->letter);
	}
	return NULL;
}

struct janitor *janitor_new(struct mailbox *mailbox)
{
	struct janitor *janitor = calloc(1, sizeof(*janitor));

	if (!janitor)
		return NULL;
	janitor->mailbox = mailbox;
	janitor->end = &janitor->queue;
	pthread_mutex_init(&janitor->lock, NULL);
	return janitor;
}

void janitor_free(struct janitor *janitor)
{
	if (!janitor)
		return;
	atomic_store(&janitor->stopping, true);
	if (janitor->started)
		pthread_join(janitor->thread, NULL);
	mailbox_deliver(janitor->mailbox);
	pthread_mutex_destroy(&janitor->lock);
	free(janitor);
}

bool janitor_stopping(struct janitor *janitor)
{
	return atomic_load_explicit(&janitor->stopping, memory_order_relaxed);
}

/* Signals are the host's business: none is delivered to the thread. */
static bool janitor_start(struct janitor *janitor)
{
	sigset_t all, old;

	if (janitor->started)
		pthread_join(janitor->thread, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	janitor->started = pthread_create(&janitor->thread, NULL, janitor_main, janitor) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return janitor->started;
}

void janitor_do(struct janitor *janitor, struct janitor_task *task)
{
	bool working;

	task->janitor = janitor;
	task->next = NULL;
	task->letter.open = janitor_open;
	pthread_mutex_lock(&janitor->lock);
	*janitor->end = task;
	janitor->end = &task->next;
	working = janitor->working;
	janitor->working = true;
	pthread_mutex_unlock(&janitor->lock);
	if (!working && !janitor_start(janitor))
		janitor_main(janitor);
}
