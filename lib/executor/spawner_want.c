/* SPDX-License-Identifier: MIT */
#include "executor/spawner_want.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "executor/spawner.h"

/* One that was killed as it was left has mostly said so after a moment. */
#define ASK_PATIENCE (20 * (schedd_span)1000)

struct spawner_wanted {
	struct spawner_start start; /* must be first */
	struct spawner_pool *pool;  /* borrowed */
	spawner_wanted_fn done;      /* NULL: it was left */
	void *context;
	bool inside;             /* spawner_want() has not returned yet */
	bool left;               /* it goes with its answer */
	bool answered;           /* while somebody looked: */
	struct schedd_error err; /* why it is not there */
	int rc;
};

static void spawner_wanted_free(struct spawner_wanted *asked)
{
	spawner_start_clear(&asked->start);
	free(asked);
}

static void spawner_wanted_done(struct spawner_start *start, const struct spawn_result *result)
{
	struct spawner_wanted *asked = (struct spawner_wanted *)(void *)start;
	spawner_wanted_fn done = asked->inside ? NULL : asked->done;
	void *context = asked->context;
	struct schedd_error err;
	pid_t pid = result->pid;
	int rc = result->error ? spawner_start_explain(&asked->start, result, &err) : 0;

	if (!rc && !done && pid > 0)
		kill(pid, SIGKILL);
	if (rc || !done)
		spawner_pool_bury(asked->pool, pid);
	asked->answered = true;
	asked->rc = rc ? rc : schedd_error_set(&asked->err, SCHEDD_EFAILED, "nobody waited for it");
	if (rc)
		asked->err = err;
	if (!done && !asked->left)
		return;
	spawner_wanted_free(asked);
	if (done)
		done(rc ? 0 : pid, rc ? &err : NULL, context);
}

/* The same with descriptors that may be taken; those that are missing fail the start. */
static struct spawn spawner_want_copy(const struct spawn *spawn)
{
	struct spawn copy = *spawn;

	for (int i = 0; i < SPAWN_FDS; i++)
		if (copy.fds[i] >= 0)
			copy.fds[i] = fcntl(copy.fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return copy;
}

struct spawner_wanted *spawner_want(struct spawner_pool *pool, const struct spawn *spawn,
    spawner_wanted_fn done, void *context, struct schedd_error *err)
{
	struct spawner_wanted *asked = calloc(1, sizeof(*asked));
	struct spawn copy;
	int rc;

	if (!asked) {
		schedd_error_nomem(err);
		return NULL;
	}
	asked->pool = pool;
	asked->start.done = spawner_wanted_done;
	asked->done = done;
	asked->context = context;
	asked->inside = true;
	copy = spawner_want_copy(spawn);
	rc = spawner_pool_start(pool, &copy, &asked->start, err);
	asked->inside = false;
	if (!rc && !asked->answered)
		return asked;
	/* Nobody could be asked: that is known at once. */
	if (!rc)
		*err = asked->err;
	spawner_wanted_free(asked);
	return NULL;
}

void spawner_want_leave(struct spawner_wanted *asked)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t left, end = clock->mono(clock->context).us + ASK_PATIENCE;

	if (!asked)
		return;
	asked->done = NULL;
	if (!spawner_pool_cancel(asked->pool, &asked->start, true))
		while (!asked->answered && (left = end - clock->mono(clock->context).us) > 0)
			spawner_pool_turn(asked->pool, left);
	else
		asked->answered = true;
	if (asked->answered)
		spawner_wanted_free(asked);
	else
		asked->left = true;
}
