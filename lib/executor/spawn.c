/* SPDX-License-Identifier: MIT */
#include "executor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include "executor/spawn_child.h"
#include "executor/spawn_secret.h"

void spawn_inherit_capture(struct spawn_inherit *inherit)
{
	memset(inherit, 0, sizeof(*inherit));
	pthread_sigmask(SIG_SETMASK, NULL, &inherit->mask);
	sigemptyset(&inherit->ignored);
	for (int signal = 1; signal < _NSIG; signal++) {
		struct sigaction action;

		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			sigaddset(&inherit->ignored, signal);
	}
	getrlimit(RLIMIT_NOFILE, &inherit->nofile);
	inherit->nice = getpriority(PRIO_PROCESS, 0);
}

/* The same descriptors out of the way of those the child is to have; false: there are no more. */
static bool spawn_lift(const struct spawn *spawn, struct spawn *lifted, int *null)
{
	bool worked = true;

	*lifted = *spawn;
	for (int i = 0; i < SPAWN_FDS; i++) {
		if (spawn->fds[i] < 0 || spawn->fds[i] > SPAWN_EXTRA)
			continue;
		lifted->fds[i] = fcntl(spawn->fds[i], F_DUPFD_CLOEXEC, SPAWN_EXTRA + 1);
		worked = worked && lifted->fds[i] >= 0;
	}
	*null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (*null >= 0 && *null <= SPAWN_EXTRA) {
		int low = *null;

		*null = fcntl(low, F_DUPFD_CLOEXEC, SPAWN_EXTRA + 1);
		close(low);
	}
	return worked && *null >= 0;
}

static void spawn_lower(const struct spawn *spawn, const struct spawn *lifted, int null)
{
	for (int i = 0; i < SPAWN_FDS; i++)
		if (lifted->fds[i] >= 0 && lifted->fds[i] != spawn->fds[i])
			close(lifted->fds[i]);
	if (null >= 0)
		close(null);
}

static void spawn_make(struct spawn_child *child)
{
	sigset_t all, before;

	/* No handler of ours may run in the child, which has our memory. */
	sigfillset(&all);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, _NSIG / 8);
	(void)spawn_child_make(child); /* nobody else has it */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, _NSIG / 8);
}

void spawn(const struct spawn *spawn, struct spawn_result *result)
{
	struct spawn_progress progress = {.state = SPAWN_TAKEN};
	struct spawn_child *child = calloc(1, sizeof(*child));
	struct spawn lifted;
	int null = -1;

	*result = (struct spawn_result){.step = SPAWN_SECRETS};
	if (!child) {
		*result = (struct spawn_result){.step = SPAWN_CLONE, .error = ENOMEM};
		return;
	}
	result->error = spawn_secret_copy(spawn, &result->index);
	if (!result->error && !spawn_lift(spawn, &lifted, &null)) {
		result->step = SPAWN_DESCRIPTORS;
		result->error = errno;
		spawn_lower(spawn, &lifted, null);
	} else if (!result->error) {
		child->spawn = &lifted;
		child->progress = &progress;
		child->null = null;
		/* Whether memory is shared is not known here. */
		child->alone = true;
		spawn_make(child);
		*result = progress.result;
		spawn_lower(spawn, &lifted, null);
	}
	free(child);
}

static int spawn_explain_secret(const struct spawn *spawn, const struct spawn_result *result,
    const char *text, struct schedd_error *err)
{
	const struct spawn_secret *secret;
	const char *name;

	if (result->index >= spawn->secret_count)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a directory for secrets: %s", text);
	secret = &spawn->secrets[result->index];
	name = strrchr(secret->to, '/') + 1;
	if (result->error == EACCES && spawn->account->change)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "secret %s: %s: %s to user '%s', and others than root can replace it", name,
		    secret->from, text, spawn->account->name);
	if (result->error == SPAWN_SECRET_PIPE)
		text = "it is a pipe, and must be a file";
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "secret %s: %s: %s", name, secret->from, text);
}

int spawn_explain(
    const struct spawn *spawn, const struct spawn_result *result, struct schedd_error *err)
{
	const char *text = strerror(result->error);
	char late[48];

	if (result->error == ETIMEDOUT) {
		snprintf(late, sizeof(late), "no answer within %d s", result->waited);
		text = late;
	}
	switch ((enum spawn_step)result->step) {
	case SPAWN_SECRETS:
		return spawn_explain_secret(spawn, result, text, err);
	case SPAWN_INTERPRETER:
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "command '%s': the interpreter it names is missing: %s", spawn->argv[0], text);
	case SPAWN_EXEC:
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "command '%s': %s", spawn->argv[0], text);
	case SPAWN_CWD:
		return schedd_error_set(err, SCHEDD_EFAILED, "cwd '%s': %s",
		    spawn->cwd ? spawn->cwd : spawn->account->home, text);
	case SPAWN_STDIN:
		return schedd_error_set(err, SCHEDD_EFAILED, "stdin '%s': %s",
		    spawn->input_path ? spawn->input_path : "", text);
	case SPAWN_USER:
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "user '%s': %s", spawn->account->name, text);
	case SPAWN_NICE:
		return schedd_error_set(err, SCHEDD_EFAILED, "nice %d: %s", spawn->nice, text);
	case SPAWN_RLIMIT:
		return schedd_error_set(err, SCHEDD_EFAILED, "rlimit %s: %s",
		    job_rlimit_name(spawn->rlimits[result->index].resource), text);
	case SPAWN_CGROUP:
		return schedd_error_set(err, SCHEDD_EFAILED, "control group: %s", text);
	case SPAWN_CLONE:
		if (result->error == ETIMEDOUT)
			return schedd_error_set(err, SCHEDD_EFAILED,
			    "cannot make a process: too many starts of user '%s' hang already",
			    spawn->account->name);
		return schedd_error_set(err, SCHEDD_EFAILED, "cannot make a process: %s", text);
	case SPAWN_SIGNALS:
	case SPAWN_SESSION:
	case SPAWN_DESCRIPTORS:
		break;
	}
	return schedd_error_set(err, SCHEDD_EFAILED, "preparing the process: %s", text);
}
