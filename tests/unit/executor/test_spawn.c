/* SPDX-License-Identifier: MIT */
/* Jobs get signals, limits and niceness as schedd found them, whatever schedd did since. */
#include "executor/spawn.h"

#include "executor/process_stat.h"
#include "executor/spawn_child.h"
#include "support/task_case.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void handler(int signal)
{
	(void)signal;
}

Test(spawn, gives_back_what_schedd_found_at_its_start)
{
	struct task_case kase = {0};
	struct spawn_inherit inherit;
	struct rlimit limit;
	sigset_t block;
	char expected[64];

	signal(SIGHUP, SIG_IGN); /* as nohup does */
	spawn_inherit_capture(&inherit);
	snprintf(expected, sizeof(expected), "%ld\n", (long)inherit.nofile.rlim_cur);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, handler);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_cur > 512 ? 512 : limit.rlim_cur - 1;
	setrlimit(RLIMIT_NOFILE, &limit);

	task_case_open(&kase, (struct executor_config){.type = "subprocess", .inherit = &inherit});
	cr_expect_str_eq(task_case_shell(&kase,
			     "\"cat /proc/self/status | grep -E '^Sig(Blk|Ign|Cgt)' | cut -f2\""),
	    "0000000000000000\n0000000000000001\n0000000000000000\n");
	cr_expect_str_eq(task_case_shell(&kase, "\"ulimit -n\""), expected);
	task_case_close(&kase);
}

Test(spawn, works_with_its_own_descriptors_closed)
{
	struct task_case kase = {0};
	struct task_probe probe;

	close(STDIN_FILENO);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	task_probe_init(&probe, "shell", "\"cat; echo out; echo error >&2\"");
	task_probe_set(&probe, "stdin", "{\"text\": \"in\\n\"}");
	task_probe_run(&kase, &probe);
	cr_expect_str_eq(task_probe_text(&probe), "in\nout\nerror\n");
	task_probe_clear(&probe);
	task_case_close(&kase);
}

Test(spawn, leaves_no_zombie_of_what_could_not_start)
{
	struct task_case kase = {0};
	struct task_probe probe;

	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	task_probe_init(&probe, "command", "[\"/bin/nope\"]");
	task_probe_run(&kase, &probe);
	/* What could not start is reaped by the way: only who starts jobs is left. */
	for (int zombies = 1; zombies;) {
		siginfo_t ended = {0};

		zombies = waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid;
		cr_assert_geq(schedd_loop_dispatch(kase.loop, 1), 0);
	}
	task_probe_clear(&probe);
	task_case_close(&kase);
}

/* The child shares the table of descriptors for a moment. */
Test(spawn, takes_no_descriptor_along_and_leaves_ours_as_they_are)
{
	struct task_case kase = {0};
	struct stat before[STDERR_FILENO + 1], after;
	int low = dup(STDIN_FILENO), high;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		fstat(fd, &before[fd]);
	task_case_open(&kase, (struct executor_config){.type = "subprocess"});
	high = fcntl(STDIN_FILENO, F_DUPFD, 500);
	/* ls has the folder itself at 3. */
	cr_expect_str_eq(task_case_shell(&kase, "\"exec ls /proc/self/fd\""), "0\n1\n2\n3\n");
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		cr_assert_eq(fstat(fd, &after), 0);
		cr_expect(after.st_dev == before[fd].st_dev && after.st_ino == before[fd].st_ino,
		    "%d is what it was", fd);
	}
	cr_expect_eq(fcntl(low, F_GETFD), 0, "still open");
	cr_expect_eq(fcntl(high, F_GETFD), 0, "still open");
	task_case_close(&kase);
	cr_expect_eq(dup(STDIN_FILENO), low + 1, "the executor has closed what it held");
}

/* What the next starts come to. */
static struct {
	enum spawn_step step; /* at which they fail */
	int error;            /* 0: they do not */
	int left;             /* starts that still work */
} fault;

static void faulty(const struct spawn *how, struct spawn_result *result)
{
	if (fault.left-- > 0 || !fault.error)
		spawn(how, result);
	else
		*result = (struct spawn_result){.step = fault.step, .error = fault.error, .waited = 10};
}

Test(spawn, says_what_failed_whatever_it_is)
{
	static const struct {
		enum spawn_step step;
		int error;
		const char *reason;
	} rows[] = {
	    {SPAWN_SECRETS, ENOSPC, "cannot make a directory for secrets: No space left on device"},
	    {SPAWN_CLONE, EAGAIN, "cannot make a process: Resource temporarily unavailable"},
	    {SPAWN_CLONE, ETIMEDOUT, "cannot make a process: too many starts of user 'root' hang already"},
	    {SPAWN_SIGNALS, EINVAL, "preparing the process: Invalid argument"},
	    {SPAWN_SESSION, EPERM, "preparing the process: Operation not permitted"},
	    {SPAWN_CGROUP, ENODEV, "control group: No such device"},
	    {SPAWN_NICE, EACCES, "nice 0: Permission denied"},
	    {SPAWN_USER, EAGAIN, "user 'root': Resource temporarily unavailable"},
	    {SPAWN_CWD, ENOTDIR, "cwd '/': Not a directory"},
	    {SPAWN_CWD, ETIMEDOUT, "cwd '/': no answer within 10 s"},
	    {SPAWN_STDIN, ENOENT, "stdin '/in': No such file or directory"},
	    {SPAWN_DESCRIPTORS, EMFILE, "preparing the process: Too many open files"},
	    {SPAWN_EXEC, ENOEXEC, "command '/bin/true': Exec format error"},
	    {SPAWN_INTERPRETER, ENOENT,
		"command '/bin/true': the interpreter it names is missing: No such file or directory"},
	};
	struct task_case kase = {0};

	if (geteuid() != 0)
		cr_skip("names root");
	task_case_open(&kase, (struct executor_config){.type = "subprocess", .start_by = faulty});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct task_probe probe;

		fault.step = rows[i].step;
		fault.error = rows[i].error;
		fault.left = 0;
		task_probe_init(&probe, "command", "[\"/bin/true\"]");
		task_probe_set(&probe, "cwd", "\"/\"");
		task_probe_set(&probe, "stdin", "{\"path\": \"/in\"}");
		task_probe_run(&kase, &probe);
		cr_expect_not(probe.result.started);
		cr_expect_eq(probe.started, 0);
		cr_expect_str_eq(probe.reason, rows[i].reason);
		task_probe_clear(&probe);
	}
	task_case_close(&kase);
}

/* For all n: the n-th start fails, those before and after it do not notice. */
Test(spawn, goes_on_after_a_start_that_failed)
{
	enum { COUNT = 6 };
	struct task_case kase = {0};

	task_case_open(&kase, (struct executor_config){.type = "subprocess", .start_by = faulty});
	for (int n = 0; n < COUNT; n++) {
		struct task_probe probes[COUNT];

		fault.step = SPAWN_CLONE;
		fault.error = ENOMEM;
		fault.left = n;
		for (int i = 0; i < COUNT; i++) {
			task_probe_init(&probes[i], "command", "[\"/bin/true\"]");
			if (i == n + 1)
				fault.error = 0;
			task_probe_start(&kase, &probes[i]);
		}
		for (int i = 0; i < COUNT; i++) {
			task_case_until(&kase, &probes[i].done, 1);
			cr_expect_eq(probes[i].result.started, i != n, "%d of %d", i, n);
			task_probe_clear(&probes[i]);
		}
	}
	task_case_close(&kase);
}

/* A machine that slept for an hour: its clocks differ by that from then on. */
static int after_an_hour_asleep(void)
{
	enum process_start how = PROCESS_START_UNTRIED;

	for (int i = 0; i < 100 && how == PROCESS_START_UNTRIED; i++) {
		struct schedd_mono before = {spawn_child_now()}, after;
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		after.us = spawn_child_now();
		(void)process_stat_start(pid, before, after, &how);
		waitpid(pid, NULL, 0);
	}
	return how;
}

Test(spawn, knows_start_times_by_the_clock_that_counts_sleep)
{
	const char offset[] = "boottime 3600 0";
	int fd, status;
	pid_t pid;

	if (unshare(CLONE_NEWTIME) < 0)
		cr_skip("no clocks of one's own here");
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(write(fd, offset, strlen(offset)), (ssize_t)strlen(offset));
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(after_an_hour_asleep());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(WEXITSTATUS(status), PROCESS_START_FROM_CLOCK);
}
