/* SPDX-License-Identifier: MIT */
/* A start that is called off ends, also where there was no memory to call it off at first. */
#include "support/alloc_fault.h"
#include "support/task_case.h"

#include <pwd.h>

/* Whose account is being looked up: that it is found is told when the loop turns, not before. */
static void called_off_start(struct task_case *kase, struct task_probe *probe)
{
	char user[80];

	snprintf(user, sizeof(user), "\"%.64s\"", getpwuid(getuid())->pw_name);
	task_case_open(kase, (struct executor_config){.type = "subprocess"});
	task_probe_init(probe, "shell", "\"sleep 1000\"");
	task_probe_set(probe, "user", user);
	task_probe_start(kase, probe);
	cr_assert(probe->task);
}

Test(alloc_exec_subprocess, ends_a_start_that_is_called_off)
{
	int refused = 0;

	/* An allocation of the thread that looks the account up may be the one that fails. */
	for (int round = 0; round < 100 && refused < 3; round++) {
		static struct task_case kase;
		struct task_probe probe;
		struct schedd_error err;
		int rc;

		called_off_start(&kase, &probe);
		alloc_fault_arm(1);
		rc = executor_signal(probe.task, SIGTERM, &err);
		alloc_fault_disarm();
		refused += rc != 0;
		if (rc) {
			cr_expect_eq(rc, SCHEDD_ENOMEM);
			cr_expect_eq(executor_signal(probe.task, SIGKILL, &err), 0);
		}
		task_case_until(&kase, &probe.done, 1);
		cr_expect_str_eq(probe.reason, "ended before it ran");
		cr_expect_eq(probe.result.signal, rc ? SIGKILL : SIGTERM);
		task_probe_clear(&probe);
		task_case_close(&kase);
	}
	cr_expect_gt(refused, 0);
}
