/* SPDX-License-Identifier: MIT */
#include "executor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/arena.h"
#include "executor/spawn_child.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer's own clone() takes the child for a fork and spoils the memory that it shares. */
int __clone(int (*run)(void *), void *stack, int flags, void *context, ...);
#define clone __clone
#endif

#define SPAWN_STACK 16384 /* the child's calls are shallow */
#define SPAWN_PATH "/usr/local/bin:/usr/bin:/bin"

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

static const char *spawn_variable(const struct spawn *spawn, const char *name)
{
	size_t length = strlen(name);

	for (const char *const *at = spawn->envp; *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

/* The paths to try, in order. NULL: no memory. */
static const char *const *spawn_files(const struct spawn *spawn, struct arena *arena)
{
	const char *file = spawn->argv[0];
	const char *path = spawn_variable(spawn, "PATH");
	const char **files;
	size_t count = 1, i = 0;

	if (!path)
		path = SPAWN_PATH;
	for (const char *at = path; *at; at++)
		count += *at == ':';
	files = arena_alloc(arena, (count + 1) * sizeof(*files));
	if (!files)
		return NULL;
	if (strchr(file, '/') || !file[0]) {
		files[0] = file;
		return files;
	}
	for (const char *at = path; i < count; at += strcspn(at, ":") + 1) {
		int length = (int)strcspn(at, ":");

		/* An empty element is the current directory. */
		files[i++] =
		    arena_printf(arena, "%.*s/%s", length ? length : 1, length ? at : ".", file);
	}
	return arena_failed(arena) ? NULL : files;
}

/* The sentence for what the child could not do. */
static int spawn_explain(const struct spawn_child *child, struct schedd_error *err)
{
	const struct spawn *spawn = child->spawn;
	const char *text = strerror(child->error);
	const char *file = child->files[0];

	switch ((enum spawn_step)child->step) {
	case SPAWN_EXEC:
		if (child->error == ENOENT && strchr(spawn->argv[0], '/') && file[0] == '/' &&
		    access(file, F_OK) == 0)
			return schedd_error_set(err, SCHEDD_EFAILED,
			    "command '%s': the interpreter it names is missing: %s", file, text);
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
		    job_rlimit_name(spawn->rlimits[child->rlimit].resource), text);
	case SPAWN_CGROUP:
		return schedd_error_set(err, SCHEDD_EFAILED, "control group: %s", text);
	case SPAWN_TABLE:
	case SPAWN_SIGNALS:
	case SPAWN_SESSION:
	case SPAWN_DESCRIPTORS:
		break;
	}
	return schedd_error_set(err, SCHEDD_EFAILED, "preparing the process: %s", text);
}

static pid_t spawn_clone(struct spawn_child *child, int *pidfd)
{
	_Alignas(16) char stack[SPAWN_STACK];
	int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
	pid_t pid =
	    clone(spawn_child_run, stack + sizeof(stack), flags | CLONE_PIDFD, child, pidfd);

	/* Before Linux 5.2, and where the system is imitated. */
	if (pid < 0 && errno == EINVAL)
		pid = clone(spawn_child_run, stack + sizeof(stack), flags, child);
	return pid;
}

void spawn_reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Clones and waits for the program to execute, or for word of what failed. */
static int spawn_run(struct spawn_child *child, pid_t *pid, int *pidfd, struct schedd_error *err)
{
	struct arena arena;
	sigset_t all, before;
	int rc = 0, error;

	arena_init(&arena);
	child->files = spawn_files(child->spawn, &arena);
	if (!child->files) {
		rc = schedd_error_nomem(err);
		goto out;
	}
	/* No handler of ours may run in the child, which has our memory. */
	sigfillset(&all);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, _NSIG / 8);
	*pid = spawn_clone(child, pidfd);
	error = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, _NSIG / 8);
	if (*pid < 0) {
		rc = schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a process: %s", strerror(error));
	} else if (child->error) {
		spawn_reap(*pid);
		rc = spawn_explain(child, err);
	}
out:
	arena_clear(&arena);
	return rc;
}

/* Puts a descriptor where the child finds it; /dev/null is there already. */
static int spawn_slot(const struct spawn_slots *slots, int i, int fd, struct schedd_error *err)
{
	if (fd < 0 || fd == slots->null || dup3(fd, slots->fds[i], O_CLOEXEC) >= 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EFAILED, "descriptor: %s", strerror(errno));
}

int spawn(const struct spawn *spawn, pid_t *pid, int *pidfd, struct schedd_error *err)
{
	const struct spawn_slots *slots = spawn->slots;
	struct spawn_child child = {.spawn = spawn, .mask = spawn->inherit->mask};
	/* What is said twice is put once. */
	bool merged = spawn->error == spawn->output;
	const int given[SPAWN_SLOTS] = {
	    spawn->input, spawn->output, merged ? -1 : spawn->error, spawn->cgroup};
	int rc = 0;

	*pidfd = -1;
	for (int i = 0; i < SPAWN_SLOTS; i++) {
		child.fds[i] = given[i] < 0 ? -1 : slots->fds[i];
		if ((unsigned)slots->fds[i] >= child.first_unwanted)
			child.first_unwanted = (unsigned)slots->fds[i] + 1;
		if (rc == 0)
			rc = spawn_slot(slots, i, given[i], err);
	}
	if (merged)
		child.fds[SPAWN_SLOT_ERROR] = child.fds[SPAWN_SLOT_OUTPUT];
	if (rc == 0)
		rc = spawn_run(&child, pid, pidfd, err);
	for (int i = 0; i < SPAWN_SLOTS; i++)
		if (given[i] >= 0 && given[i] != slots->null)
			dup3(slots->null, slots->fds[i], O_CLOEXEC);
	if (rc < 0 && *pidfd >= 0) {
		close(*pidfd);
		*pidfd = -1;
	} else if (rc == 0 && *pidfd < 0) {
		*pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
	}
	return rc;
}

int spawn_slots_open(struct spawn_slots *slots, struct schedd_error *err)
{
	for (int i = 0; i < SPAWN_SLOTS; i++)
		slots->fds[i] = -1;
	slots->null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	for (int i = 0; i < SPAWN_SLOTS && slots->null >= 0; i++) {
		slots->fds[i] = fcntl(slots->null, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (slots->fds[i] < 0)
			break;
	}
	if (slots->fds[SPAWN_SLOTS - 1] >= 0)
		return 0;
	return schedd_error_set(err, SCHEDD_EFAILED, "/dev/null: %s", strerror(errno));
}

void spawn_slots_close(struct spawn_slots *slots)
{
	for (int i = 0; i < SPAWN_SLOTS; i++)
		if (slots->fds[i] >= 0)
			close(slots->fds[i]);
	if (slots->null >= 0)
		close(slots->null);
}
