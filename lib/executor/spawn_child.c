/* SPDX-License-Identifier: MIT */
/*
 * Only raw system calls: libc's setuid would signal the parent's threads, its
 * sigaction is intercepted by sanitizers, and so on.
 */
#include "executor/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifdef SYS_setgroups32
#define CHILD_SETGROUPS SYS_setgroups32
#define CHILD_SETRESGID SYS_setresgid32
#define CHILD_SETRESUID SYS_setresuid32
#else
#define CHILD_SETGROUPS SYS_setgroups
#define CHILD_SETRESGID SYS_setresgid
#define CHILD_SETRESUID SYS_setresuid
#endif

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif

#define CHILD_SIGSET_SIZE (_NSIG / 8) /* of the kernel's set, smaller than libc's */

/* The kernel's struct sigaction: what is 0 after the handler needs no name. */
struct child_sigaction {
	void (*handler)(int);
	unsigned long rest[8];
};

/*
 * Each step: 0 or errno.
 *
 * A table of the child's own, before anything in it changes. Of the
 * parent's, which may be long, only the low end is copied where the kernel can.
 */
static int child_table(struct spawn_child *child)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, child->first_unwanted, UINT_MAX, CLOSE_RANGE_UNSHARE) == 0)
		return 0;
#endif
	(void)child;
	return syscall(SYS_unshare, CLONE_FILES) < 0 ? errno : 0;
}

static int child_signals(struct spawn_child *child)
{
	for (int signal = 1; signal < _NSIG; signal++) {
		struct child_sigaction action = {.handler = SIG_DFL};

		if (signal == SIGKILL || signal == SIGSTOP)
			continue;
		if (sigismember(&child->spawn->inherit->ignored, signal) == 1)
			action.handler = SIG_IGN;
		if (syscall(SYS_rt_sigaction, signal, &action, NULL, CHILD_SIGSET_SIZE) < 0)
			return errno;
	}
	return 0;
}

static int child_session(struct spawn_child *child)
{
	(void)child;
	return syscall(SYS_setsid) < 0 ? errno : 0;
}

static int child_cgroup(struct spawn_child *child)
{
	int fd = child->fds[SPAWN_SLOT_CGROUP];

	return fd >= 0 && syscall(SYS_write, fd, "0", 1) < 0 ? errno : 0;
}

static int child_nice(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	int nice = spawn->inherit->nice + spawn->nice;

	if (syscall(SYS_setpriority, PRIO_PROCESS, 0, nice) == 0)
		return 0;
	/* Going back to what schedd had is not always allowed, and nothing the job asked for. */
	return spawn->nice ? errno : 0;
}

static int child_rlimit_set(int resource, uint64_t soft, uint64_t hard)
{
	const uint64_t limit[2] = {soft, hard}; /* struct rlimit64 */

	return syscall(SYS_prlimit64, 0, resource, limit, NULL) < 0 ? errno : 0;
}

static int child_rlimits(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	int error = 0;

	(void)child_rlimit_set(
	    RLIMIT_NOFILE, spawn->inherit->nofile.rlim_cur, spawn->inherit->nofile.rlim_max);
	for (uint32_t i = 0; !error && i < spawn->rlimit_count; i++) {
		const struct job_rlimit *limit = &spawn->rlimits[i];

		child->rlimit = i;
		error = child_rlimit_set(limit->resource, limit->soft, limit->hard);
	}
	syscall(SYS_umask, spawn->umask < 0 ? 022 : spawn->umask);
	return error;
}

static int child_user(struct spawn_child *child)
{
	const struct account *account = child->spawn->account;

	if (!account->change)
		return 0;
	if (syscall(CHILD_SETGROUPS, account->group_count, account->groups) < 0 ||
	    syscall(CHILD_SETRESGID, account->gid, account->gid, account->gid) < 0 ||
	    syscall(CHILD_SETRESUID, account->uid, account->uid, account->uid) < 0)
		return errno;
	return 0;
}

static int child_cwd(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;

	if (spawn->cwd)
		return syscall(SYS_chdir, spawn->cwd) < 0 ? errno : 0;
	if (syscall(SYS_chdir, spawn->account->home) == 0)
		return 0;
	/* Accounts of services often have no home. */
	return syscall(SYS_chdir, "/") < 0 ? errno : 0;
}

static int child_stdin(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	long fd = child->fds[SPAWN_SLOT_INPUT];

	if (fd < 0) {
		/* Opening a named pipe must not wait for its writer: the parent waits for us. */
		fd = syscall(SYS_openat, AT_FDCWD, spawn->input_path,
		    O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
		if (fd < 0 || syscall(SYS_fcntl, fd, F_SETFL, 0) < 0)
			return errno;
	}
	return syscall(SYS_dup3, fd, STDIN_FILENO, 0) < 0 ? errno : 0;
}

static int child_descriptors(struct spawn_child *child)
{
	if (syscall(SYS_dup3, child->fds[SPAWN_SLOT_OUTPUT], STDOUT_FILENO, 0) < 0 ||
	    syscall(SYS_dup3, child->fds[SPAWN_SLOT_ERROR], STDERR_FILENO, 0) < 0)
		return errno;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, 0) == 0)
		return 0;
#endif
	for (int fd = STDERR_FILENO + 1; fd < 65536; fd++)
		syscall(SYS_close, fd);
	return 0;
}

static int child_exec(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	int error = ENOENT;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &child->mask, NULL, CHILD_SIGSET_SIZE);
	for (const char *const *file = child->files; *file; file++) {
		syscall(SYS_execve, *file, spawn->argv, spawn->envp);
		/* As execvp: a file that may not be run is told only if there is no other. */
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			return errno;
		if (errno == EACCES)
			error = EACCES;
	}
	return error;
}

static int (*const child_steps[])(struct spawn_child *child) = {
    [SPAWN_TABLE] = child_table,
    [SPAWN_SIGNALS] = child_signals,
    [SPAWN_SESSION] = child_session,
    [SPAWN_CGROUP] = child_cgroup,
    [SPAWN_NICE] = child_nice,
    [SPAWN_RLIMIT] = child_rlimits,
    [SPAWN_USER] = child_user,
    [SPAWN_CWD] = child_cwd,
    [SPAWN_STDIN] = child_stdin,
    [SPAWN_DESCRIPTORS] = child_descriptors,
    [SPAWN_EXEC] = child_exec,
};

int spawn_child_run(void *context)
{
	struct spawn_child *child = context;
	int error = 0;

	for (int step = SPAWN_TABLE; step <= SPAWN_EXEC && !error; step++) {
		child->step = step;
		error = child_steps[step](child);
	}
	child->error = error;
	syscall(SYS_exit_group, 127);
	return 127;
}
