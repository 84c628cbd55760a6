/* SPDX-License-Identifier: MIT */
/* Jobs get signals, limits and niceness as schedd found them, whatever schedd did since. */
#include "executor/spawn.h"

#include "support/task_case.h"
#include <fcntl.h>
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
