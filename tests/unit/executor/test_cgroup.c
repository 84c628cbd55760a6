/* SPDX-License-Identifier: MIT */
/*
 * With a control group nothing escapes. A subtree to write to is made in a
 * mount of the test's own; where that is not allowed, what is left to test is
 * that jobs run without.
 */
#include "executor/cgroup.h"

#include "support/task_case.h"
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "executor/process_stat.h"

static char mount_point[64], base[128];

/* False: not here. */
static bool make_subtree(void)
{
	snprintf(mount_point, sizeof(mount_point), "/tmp/schedd-cgroup-%ld", (long)getpid());
	snprintf(base, sizeof(base), "%s/schedd-test-%ld", mount_point, (long)getpid());
	if (mkdir(mount_point, 0700) < 0)
		return false;
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("none", mount_point, "cgroup2", 0, NULL) == 0 && mkdir(base, 0755) == 0)
		return true;
	rmdir(mount_point);
	return false;
}

static void remove_subtree(void)
{
	cr_expect_eq(rmdir(base), 0, "groups are left in it: %s", strerror(errno));
	cr_expect_eq(umount(mount_point), 0);
	rmdir(mount_point);
}

/* Starts a line that writes the pid of a process and waits for it. */
static pid_t start(struct task_case *kase, struct task_probe *probe, const char *line)
{
	task_probe_init(probe, "shell", line);
	task_probe_start(kase, probe);
	while (!strchr(task_probe_text(probe), '\n'))
		cr_assert_geq(schedd_loop_dispatch(kase->loop, 10000), 1);
	return (pid_t)atol(task_probe_text(probe));
}

Test(cgroup, reaches_what_nothing_else_would_find)
{
	struct task_case kase = {0};
	struct task_probe probe;
	struct process_stat stat;
	pid_t hidden, *members;

	if (!make_subtree())
		cr_skip_test("no control groups can be made here");
	task_case_open(&kase, (struct executor_config){.type = "subprocess", .cgroup = base});
	/* No parent, no session, no environment. */
	hidden = start(&kase, &probe,
	    "\"(env -i setsid sh -c 'echo $$; exec sleep 60' >&1 &); exec sleep 60\"");
	cr_expect_eq(cgroup_members(base, &members), 0, "each attempt has its own");
	free(members);
	cr_expect_eq(executor_signal(probe.task, SIGTERM, NULL), 0);
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGTERM);
	for (int i = 0; i < 3000 && process_stat_read(hidden, &stat) && stat.state != 'Z'; i++)
		schedd_loop_dispatch(kase.loop, 10);
	cr_expect(!process_stat_read(hidden, &stat) || stat.state == 'Z');
	task_probe_clear(&probe);
	task_case_close(&kase);
	/* The group of the run goes as its last process does. */
	for (int i = 0; i < 100 && cgroup_sweep(base, "run.") > 0; i++)
		usleep(1000);
	remove_subtree();
}

Test(cgroup, is_done_without_where_it_cannot_be_made)
{
	struct task_case kase = {0};
	struct task_probe probe;

	task_case_open(
	    &kase, (struct executor_config){.type = "subprocess", .cgroup = "/no/such/group"});
	task_probe_init(&probe, "command", "[\"/bin/true\"]");
	task_probe_run(&kase, &probe);
	cr_expect_eq(probe.result.exit_code, 0, "%s", probe.reason);
	task_probe_clear(&probe);
	task_case_close(&kase);
}

Test(cgroup, is_not_looked_for_at_the_root)
{
	char path[4096];
	int rc = cgroup_find(path, sizeof(path));

	if (rc == 0)
		cr_expect_eq(access(path, W_OK), 0);
	else
		cr_expect_eq(rc, SCHEDD_ENOTFOUND);
}
