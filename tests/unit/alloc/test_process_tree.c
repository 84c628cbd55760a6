/* SPDX-License-Identifier: MIT */
/* Signals reach a process that is being started even where there is no memory to look for others. */
#include "support/alloc_fault.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>
#include "executor/process_stat.h"
#include "executor/process_tree.h"

Test(alloc_process_tree, reaches_a_process_that_has_no_group_yet)
{
	static const int signals[] = {SIGTERM, SIGKILL};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct process_stat stat;
		int status, sent;
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		cr_assert(process_stat_read(pid, &stat));
		/* The list of all processes cannot be had. */
		alloc_fault_arm(1);
		sent = process_tree_signal(
		    &(struct process_tree){.pid = pid, .start = stat.start, .held = true, .invocation = "x", .uid = getuid()},
		    signals[i]);
		cr_expect(alloc_fault_disarm());
		cr_expect_gt(sent, 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect(WIFSIGNALED(status));
	}
}
