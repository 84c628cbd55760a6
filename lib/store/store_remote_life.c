/* SPDX-License-Identifier: MIT */
/* The two ends as the loop's thread sees them: their threads begin and end, and are given what to do. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "store/store_remote_parts.h"

void store_remote_ring(const struct remote_end *end)
{
	const uint64_t one = 1;

	while (write(end->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* Each thread has its own config, and in it its own password. */
static int remote_own_config(struct remote_end *end, struct schedd_error *err)
{
	const char *password = end->remote->secret.text;
	int rc = password ? store_secret_set(&end->secret, password, strlen(password), err) : 0;

	end->config = end->remote->config;
	end->config.url.password = end->secret.text;
	end->link.config = &end->config;
	return rc;
}

int store_remote_start(struct remote_end *end, void *(*thread)(void *), struct schedd_error *err)
{
	sigset_t all, old;
	int rc = remote_own_config(end, err);

	end->queue_end = &end->queued;
	end->task_end = &end->tasks;
	end->waiting_end = &end->waiting;
	end->asked_end = &end->asked;
	end->link.log = end->remote->base.log;
	end->link.clock = end->remote->base.clock;
	end->link.host = end->remote->base.host;
	end->link.store = &end->remote->base;
	end->link.state = calloc(1, end->remote->driver->size + 1);
	end->seed = (unsigned)end->remote->base.life;
	end->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&end->lock, NULL);
	pthread_cond_init(&end->settled, NULL);
	if (rc)
		return rc;
	if (end->bell < 0 || !end->link.state)
		return schedd_error_set(err, SCHEDD_EFAILED, "store '%s': its thread cannot be made",
		    end->remote->base.name);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	atomic_fetch_add(&end->remote->threads, 1);
	rc = pthread_create(&end->thread, NULL, thread, end);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		atomic_fetch_sub(&end->remote->threads, 1);
	if (rc)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "store '%s': its thread does not start: %s", end->remote->base.name,
		    strerror(rc));
	pthread_setname_np(end->thread, end->link.writer ? "store" : "store-ask");
	end->started = true;
	return 0;
}

void store_remote_halt(struct remote_end *end)
{
	if (!end->started)
		return;
	pthread_mutex_lock(&end->lock);
	end->stopping = true;
	pthread_cond_broadcast(&end->settled);
	pthread_mutex_unlock(&end->lock);
	store_remote_ring(end);
	pthread_join(end->thread, NULL);
	end->started = false;
}

void store_remote_stop(struct remote_end *end)
{
	store_remote_halt(end);
	if (end->bell > 0)
		close(end->bell);
	end->bell = -1;
	free(end->link.state);
	end->link.state = NULL;
	store_secret_clear(&end->secret);
}

void store_remote_stop_by(struct remote_end *end, int64_t by)
{
	pthread_mutex_lock(&end->lock);
	end->stop_by = by;
	pthread_mutex_unlock(&end->lock);
	store_remote_ring(end);
}

/* Of a thread that has come to its end, or is about to, nothing can be asked. */
static int remote_closed(const struct remote_end *end, struct schedd_error *err)
{
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "store '%s': it is being closed", end->remote->base.name);
}

void store_remote_ask(struct remote_end *end, struct remote_task *task)
{
	bool takes;

	pthread_mutex_lock(&end->lock);
	takes = !end->stopping;
	if (takes) {
		*end->task_end = task;
		end->task_end = &task->next;
	}
	pthread_mutex_unlock(&end->lock);
	if (takes) {
		store_remote_ring(end);
		return;
	}
	task->rc = remote_closed(end, &task->err);
	store_letter_put(&task->base);
}

void store_remote_give(struct remote_end *end, struct store_batch *batch)
{
	bool takes;

	batch->next = NULL;
	pthread_mutex_lock(&end->lock);
	takes = !end->stopping;
	if (takes) {
		*end->queue_end = batch;
		end->queue_end = &batch->next;
	}
	pthread_mutex_unlock(&end->lock);
	if (takes) {
		store_remote_ring(end);
		return;
	}
	batch->rc = remote_closed(end, &batch->err);
	store_batch_put(batch);
}

static void remote_ended(struct mailbox_letter *letter)
{
	struct remote_store *remote =
	    (struct remote_store *)(void *)((char *)letter - offsetof(struct remote_store, ended));

	if (remote->base.leave.begun)
		store_gone(&remote->base);
}

void store_remote_ended(struct remote_store *remote)
{
	if (atomic_fetch_sub(&remote->threads, 1) > 1)
		return;
	remote->ended.open = remote_ended;
	mailbox_post(remote->base.mailbox, &remote->ended);
}
