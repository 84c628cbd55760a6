/* SPDX-License-Identifier: MIT */
#include "executor/spawner_wait.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

struct spawner_waited {
	struct spawner_start start; /* first */
	struct spawn_result result;
	struct spawner_pool *pool;
	bool done;
	bool left; /* nobody waits any more */
};

static void spawner_waited_free(struct spawner_waited *waited)
{
	spawner_start_clear(&waited->start);
	free(waited);
}

static void spawner_waited_done(struct spawner_start *start, const struct spawn_result *result)
{
	struct spawner_waited *waited = (struct spawner_waited *)start;

	waited->result = *result;
	waited->done = true;
	if (!waited->left)
		return;
	/* It was killed as it was left. */
	spawner_pool_bury(waited->pool, result->pid);
	spawner_waited_free(waited);
}

/* The same with descriptors that may be taken; those that are missing fail the start. */
static struct spawn spawner_wait_copy(const struct spawn *spawn)
{
	struct spawn copy = *spawn;

	for (int i = 0; i < SPAWN_FDS; i++)
		if (copy.fds[i] >= 0)
			copy.fds[i] = fcntl(copy.fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return copy;
}

int spawner_wait(struct spawner_pool *pool, const struct spawn *spawn, schedd_span limit,
    pid_t *pid, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t left, end = clock->mono(clock->context).us + limit;
	struct spawner_waited *waited = calloc(1, sizeof(*waited));
	struct spawn copy;
	int rc;

	if (!waited)
		return schedd_error_nomem(err);
	waited->pool = pool;
	waited->start.done = spawner_waited_done;
	copy = spawner_wait_copy(spawn);
	rc = spawner_pool_start(pool, &copy, &waited->start, err);
	while (rc == 0 && !waited->done && (left = end - clock->mono(clock->context).us) > 0)
		spawner_pool_turn(pool, left);
	if (rc == 0 && !waited->done) {
		waited->left = !spawner_pool_cancel(pool, &waited->start, true);
		if (!waited->left)
			spawner_waited_free(waited);
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "command '%s': it could not be started within %g s", spawn->argv[0],
		    (double)limit / SCHEDD_SECOND);
	}
	if (rc == 0 && waited->result.error) {
		rc = spawner_start_explain(&waited->start, &waited->result, err);
		spawner_pool_bury(pool, waited->result.pid);
	}
	*pid = waited->result.pid;
	spawner_waited_free(waited);
	return rc;
}
