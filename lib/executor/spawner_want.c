/* SPDX-License-Identifier: MIT */
#include "executor/spawner_want.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "executor/spawner.h"
#include "loop/alarm.h"

/* One that was killed as it was left has mostly said so after a moment. */
#define WANT_PATIENCE (20 * (schedd_span)1000)

struct spawner_wanted {
	struct spawner_start start; /* must be first */
	struct spawner_pool *pool;  /* borrowed */
	spawner_wanted_fn done;     /* NULL: it was left */
	void *context;
	bool inside;             /* spawner_want() has not returned yet */
	bool left;               /* it goes with its answer */
	bool answered;           /* while somebody looked: */
	struct schedd_error err; /* why it is not there, */
	int rc;
	pid_t pid;           /* or that it is, which is told */
	struct alarm *later; /* by this; NULL: it was not inside */
};

static void spawner_wanted_free(struct spawner_wanted *wanted)
{
	alarm_free(wanted->later);
	spawner_start_clear(&wanted->start);
	free(wanted);
}

static void spawner_wanted_kill(struct spawner_wanted *wanted, pid_t pid)
{
	if (pid > 0)
		kill(pid, SIGKILL);
	spawner_pool_bury(wanted->pool, pid);
}

static void spawner_wanted_done(struct spawner_start *start, const struct spawn_result *result)
{
	struct spawner_wanted *wanted = (struct spawner_wanted *)(void *)start;
	spawner_wanted_fn done = wanted->done;
	void *context = wanted->context;
	struct schedd_error err;
	pid_t pid = result->pid;
	int rc = result->error ? spawner_start_explain(&wanted->start, result, &err) : 0;

	if (rc)
		spawner_pool_bury(wanted->pool, pid);
	else if (!done)
		spawner_wanted_kill(wanted, pid);
	wanted->answered = true;
	wanted->rc = rc;
	wanted->pid = rc ? 0 : pid;
	if (rc)
		wanted->err = err;
	if (wanted->inside || (!done && !wanted->left))
		return;
	spawner_wanted_free(wanted);
	if (done)
		done(rc ? 0 : pid, rc ? &err : NULL, context);
}

/* The answer came before the question was over. */
static void spawner_wanted_later(bool stepped, void *context)
{
	struct spawner_wanted *wanted = context;
	spawner_wanted_fn done = wanted->done;
	void *for_whom = wanted->context;
	pid_t pid = wanted->pid;

	(void)stepped;
	spawner_wanted_free(wanted);
	done(pid, NULL, for_whom);
}

static int spawner_wanted_put_off(
    struct spawner_wanted *wanted, struct schedd_loop *loop, struct schedd_error *err)
{
	const struct schedd_mono now = {0};

	if (wanted->rc) {
		*err = wanted->err;
		return wanted->rc;
	}
	wanted->later = alarm_new_mono(loop, spawner_wanted_later, wanted, err);
	if (wanted->later && alarm_set_mono(wanted->later, now) == 0)
		return 0;
	spawner_wanted_kill(wanted, wanted->pid);
	return schedd_error_nomem(err);
}

/* The same with descriptors that may be taken. 0 or errno: none is there then. */
static int spawner_want_copy(const struct spawn *spawn, struct spawn *copy)
{
	int error = 0;

	*copy = *spawn;
	for (int i = 0; i < SPAWN_FDS; i++) {
		if (spawn->fds[i] < 0)
			continue;
		copy->fds[i] = error ? -1 : fcntl(spawn->fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (!error && copy->fds[i] < 0)
			error = errno;
	}
	for (int i = 0; error && i < SPAWN_FDS; i++)
		if (copy->fds[i] >= 0)
			close(copy->fds[i]);
	return error;
}

struct spawner_wanted *spawner_want(struct spawner_pool *pool, struct schedd_loop *loop,
    const struct spawn *spawn, spawner_wanted_fn done, void *context, struct schedd_error *err)
{
	struct spawner_wanted *wanted = calloc(1, sizeof(*wanted));
	struct spawn copy;
	int rc;

	if (!wanted) {
		schedd_error_nomem(err);
		return NULL;
	}
	wanted->pool = pool;
	wanted->start.done = spawner_wanted_done;
	for (int i = 0; i < SPAWN_FDS; i++)
		wanted->start.fds[i] = -1;
	wanted->done = done;
	wanted->context = context;
	wanted->inside = true;
	rc = spawner_want_copy(spawn, &copy);
	rc = rc ? schedd_error_set(err, SCHEDD_EFAILED, "cannot make a process: %s", strerror(rc))
		: spawner_pool_start(pool, &copy, &wanted->start, err);
	wanted->inside = false;
	if (!rc && wanted->answered)
		rc = spawner_wanted_put_off(wanted, loop, err);
	if (!rc)
		return wanted;
	spawner_wanted_free(wanted);
	return NULL;
}

void spawner_want_leave(struct spawner_wanted *wanted)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t left, end = clock->mono(clock->context).us + WANT_PATIENCE;

	if (!wanted)
		return;
	wanted->done = NULL;
	if (wanted->answered)
		spawner_wanted_kill(wanted, wanted->pid);
	else if (spawner_pool_cancel(wanted->pool, &wanted->start, true))
		wanted->answered = true;
	while (!wanted->answered && (left = end - clock->mono(clock->context).us) > 0)
		spawner_pool_turn(wanted->pool, left);
	if (wanted->answered)
		spawner_wanted_free(wanted);
	else
		wanted->left = true;
}
