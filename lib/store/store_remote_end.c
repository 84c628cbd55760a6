/* SPDX-License-Identifier: MIT */
/*
 * The thread of one end: connects, stores what waits, finds out what became of
 * what was in doubt, answers questions, and sleeps until there is something.
 * Batches are answered in their order, each when it is certain.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "store/store_remote_parts.h"

#define REMOTE_BACKOFF_FIRST (SCHEDD_SECOND / 4)
#define REMOTE_BACKOFF_MOST (30 * SCHEDD_SECOND)
/* While others answer, on a store that does not wake us, and for how long. */
#define REMOTE_EAGER (SCHEDD_SECOND / 10)
#define REMOTE_EAGER_FOR (2 * SCHEDD_SECOND)
/* How often commits tell the loop how long they take, and let something else come before the next. */
#define REMOTE_TELL (SCHEDD_SECOND / 4)
#define REMOTE_TURN (SCHEDD_SECOND / 20)
/* What one entry may add to the time of a commit. */
#define REMOTE_OP_TIME (SCHEDD_SECOND / 1000)

/* ---- Batches ---- */

/* What others do on a store that is shared is looked for once a second, or more often for a while. */
static schedd_span remote_beat(const struct remote_end *end)
{
	if (!end->remote->config.shared)
		return end->remote->driver->beat;
	return store_remote_mono() < end->eager_until ? REMOTE_EAGER : SCHEDD_SECOND;
}

static void remote_eager(struct remote_end *end)
{
	if (end->remote->driver->polls)
		end->eager_until = store_remote_mono() + REMOTE_EAGER_FOR;
}

static void remote_begin(struct remote_end *end, schedd_span time)
{
	end->link.fault = STORE_FAULT_NONE;
	end->link.deadline = store_remote_mono() + time;
}

static schedd_span remote_group_time(const struct remote_end *end, const struct store_batch *group)
{
	schedd_span time = end->remote->config.timeout;

	for (; group; group = group->next)
		time += group->count * REMOTE_OP_TIME;
	return time;
}

static const struct remote_fault_row {
	enum store_state state;
	bool surely_not; /* what was being stored is not, and may be tried again here */
} remote_faults[] = {
    [STORE_FAULT_NONE] = {STORE_AWAY, true},
    [STORE_FAULT_GONE] = {STORE_AWAY, true},
    [STORE_FAULT_UNKNOWN] = {STORE_AWAY, false},
    [STORE_FAULT_READ_ONLY] = {STORE_READ_ONLY, false},
    [STORE_FAULT_HELD] = {STORE_HELD, false},
    [STORE_FAULT_REFUSED] = {STORE_REFUSED, false},
    [STORE_FAULT_FENCED] = {STORE_HELD, false},
};

/* The connection is given up; the next attempt waits. */
/* Tries to connect later. What has worked is tried again at once. */
static void remote_put_off(
    struct remote_end *end, enum store_state state, const struct schedd_error *err)
{
	schedd_span wait = end->backoff / 2 + (schedd_span)rand_r(&end->seed) % (end->backoff / 2 + 1);
	end->backoff = end->backoff ? end->backoff * 2 : REMOTE_BACKOFF_FIRST;
	if (end->backoff > REMOTE_BACKOFF_MOST)
		end->backoff = REMOTE_BACKOFF_MOST;
	end->next_try = store_remote_mono() + wait;
	if (state == STORE_AWAY && !end->ever)
		state = STORE_CONNECTING;
	if (end->state == state && strcmp(end->why.message, err->message) == 0)
		return;
	end->state = state;
	end->why = *err;
	store_remote_tell_state(end, -1);
}

static void remote_lose(struct remote_end *end, const struct schedd_error *err)
{
	end->remote->driver->disconnect(&end->link);
	end->connected = false;
	if (end->link.fault == STORE_FAULT_FENCED && end->link.writer && end->remote->config.shared)
		store_remote_lease_drop(&end->remote->lease);
	remote_put_off(end, remote_faults[end->link.fault].state, err);
}

/* What a group came to that was not stored, or is not known to be. */
static void remote_group_failed(
    struct remote_end *end, struct store_batch *group, const struct schedd_error *err)
{
	if (end->link.fault == STORE_FAULT_UNKNOWN) {
		for (struct store_batch *batch = group; batch; batch = batch->next)
			store_remote_tell_doubt(end, batch, err);
		end->doubt = group;
	} else if (remote_faults[end->link.fault].surely_not) {
		store_remote_wait_again(end, group);
	} else {
		store_remote_refuse(end, group, err);
	}
	remote_lose(end, err);
}

/* Each for itself, so that a bad one takes no other with it. */
static void remote_commit_alone(struct remote_end *end, struct store_batch *group)
{
	while (group) {
		struct store_batch *batch = group;
		struct schedd_error err;
		int rc;

		group = batch->next;
		batch->next = NULL;
		rc = store_batch_check(batch, &err);
		if (rc == 0) {
			remote_begin(end, remote_group_time(end, batch));
			rc = end->remote->driver->commit(&end->link, batch, NULL, &err);
		}
		if (rc < 0 && end->link.fault != STORE_FAULT_NONE) {
			store_remote_wait_again(end, group);
			remote_group_failed(end, batch, &err);
			return;
		}
		if (rc == 0 && end->link.told)
			end->next_beat = 0;
		store_remote_settle(end, batch, rc, &err);
	}
}

static bool remote_whole(const struct store_batch *group)
{
	struct schedd_error err;

	for (; group; group = group->next)
		if (store_batch_check(group, &err))
			return false;
	return true;
}

/* What was made under an epoch that is over counts no more. */
static struct store_batch *remote_drop_stale(struct remote_end *end, struct store_batch *group)
{
	struct store_batch **last = &group;
	struct schedd_error err;

	while (end->remote->config.shared && *last) {
		struct store_batch *batch = *last;

		if (batch->epoch == end->link.epoch) {
			last = &batch->next;
			continue;
		}
		*last = batch->next;
		batch->next = NULL;
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "store '%s': this node's lease was over, others have taken its jobs",
		    end->remote->base.name);
		store_remote_settle(end, batch, SCHEDD_EFAILED, &err);
	}
	return group;
}

static void remote_commit(struct remote_end *end)
{
	struct store_batch *group = remote_drop_stale(end, store_remote_take_group(end));
	int64_t begin = store_remote_mono();
	struct schedd_error err;
	int rc;

	end->link.fault = STORE_FAULT_NONE;
	if (!group)
		return;
	if (!remote_whole(group)) {
		remote_commit_alone(end, group);
		return;
	}
	remote_begin(end, remote_group_time(end, group));
	rc = end->remote->driver->commit(&end->link, group, NULL, &err);
	if (rc == 0) {
		store_remote_settle_all(end, group, 0, NULL);
		end->backoff = 0;
		if (end->link.told)
			remote_eager(end);
		if (!end->remote->config.shared)
			end->next_beat = store_remote_mono() + remote_beat(end);
		else if (end->link.told)
			end->next_beat = 0;
		if (begin >= end->next_tell) {
			end->next_tell = begin + REMOTE_TELL;
			store_remote_tell_state(end, store_remote_mono() - begin);
		}
	} else if (end->link.fault != STORE_FAULT_NONE) {
		remote_group_failed(end, group, &err);
	} else if (group->next) {
		remote_commit_alone(end, group);
	} else {
		store_remote_settle(end, group, rc, &err);
	}
}

/* On a new connection: what became of what was sent over the one before? */
static int remote_resolve(struct remote_end *end, struct schedd_error *err)
{
	bool stored = false;
	int rc;

	if (!end->doubt)
		return 0;
	remote_begin(end, end->remote->config.timeout);
	rc = end->remote->driver->resolve(&end->link, end->doubt, NULL, &stored, err);
	if (rc)
		return rc;
	if (stored)
		store_remote_settle_all(end, end->doubt, 0, NULL);
	else
		store_remote_wait_again(end, end->doubt);
	end->doubt = NULL;
	end->backoff = 0;
	return 0;
}

/* ---- Connecting ---- */

/* As the file has it now: a password that was changed is put there. */
static void remote_take_password(struct remote_end *end)
{
	const struct remote_store *remote = end->remote;
	struct schedd_error err;

	if (remote->password_file &&
	    store_secret_read(&end->secret, remote->password_file, &err) == 0)
		end->config.url.password = end->secret.text;
}

/* Who else is there is told by the first beat: what is asked of this node needs it from its beginning on. */
static void remote_await_nodes(struct remote_end *end)
{
	static const struct timespec moment = {.tv_nsec = 2000000};
	int64_t last = store_remote_mono() + end->remote->config.lease / 3;
	bool stopping = false;

	while (!stopping && !atomic_load(&end->remote->lease.seen) && store_remote_mono() < last) {
		nanosleep(&moment, NULL);
		pthread_mutex_lock(&end->lock);
		stopping = end->stopping;
		pthread_mutex_unlock(&end->lock);
	}
}

static void remote_connect(struct remote_end *end)
{
	int64_t begin = store_remote_mono();
	struct schedd_error err;
	int rc;

	/* Whose jobs it may hold is asked as soon as it is loaded. */
	if (end->link.writer && store_remote_know_account(end->remote, &err)) {
		remote_put_off(end, STORE_AWAY, &err);
		return;
	}
	remote_take_password(end);
	remote_begin(end, end->remote->config.connect_timeout);
	rc = end->remote->driver->connect(&end->link, &err);
	if (rc == 0)
		rc = remote_resolve(end, &err);
	if (rc) {
		remote_lose(end, &err);
		return;
	}
	end->connected = end->ever = true;
	end->state = STORE_OK;
	if (end->link.writer && end->remote->config.shared) {
		store_remote_lease_set(
		    &end->remote->lease, end->link.node, end->link.epoch, begin);
		remote_await_nodes(end);
	}
	end->next_beat = store_remote_mono() + remote_beat(end);
	store_remote_tell_state(end, store_remote_mono() - begin);
}

/* ---- Questions and the idle time ---- */

static void remote_step(struct remote_end *end)
{
	struct remote_task *task = end->asked;
	struct schedd_error err;

	remote_begin(end, end->remote->config.timeout);
	task->rc = task->step(task, &end->link, &task->err);
	err = task->err;
	if (task->rc < 0 && end->link.fault != STORE_FAULT_NONE) {
		remote_lose(end, &err);
		/* A question may be asked once more; what was loaded by half may not. */
		if (end->link.fault == STORE_FAULT_GONE && !end->link.writer &&
		    store_remote_mono() < task->deadline)
			return;
	} else if (!end->link.writer) {
		end->backoff = 0;
	}
	end->asked = task->next;
	if (!end->asked)
		end->asked_end = &end->asked;
	store_letter_post(&task->base);
}

/* Is the epoch over that we write under? The lease's thread is told first. */
static bool remote_fenced(const struct remote_end *end)
{
	return end->link.writer && end->remote->config.shared &&
	       atomic_load(&end->remote->lease.lost) == end->link.epoch;
}

/* Another node's lease may be over. */
static bool remote_to_look(const struct remote_end *end, int64_t now)
{
	return end->remote->config.shared && now >= atomic_load(&end->remote->lease.look_at);
}

static void remote_idle(struct remote_end *end)
{
	struct store_watching watching = {.remote = end->remote};
	int64_t begin = store_remote_mono();
	struct schedd_error err;

	end->next_beat = begin + remote_beat(end);
	if (!end->remote->driver->idle)
		return;
	remote_begin(end, end->remote->config.timeout);
	end->link.told = false;
	end->link.look = remote_to_look(end, begin);
	if (end->link.look)
		atomic_store(&end->remote->lease.look_at, INT64_MAX);
	if (remote_fenced(end) ? store_link_fail(&end->link, STORE_FAULT_FENCED, &err,
				     "this node's lease was over, others have taken its jobs")
			       : end->remote->driver->idle(&end->link, &watching, &err)) {
		store_watching_end(&watching);
		remote_lose(end, &err);
		return;
	}
	store_watching_end(&watching);
	if (end->link.told) {
		remote_eager(end);
		end->next_beat = begin + remote_beat(end);
	}
	end->backoff = 0;
	store_remote_tell_state(end, store_remote_mono() - begin);
}

/* ---- The thread ---- */

/* Is anything left to be answered? */
static bool remote_busy(const struct remote_end *end)
{
	return end->waiting || end->doubt || end->asked;
}

static bool remote_take(struct remote_end *end)
{
	bool stopping;

	pthread_mutex_lock(&end->lock);
	if (end->queued) {
		*end->waiting_end = end->queued;
		end->waiting_end = end->queue_end;
		end->queued = NULL;
		end->queue_end = &end->queued;
	}
	if (end->tasks) {
		*end->asked_end = end->tasks;
		end->asked_end = end->task_end;
		end->tasks = NULL;
		end->task_end = &end->tasks;
	}
	if (end->stop_by && (!remote_busy(end) || store_remote_mono() >= end->stop_by))
		end->stopping = true;
	stopping = end->stopping;
	end->wake_by = end->stop_by;
	pthread_mutex_unlock(&end->lock);
	return stopping;
}

/* The asker's questions see what was given before them. */
static bool remote_settled(const struct remote_end *end, uint64_t mark)
{
	struct remote_end *writer = &end->remote->writer;
	bool settled;

	pthread_mutex_lock(&writer->lock);
	settled = writer->done >= mark;
	if (!settled && !end->link.writer) {
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 50000000;
		if (until.tv_nsec >= 1000000000)
			until.tv_sec++, until.tv_nsec -= 1000000000;
		pthread_cond_timedwait(&writer->settled, &writer->lock, &until);
		settled = writer->done >= mark;
	}
	pthread_mutex_unlock(&writer->lock);
	return settled;
}

static void remote_sleep(struct remote_end *end)
{
	const struct store_driver *driver = end->remote->driver;
	int64_t until = INT64_MAX, now = store_remote_mono();
	struct pollfd fds[2] = {{.fd = end->bell, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	bool beats = end->link.writer && end->connected && driver->idle;
	uint64_t rung;
	int wait = -1;

	if (!end->connected && (end->link.writer || end->asked))
		until = end->next_try;
	if (beats)
		until = end->next_beat;
	if (beats && end->remote->config.shared &&
	    atomic_load(&end->remote->lease.look_at) < until)
		until = atomic_load(&end->remote->lease.look_at);
	if (beats && driver->fd)
		fds[1].fd = driver->fd(&end->link);
	if (!end->connected && store_remote_expires_at(end) < until)
		until = store_remote_expires_at(end);
	if (end->wake_by && end->wake_by < until)
		until = end->wake_by;
	if (until != INT64_MAX)
		wait = until <= now ? 0 : (int)((until - now) / 1000 + 1);
	if (poll(fds, 2, wait) > 0 && fds[1].revents)
		end->next_beat = 0;
	while (read(end->bell, &rung, sizeof(rung)) < 0 && errno == EINTR)
		;
}

/* What can be done now is done. False: there is nothing. */
static bool remote_work(struct remote_end *end)
{
	int64_t now = store_remote_mono();
	bool worked = false;

	if (!end->connected) {
		if ((end->link.writer || end->asked) && now >= end->next_try) {
			remote_connect(end);
			return true;
		}
		store_remote_expire(end);
		return false;
	}
	if (remote_fenced(end)) {
		remote_idle(end);
		return true;
	}
	/* Commits that never end must not keep what others wrote, or a lease that is over, for good. */
	if (!end->waiting || now >= end->turned_at + REMOTE_TURN) {
		end->turned_at = now;
		if (end->asked && (end->asked->deadline <= now || remote_settled(end, end->asked->mark))) {
			remote_step(end);
			worked = true;
		}
		if (end->connected && end->link.writer && end->remote->driver->idle &&
		    (now >= end->next_beat || remote_to_look(end, now))) {
			remote_idle(end);
			worked = true;
		}
	}
	if (!worked && end->waiting) {
		remote_commit(end);
		worked = true;
	}
	return worked || end->asked;
}

void *store_remote_main(void *context)
{
	struct remote_end *end = context;
	struct schedd_error err;

	if (end->secret.text)
		store_secret_hide_thread();
	for (;;) {
		bool stopping = remote_take(end);

		if (stopping)
			break;
		if (!remote_work(end))
			remote_sleep(end);
	}
	schedd_error_set(&err, SCHEDD_EFAILED, "store '%s': it is being closed",
	    end->remote->base.name);
	store_remote_settle_all(end, end->doubt, SCHEDD_EFAILED, &err);
	store_remote_settle_all(end, end->waiting, SCHEDD_EFAILED, &err);
	end->doubt = end->waiting = NULL;
	while (end->asked) {
		struct remote_task *task = end->asked;

		end->asked = task->next;
		task->rc = SCHEDD_EFAILED;
		task->err = err;
		store_letter_post(&task->base);
	}
	end->remote->driver->disconnect(&end->link);
	if (end->link.writer)
		store_remote_lease_end(&end->remote->lease);
	store_remote_ended(end->remote);
	return NULL;
}
