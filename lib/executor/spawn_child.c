/* SPDX-License-Identifier: MIT */
/*
 * In the child only raw system calls: libc's setuid would signal the parent's
 * threads, its sigaction is intercepted by sanitizers, and so on.
 */
#include "executor/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifdef SYS_setgroups32
#define CHILD_SETGROUPS SYS_setgroups32
#define CHILD_SETRESGID SYS_setresgid32
#define CHILD_SETRESUID SYS_setresuid32
#else
#define CHILD_SETGROUPS SYS_setgroups
#define CHILD_SETRESGID SYS_setresgid
#define CHILD_SETRESUID SYS_setresuid
#endif

#ifdef SCHEDD_SPAWN_OWN_CLONE
/* ThreadSanitizer's own clone() takes the child for a fork and spoils the memory that it shares. */
int __clone(int (*run)(void *), void *stack, int flags, void *context, ...);
#define clone __clone
#endif

#define CHILD_SIGSET_SIZE (_NSIG / 8) /* of the kernel's set, smaller than libc's */
#define CHILD_STACK 16384             /* the child's calls are shallow */
#define CHILD_PATH "/usr/local/bin:/usr/bin:/bin"

/* The kernel's struct sigaction: what is 0 after the handler needs no name. */
struct child_sigaction {
	void (*handler)(int);
	unsigned long rest[8];
};

int64_t spawn_child_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- The steps: each 0 or errno ---- */

int spawn_child_signals(const struct spawn_inherit *inherit)
{
	for (int signal = 1; signal < _NSIG; signal++) {
		struct child_sigaction action = {.handler = SIG_DFL};

		if (signal == SIGKILL || signal == SIGSTOP)
			continue;
		if (sigismember(&inherit->ignored, signal) == 1)
			action.handler = SIG_IGN;
		if (syscall(SYS_rt_sigaction, signal, &action, NULL, CHILD_SIGSET_SIZE) < 0)
			return errno;
	}
	return 0;
}

static int child_signals(struct spawn_child *child)
{
	return child->clean ? 0 : spawn_child_signals(child->spawn->inherit);
}

static int child_session(struct spawn_child *child)
{
	(void)child;
	return syscall(SYS_setsid) < 0 ? errno : 0;
}

static int child_cgroup(struct spawn_child *child)
{
	int fd = child->spawn->fds[SPAWN_FD_CGROUP];

	return fd >= 0 && syscall(SYS_write, fd, "0", 1) < 0 ? errno : 0;
}

static int child_nice(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	int nice = spawn->inherit->nice + spawn->nice;

	if ((child->clean && !spawn->nice) || syscall(SYS_setpriority, PRIO_PROCESS, 0, nice) == 0)
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

	if (!child->clean)
		(void)child_rlimit_set(RLIMIT_NOFILE, spawn->inherit->nofile.rlim_cur,
		    spawn->inherit->nofile.rlim_max);
	for (uint32_t i = 0; !error && i < spawn->rlimit_count; i++) {
		const struct job_rlimit *limit = &spawn->rlimits[i];

		child->progress->result.index = i;
		error = child_rlimit_set(limit->resource, limit->soft, limit->hard);
	}
	if (!child->clean || spawn->umask >= 0)
		syscall(SYS_umask, spawn->umask < 0 ? 022 : spawn->umask);
	return error;
}

/* As PAM's module does it, whose session was another process's; without it the job runs as well. */
static void child_loginuid(uid_t uid)
{
	char digits[12];
	size_t at = sizeof(digits);
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/loginuid", O_WRONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	do
		digits[--at] = (char)('0' + uid % 10);
	while ((uid /= 10) > 0);
	syscall(SYS_write, fd, digits + at, sizeof(digits) - at);
	syscall(SYS_close, fd);
}

static int child_user(struct spawn_child *child)
{
	const struct account *account = child->spawn->account;

	/* Before the ids change: not everybody may widen it afterwards. */
	if (child->cpus)
		syscall(SYS_sched_setaffinity, 0, sizeof(*child->cpus), child->cpus);
	if (account->loginuid)
		child_loginuid(account->uid);
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

static int child_put(int fd, int place)
{
	long rc = fd == place ? syscall(SYS_fcntl, fd, F_SETFD, 0)
			      : syscall(SYS_dup3, fd, place, 0);

	return rc < 0 ? errno : 0;
}

static int child_stdin(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	long fd = spawn->fds[SPAWN_FD_INPUT];

	if (fd < 0 && !spawn->input_path)
		return child_put(child->null, STDIN_FILENO);
	if (fd < 0) {
		/* Opening a named pipe must not wait for its writer. */
		fd = syscall(SYS_openat, AT_FDCWD, spawn->input_path,
		    O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
		if (fd < 0 || syscall(SYS_fcntl, fd, F_SETFL, 0) < 0)
			return errno;
	}
	return child_put((int)fd, STDIN_FILENO);
}

static int child_descriptors(struct spawn_child *child)
{
	const int *fds = child->spawn->fds;
	int output = fds[SPAWN_FD_OUTPUT] >= 0 ? fds[SPAWN_FD_OUTPUT] : child->null;
	int error = fds[SPAWN_FD_ERROR] >= 0 ? fds[SPAWN_FD_ERROR] : output;
	int script = fds[SPAWN_FD_EXTRA];
	/* What is above these must go, but not the pipe that says what failed. */
	int first = script >= 0 ? SPAWN_EXTRA + 1 : SPAWN_EXTRA;
	int failed = child_put(output, STDOUT_FILENO);

	if (!failed)
		failed = child_put(error, STDERR_FILENO);
	if (!failed && script >= 0)
		failed = child_put(script, SPAWN_EXTRA);
	if (failed || child->clean)
		return failed;
#ifdef SYS_close_range
	if (child->report < 0 || child->report < first)
		return syscall(SYS_close_range, first, UINT_MAX, 0) == 0 ? 0 : errno;
	if ((child->report == first ||
		syscall(SYS_close_range, first, child->report - 1, 0) == 0) &&
	    syscall(SYS_close_range, child->report + 1, UINT_MAX, 0) == 0)
		return 0;
#endif
	for (int fd = first; fd < 65536; fd++)
		if (fd != child->report)
			syscall(SYS_close, fd);
	return 0;
}

/* ---- execve ---- */

static const char *child_variable(const char *const *envp, const char *name)
{
	size_t length = strlen(name);

	for (; *envp; envp++)
		if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
			return *envp + length + 1;
	return NULL;
}

/* The last point at which the start can be called off. */
static bool child_goes_on(struct spawn_child *child)
{
	uint32_t expected = SPAWN_TAKEN;

	return atomic_compare_exchange_strong(&child->progress->state, &expected, SPAWN_EXECUTING);
}

static int child_exec_path(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	const char *at = child_variable(spawn->envp, "PATH");
	size_t name = strlen(spawn->argv[0]) + 1;
	int error = ENOENT;

	if (!at)
		at = CHILD_PATH;
	for (;; at++) {
		/* An empty element is the current directory. */
		size_t length = strcspn(at, ":");

		if (length + 1 + name <= sizeof(child->path)) {
			memcpy(child->path, at, length);
			if (length)
				child->path[length++] = '/';
			memcpy(child->path + length, spawn->argv[0], name);
			syscall(SYS_execve, child->path, spawn->argv, spawn->envp);
			/* As execvp: a file that may not be run is told only if there is no
			 * other. */
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				return errno;
			if (errno == EACCES)
				error = EACCES;
		}
		at += strcspn(at, ":");
		if (!*at)
			return error;
	}
}

static int child_exec(struct spawn_child *child)
{
	const struct spawn *spawn = child->spawn;
	const char *file = spawn->argv[0];

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &spawn->inherit->mask, NULL, CHILD_SIGSET_SIZE);
	/* Behind the change of ids, which undoes it. */
	if (spawn->tied)
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (!child_goes_on(child))
		return ECANCELED;
	if (file[0] && !strchr(file, '/'))
		return child_exec_path(child);
	syscall(SYS_execve, file, spawn->argv, spawn->envp);
	if (errno != ENOENT || file[0] != '/')
		return errno;
	if (syscall(SYS_faccessat, AT_FDCWD, file, F_OK) == 0)
		child->progress->result.step = SPAWN_INTERPRETER;
	return ENOENT;
}

static int (*const child_steps[])(struct spawn_child *child) = {
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

static int child_run(void *context)
{
	struct spawn_child *child = context;
	struct spawn_result *result = &child->progress->result;
	int error = 0;

	result->after = spawn_child_now();
	for (int step = SPAWN_SIGNALS; step <= SPAWN_EXEC && !error; step++) {
		result->step = step;
		error = child_steps[step](child);
	}
	result->error = error;
	if (child->report >= 0)
		syscall(SYS_write, child->report, result, sizeof(*result));
	syscall(SYS_exit_group, 127);
	return 127;
}

/* ---- The parent's side ---- */

static pid_t child_clone(struct spawn_child *child)
{
	_Alignas(16) char stack[CHILD_STACK];
	int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD | child->clone_flags;

	/* Its pid stands there before it runs, whatever becomes of us. */
	return clone(
	    child_run, stack + sizeof(stack), flags, child, &child->progress->result.pid);
}

/* Where nothing is shared word comes through a pipe, whose end is its execution. */
static void child_clone_alone(struct spawn_child *child)
{
	struct spawn_result *result = &child->progress->result;
	struct spawn_result told;
	uint32_t expected = SPAWN_TAKEN;
	int ends[2];
	ssize_t got;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		result->error = errno;
		return;
	}
	/* Not where the child puts what it is given. */
	child->report = fcntl(ends[1], F_DUPFD_CLOEXEC, SPAWN_EXTRA + 1);
	close(ends[1]);
	result->pid = child->report < 0 ? -1 : child_clone(child);
	close(child->report);
	if (result->pid < 0) {
		result->error = errno;
	} else {
		do
			got = read(ends[0], &told, sizeof(told));
		while (got < 0 && errno == EINTR);
		if (got == (ssize_t)sizeof(told)) {
			result->error = told.error;
			result->step = told.step;
			result->index = told.index;
		}
		atomic_compare_exchange_strong(
		    &child->progress->state, &expected, SPAWN_EXECUTING);
	}
	close(ends[0]);
}

bool spawn_child_make(struct spawn_child *child)
{
	struct spawn_progress *progress = child->progress;
	struct spawn_result *result = &progress->result;
	uint32_t state;

	*result = (struct spawn_result){.step = SPAWN_CLONE, .before = spawn_child_now()};
	child->report = -1;
	if (child->alone) {
		child_clone_alone(child);
	} else {
		pid_t pid = child_clone(child);

		if (pid < 0)
			result->error = errno;
		result->pid = pid;
	}
	if (result->pid < 0)
		result->pid = 0;
	if (result->after == 0)
		result->after = spawn_child_now();
	state = atomic_load(&progress->state);
	while (state != SPAWN_REVOKED &&
	       !atomic_compare_exchange_weak(&progress->state, &state, SPAWN_ANSWERED))
		;
	return state != SPAWN_REVOKED;
}

static int child_probe(void *context)
{
	*(volatile int *)context = 1;
	syscall(SYS_exit_group, 0);
	return 0;
}

bool spawn_child_shares(void)
{
	_Alignas(16) char stack[CHILD_STACK];
	volatile int seen = 0;
	pid_t pid = clone(
	    child_probe, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)&seen);
	bool shares = pid > 0 && seen;

	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return shares;
}
