/* SPDX-License-Identifier: MIT */
#include "executor/worker_launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "executor/account_pam.h"
#include "loop/alarm.h"

#define LAUNCH_PATIENCE (10 * SCHEDD_SECOND) /* with the look-up */

struct worker_launch {
	struct worker_world *world;
	struct account_waiter account; /* while it is looked up */
	struct alarm *patience;        /* meanwhile */
	struct spawner_wanted *asked;  /* NULL: not yet */
	int fds[3];                    /* its own, while it waits; -1: none */
	spawner_wanted_fn done;
	void *context;
};

static void launch_free(struct worker_launch *launch)
{
	alarm_free(launch->patience);
	for (int i = 0; i < 3; i++)
		if (launch->fds[i] >= 0)
			close(launch->fds[i]);
	free(launch);
}

static void launch_tell(struct worker_launch *launch, pid_t pid, const struct schedd_error *err)
{
	spawner_wanted_fn done = launch->done;
	void *context = launch->context;

	launch_free(launch);
	done(pid, err, context);
}

static void launch_told(pid_t pid, const struct schedd_error *err, void *context)
{
	launch_tell(context, pid, err);
}

static void launch_known(
    const struct account *account, const struct schedd_error *err, void *context)
{
	struct worker_launch *launch = context;
	struct schedd_error why;

	if (account) {
		launch->asked = worker_world_spawn(
		    launch->world, account, launch->fds, launch_told, launch, &why);
		err = &why;
	}
	if (!launch->asked) {
		why = *err; /* what it points to may go with the launch */
		launch_tell(launch, 0, &why);
		return;
	}
	alarm_free(launch->patience);
	launch->patience = NULL;
}

static void launch_too_long(bool stepped, void *context)
{
	struct worker_launch *launch = context;
	struct schedd_error err;

	(void)stepped;
	account_cache_forget(worker_world_accounts(launch->world), &launch->account);
	schedd_error_set(
	    &err, SCHEDD_EFAILED, "the system's databases have not answered within 10 s");
	launch_tell(launch, 0, &err);
}

/* The account has to be looked up: nothing here waits for that. */
static int launch_wait(struct worker_launch *launch, const int fds[3], struct schedd_error *err)
{
	const struct executor_config *executor = worker_world_executor(launch->world);
	struct schedd_mono when = executor->clock->mono(executor->clock->context);

	when.us += LAUNCH_PATIENCE;
	for (int i = 0; i < 3; i++) {
		launch->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (launch->fds[i] < 0)
			return schedd_error_set(err, SCHEDD_EFAILED, "there are no descriptors left");
	}
	launch->patience = alarm_new_mono(executor->loop, launch_too_long, launch, err);
	if (!launch->patience)
		return err->code;
	return alarm_set_mono(launch->patience, when) < 0 ? schedd_error_nomem(err) : 0;
}

struct worker_launch *worker_launch_new(struct worker_world *world, const char *user,
    const int fds[3], spawner_wanted_fn done, void *context, struct schedd_error *err)
{
	const struct executor_config *executor = worker_world_executor(world);
	struct worker_launch *launch = calloc(1, sizeof(*launch));
	char named[sizeof(ACCOUNT_NAMED) + JOB_ACCOUNT_MAX];
	const struct account *account;
	int rc;

	if (!launch) {
		schedd_error_nomem(err);
		return NULL;
	}
	*launch = (struct worker_launch){.world = world,
	    .account = {.done = launch_known, .context = launch},
	    .fds = {-1, -1, -1},
	    .done = done,
	    .context = context};
	/* An account's; else it is what the config says, in any form. */
	if (user)
		snprintf(named, sizeof(named), ACCOUNT_NAMED "%s", user);
	rc = account_cache_ask(worker_world_accounts(world), user ? named : worker_world_user(world, NULL),
	    executor->clock->mono(executor->clock->context), &launch->account, &account, err);
	if (rc == 0)
		launch->asked = worker_world_spawn(world, account, fds, launch_told, launch, err);
	if (launch->asked || (rc > 0 && launch_wait(launch, fds, err) == 0))
		return launch;
	account_cache_forget(worker_world_accounts(world), &launch->account);
	launch_free(launch);
	return NULL;
}

void worker_launch_leave(struct worker_launch *launch)
{
	if (!launch)
		return;
	if (launch->asked)
		spawner_want_leave(launch->asked);
	else
		account_cache_forget(worker_world_accounts(launch->world), &launch->account);
	launch_free(launch);
}
