/* SPDX-License-Identifier: MIT */
/* A lock is refused while its holder lives, and only then. */
#include "server/lock.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char folder[] = "/tmp/test_lock.XXXXXX";
static char path[64];

static void open_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/lock", folder);
}

static void close_folder(void)
{
	unlink(path);
	rmdir(folder);
}

TestSuite(lock, .init = open_folder, .fini = close_folder);

/* A holder that says so and waits to be killed; with heir, so does a child that shares its
 * descriptors. */
static pid_t holder(bool heir)
{
	struct schedd_error err;
	struct lock lock;
	int ends[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (lock_take(&lock, path, "lock", &err) < 0)
			_exit(1);
		if (heir &&
		    syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL) == 0) {
			usleep(300000);
			_exit(0);
		}
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

Test(lock, is_refused_with_the_pid_of_its_holder)
{
	pid_t pid = holder(false);
	struct schedd_error err;
	struct lock lock;
	char text[64];

	cr_assert_eq(lock_take(&lock, path, "lock of mine", &err), SCHEDD_EFAILED);
	snprintf(text, sizeof(text), "the lock of mine is held by another schedd with pid %d", pid);
	cr_expect_str_eq(err.message, text);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_assert_eq(lock_take(&lock, path, "lock", &err), 0, "%s", err.message);
	lock_release(&lock);
	cr_expect_neq(access(path, F_OK), 0);
}

static void expect_inherited(bool reap)
{
	pid_t pid = holder(true);
	struct schedd_error err;
	struct lock lock;
	siginfo_t info;

	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | (reap ? 0 : WNOWAIT));
	cr_assert_eq(lock_take(&lock, path, "lock", &err), 0, "%s", err.message);
	lock_release(&lock);
	if (!reap)
		waitpid(pid, NULL, 0);
}

/* As when the daemon is killed while it starts a process. */
Test(lock, is_waited_for_while_a_child_of_the_dead_has_it)
{
	expect_inherited(true);
}

Test(lock, is_waited_for_although_nobody_has_reaped_the_dead)
{
	expect_inherited(false);
}
