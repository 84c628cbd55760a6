/* SPDX-License-Identifier: MIT */
/*
 * Two queues under one lock. A batch belongs to the loop's thread until it is
 * queued, to this thread until its letter is posted, then to the loop's again.
 */
#include "store/store_worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Writes of a group that others may join while it is being stored: its answers must not wait for ever,
 * nor a small batch long for large ones. */
#define WORKER_GATHER_MAX 512
/* Between commits of what nobody waits for: each costs a sync of the disk, however little is in it. */
#define WORKER_PATIENCE (SCHEDD_SECOND / 100)

struct store_worker {
	struct store *store;
	store_worker_commit_fn commit;
	pthread_t thread;
	pthread_mutex_t lock;       /* guards the rest but groups */
	pthread_cond_t work;        /* signalled when something is queued */
	pthread_cond_t settled;     /* signalled when batches were committed or refused */
	uint64_t given;             /* batches queued so far; the loop's thread alone */
	struct store_batch *held;   /* given, to be handed over together; likewise, oldest first */
	struct store_batch **held_end;
	struct mailbox_errand hand_over;
	uint64_t done;              /* of these, committed or refused */
	struct store_batch *queued; /* oldest first */
	struct store_batch **queue_end;
	struct store_batch *group; /* being committed */
	struct store_batch **group_end;
	uint32_t gathering;       /* writes that may still join the group; the thread alone */
	int64_t rested;           /* since when, monotonic: end of the last group; likewise */
	struct store_task *tasks; /* oldest first */
	struct store_task **task_end;
	bool hurry;   /* somebody waits for what is queued */
	bool patient; /* the thread waits for more of it, and need not be told */
	bool stopping;
	bool stuck; /* the group waits for what others hold */
	_Atomic uint64_t groups;
	_Atomic int64_t longest; /* piece of a task, microseconds */
};

/* ---- On the thread ---- */

static int64_t worker_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context).us;
}

static void worker_open_task(struct mailbox_letter *letter)
{
	struct store_task *task =
	    (struct store_task *)((char *)letter - offsetof(struct store_task, letter));

	store_answered(task->store);
	task->answer(task);
}

/* Each batch for itself, so that a bad one takes no other with it. */
static void worker_commit_alone(struct store_worker *worker, struct store_batch *chain)
{
	for (struct store_batch *batch = chain; batch; batch = batch->next) {
		if (batch->rc < 0)
			continue;
		batch->rc = worker->commit(worker->store, batch, batch->next, &batch->err);
		atomic_fetch_add_explicit(&worker->groups, 1, memory_order_relaxed);
	}
}

static void worker_commit_group(struct store_worker *worker, struct store_batch *chain)
{
	struct schedd_error err;
	bool whole = true;
	int rc = 0;

	for (struct store_batch *batch = chain; batch; batch = batch->next) {
		batch->rc = store_batch_check(batch, &batch->err);
		whole = whole && batch->rc == 0;
	}
	if (!whole) {
		worker_commit_alone(worker, chain);
		return;
	}
	worker->gathering = WORKER_GATHER_MAX;
	for (const struct store_batch *batch = chain; batch; batch = batch->next)
		worker->gathering -=
		    batch->count < worker->gathering ? batch->count : worker->gathering;
	rc = worker->commit(worker->store, chain, NULL, &err);
	worker->gathering = 0;
	atomic_fetch_add_explicit(&worker->groups, 1, memory_order_relaxed);
	if (rc < 0 && chain->next && !worker->stuck) {
		worker_commit_alone(worker, chain);
		return;
	}
	for (struct store_batch *batch = chain; rc < 0 && batch; batch = batch->next) {
		batch->rc = rc;
		batch->err = err;
	}
}

void store_worker_stuck(struct store_worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->stuck = true;
	pthread_cond_broadcast(&worker->settled);
	pthread_mutex_unlock(&worker->lock);
}

/* Moves the first batch of the queue, and those joined with it, to the end of the group. */
static void worker_join_group(struct store_worker *worker)
{
	struct store_batch *batch;
	bool more;

	do {
		batch = worker->queued;
		more = batch->joined;
		worker->gathering -=
		    batch->count < worker->gathering ? batch->count : worker->gathering;
		worker->queued = batch->next;
		*worker->group_end = batch;
		worker->group_end = &batch->next;
	} while (more && worker->queued);
	*worker->group_end = NULL;
	if (!worker->queued)
		worker->queue_end = &worker->queued;
}

/* One that cannot be stored would take the others with it. */
static bool worker_can_join(struct store_batch *batch)
{
	bool more = true;

	for (; more && batch; batch = batch->next) {
		more = batch->joined;
		if (store_batch_check(batch, &batch->err) < 0)
			return false;
	}
	return true;
}

void store_worker_gather(struct store_worker *worker)
{
	if (!worker->gathering)
		return;
	pthread_mutex_lock(&worker->lock);
	if (worker->queued && worker->queued->count >= worker->gathering)
		worker->gathering = 0;
	else if (worker->queued && worker_can_join(worker->queued))
		worker_join_group(worker);
	pthread_mutex_unlock(&worker->lock);
}

bool store_worker_rest(struct store_worker *worker, struct schedd_mono until)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t left = (until.us - clock->mono(clock->context).us) * 1000;
	struct timespec end;

	if (left <= 0)
		return false;
	/* Its time, not ours, which goes on while the machine is suspended. */
	clock_gettime(CLOCK_MONOTONIC, &end);
	left += end.tv_nsec;
	end.tv_sec += left / 1000000000;
	end.tv_nsec = left % 1000000000;
	pthread_mutex_lock(&worker->lock);
	if (!worker->queued && !worker->stopping)
		(void)pthread_cond_timedwait(&worker->work, &worker->lock, &end);
	pthread_mutex_unlock(&worker->lock);
	return true;
}

static void worker_post_group(struct store_worker *worker, struct store_batch *chain)
{
	/* From here on nobody may find them in the group: their owner frees them. */
	pthread_mutex_lock(&worker->lock);
	worker->group = NULL;
	worker->stuck = false;
	for (struct store_batch *batch = chain; batch; batch = batch->next)
		worker->done++;
	pthread_cond_broadcast(&worker->settled);
	pthread_mutex_unlock(&worker->lock);
	store_batch_post_chain(chain);
}

/* A task that has more to do goes to the end of the queue. */
static void worker_step_task(struct store_worker *worker, struct store_task *task)
{
	int64_t begin = worker_now(), took;
	bool more = task->step(task);

	took = worker_now() - begin;
	if (took > atomic_load_explicit(&worker->longest, memory_order_relaxed))
		atomic_store_explicit(&worker->longest, took, memory_order_relaxed);
	if (!more) {
		task->letter.open = worker_open_task;
		mailbox_post(worker->store->mailbox, &task->letter);
		return;
	}
	pthread_mutex_lock(&worker->lock);
	task->next = NULL;
	*worker->task_end = task;
	worker->task_end = &task->next;
	pthread_mutex_unlock(&worker->lock);
}

static struct store_batch *worker_take_group(struct store_worker *worker)
{
	worker->group = worker->queued;
	worker->group_end = worker->queue_end;
	worker->queued = NULL;
	worker->queue_end = &worker->queued;
	worker->hurry = false;
	return worker->group;
}

static struct store_task *worker_take_task(struct store_worker *worker)
{
	struct store_task *task = worker->tasks;

	if (!task)
		return NULL;
	worker->tasks = task->next;
	if (!worker->tasks)
		worker->task_end = &worker->tasks;
	return task;
}

/*
 * Until there is something to do. What is queued and in no hurry waits for more of its kind, if
 * the last group was only just stored: the ends of many short runs are then one commit.
 */
static void worker_wait(struct store_worker *worker)
{
	while (!worker->queued && !worker->tasks && !worker->stopping)
		pthread_cond_wait(&worker->work, &worker->lock);
	worker->patient = true;
	while (!worker->hurry && !worker->tasks && !worker->stopping) {
		int64_t left = worker->rested + WORKER_PATIENCE - worker_now();
		struct timespec when;

		if (left <= 0)
			break;
		clock_gettime(CLOCK_MONOTONIC, &when);
		left += (int64_t)when.tv_sec * SCHEDD_SECOND + when.tv_nsec / 1000;
		when.tv_sec = (time_t)(left / SCHEDD_SECOND);
		when.tv_nsec = (long)(left % SCHEDD_SECOND * 1000);
		if (pthread_cond_timedwait(&worker->work, &worker->lock, &when) == ETIMEDOUT)
			break;
	}
	worker->patient = false;
}

static void *worker_main(void *context)
{
	struct store_worker *worker = context;

	for (;;) {
		struct store_batch *group;
		struct store_task *task;

		pthread_mutex_lock(&worker->lock);
		worker_wait(worker);
		group = worker_take_group(worker);
		task = worker_take_task(worker);
		pthread_mutex_unlock(&worker->lock);
		if (!group && !task)
			return NULL;
		if (group) {
			worker_commit_group(worker, group);
			worker_post_group(worker, group);
			worker->rested = worker_now();
		}
		if (task)
			worker_step_task(worker, task);
	}
}

/* ---- On the loop's thread ---- */

static void worker_hand_over(struct mailbox_errand *errand)
{
	struct store_worker *worker =
	    (struct store_worker *)(void *)((char *)errand - offsetof(struct store_worker, hand_over));
	struct store_batch *last = worker->held;
	bool hurry, sleeps;

	if (!last)
		return;
	for (hurry = !last->late; last->next; hurry |= !last->late)
		last = last->next;
	last->joined = false;
	pthread_mutex_lock(&worker->lock);
	*worker->queue_end = worker->held;
	worker->queue_end = &last->next;
	worker->hurry |= hurry;
	sleeps = !worker->patient || worker->hurry;
	pthread_mutex_unlock(&worker->lock);
	/*
	 * Behind the lock, or the thread would wake up only to wait for it. It loses nothing: what it
	 * sleeps for was written under the lock, and this thread is the one that frees the worker.
	 */
	if (sleeps)
		pthread_cond_signal(&worker->work);
	worker->held = NULL;
	worker->held_end = &worker->held;
}

/* Waits on it have limits by the monotonic clock. */
static void worker_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* Signals are the host's business: none is delivered here. */
static int worker_start(struct store_worker *worker, const char *name)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&worker->thread, NULL, worker_main, worker);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		pthread_setname_np(worker->thread, name);
	return rc;
}

struct store_worker *store_worker_new(
    struct store *store, const char *name, store_worker_commit_fn commit, struct schedd_error *err)
{
	struct store_worker *worker = calloc(1, sizeof(*worker));
	int rc;

	if (!worker) {
		schedd_error_nomem(err);
		return NULL;
	}
	worker->store = store;
	worker->commit = commit;
	worker->queue_end = &worker->queued;
	worker->held_end = &worker->held;
	worker->hand_over.run = worker_hand_over;
	worker->task_end = &worker->tasks;
	pthread_mutex_init(&worker->lock, NULL);
	worker_cond_init(&worker->work);
	pthread_cond_init(&worker->settled, NULL);
	rc = worker_start(worker, name);
	if (rc == 0)
		return worker;
	schedd_error_set(err, SCHEDD_EFAILED, "store '%s': its thread does not start: %s",
	    store->name, strerror(rc));
	pthread_cond_destroy(&worker->settled);
	pthread_cond_destroy(&worker->work);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
	return NULL;
}

void store_worker_free(struct store_worker *worker)
{
	if (!worker)
		return;
	worker_hand_over(&worker->hand_over);
	mailbox_call_off(worker->store->mailbox, &worker->hand_over);
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->work);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
	pthread_cond_destroy(&worker->settled);
	pthread_cond_destroy(&worker->work);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void store_worker_commit(struct store_worker *worker, struct store_batch *batch)
{
	worker->given++;
	batch->next = NULL;
	batch->joined = true;
	*worker->held_end = batch;
	worker->held_end = &batch->next;
	if (!mailbox_put_off(worker->store->mailbox, &worker->hand_over))
		worker_hand_over(&worker->hand_over);
}

static void worker_hurry(struct store_worker *worker)
{
	if (!worker->queued)
		return;
	worker->hurry = true;
	pthread_cond_signal(&worker->work);
}

void store_worker_hurry(struct store_worker *worker)
{
	worker_hand_over(&worker->hand_over);
	pthread_mutex_lock(&worker->lock);
	worker_hurry(worker);
	pthread_mutex_unlock(&worker->lock);
}

void store_worker_do(struct store_worker *worker, struct store_task *task)
{
	worker->store->pending++;
	task->store = worker->store;
	task->next = NULL;
	/* It finds what was given before it. */
	worker_hand_over(&worker->hand_over);
	pthread_mutex_lock(&worker->lock);
	*worker->task_end = task;
	worker->task_end = &task->next;
	pthread_cond_signal(&worker->work);
	pthread_mutex_unlock(&worker->lock);
}

uint64_t store_worker_mark(const struct store_worker *worker)
{
	return worker->given;
}

void store_worker_await(struct store_worker *worker, uint64_t mark)
{
	pthread_mutex_lock(&worker->lock);
	if (worker->done < mark)
		worker_hurry(worker);
	while (worker->done < mark && !worker->stuck)
		pthread_cond_wait(&worker->settled, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
}

uint64_t store_worker_groups(const struct store_worker *worker)
{
	return atomic_load_explicit(&worker->groups, memory_order_relaxed);
}

schedd_span store_worker_longest(const struct store_worker *worker)
{
	return atomic_load_explicit(&worker->longest, memory_order_relaxed);
}
