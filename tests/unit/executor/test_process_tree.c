/* SPDX-License-Identifier: MIT */
/* Everything a run started is reached, and nothing else. */
#include "executor/process_tree.h"

#include "support/task_case.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "executor/adopted.h"
#include "executor/child.h"
#include "executor/process_census.h"
#include "executor/process_stat.h"

static struct task_case kase;

static void open_case(void)
{
	/* As schedd does: what loses its parent becomes a child of ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	task_case_open(&kase, (struct executor_config){
				  .type = "subprocess",
				  .drain = SCHEDD_SECOND / 10,
			      });
}

static void close_case(void)
{
	task_case_close(&kase);
}

TestSuite(process_tree, .init = open_case, .fini = close_case);

static bool gone(pid_t pid)
{
	struct process_stat stat;

	return !process_stat_read(pid, &stat) || stat.state == 'Z';
}

static bool inherited(pid_t pid)
{
	struct process_stat stat;

	return process_stat_read(pid, &stat) && stat.ppid == getpid();
}

static const char *invocation_of(pid_t pid)
{
	static char variables[65536];
	size_t length = process_stat_environ(pid, variables, sizeof(variables));
	const char *value = process_stat_variable(variables, length, "SCHEDD_INVOCATION");

	return value ? value : "";
}

static bool marked(pid_t pid)
{
	return invocation_of(pid)[0];
}

/* It has been executed, and shows what it was given. */
static bool sleeping(pid_t pid)
{
	char path[40], name[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "r");
	if (file) {
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		fclose(file);
	}
	return strcmp(name, "sleep\n") == 0 && marked(pid);
}

/* Turns the loop until it is so. */
static void until(bool (*so)(pid_t pid), pid_t pid)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t deadline = clock->mono(clock->context).us + TASK_CASE_DEADLINE;

	while (!so(pid)) {
		cr_assert_lt(
		    clock->mono(clock->context).us, deadline, "still waiting for %d", (int)pid);
		schedd_loop_dispatch(kase.loop, 5);
	}
}

/* Starts the line and waits until it has written as many pids, one a line. */
static void start_family(struct task_probe *probe, const char *line, pid_t *pids, int count)
{
	const char *text;

	task_probe_init(probe, "shell", line);
	task_probe_start(&kase, probe);
	for (int lines = 0; lines < count;) {
		cr_assert_geq(schedd_loop_dispatch(kase.loop, 10000), 1);
		lines = 0;
		for (text = task_probe_text(probe); *text; text++)
			lines += *text == '\n';
	}
	task_case_until(&kase, &probe->started, 1);
	text = task_probe_text(probe);
	for (int i = 0; i < count; i++) {
		pids[i] = (pid_t)strtol(text, (char **)&text, 10);
		cr_assert_not(gone(pids[i]));
	}
}

Test(process_tree, reaches_children_that_left_the_session)
{
	struct task_probe probe;
	pid_t pids[3];

	/* A child; one in a session of its own; one that lost its parent as well. */
	start_family(&probe,
	    "\"sleep 60 & echo $!; setsid sleep 60 & echo $!; "
	    "(setsid sh -c 'echo $$; exec sleep 60' &); wait\"",
	    pids, 3);
	cr_expect_eq(executor_signal(probe.task, SIGTERM, NULL), 0);
	for (int i = 0; i < 3; i++)
		until(gone, pids[i]);
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGTERM);
	task_probe_clear(&probe);
}

Test(process_tree, reaches_children_that_cleared_their_environment)
{
	struct task_probe probe;
	pid_t pids[1];

	start_family(&probe, "\"env -i setsid sh -c 'echo $$; exec sleep 60' & wait\"", pids, 1);
	cr_expect_eq(executor_signal(probe.task, SIGKILL, NULL), 0);
	until(gone, pids[0]);
	task_case_until(&kase, &probe.done, 1);
	task_probe_clear(&probe);
}

static pid_t in_session(pid_t session)
{
	struct process_stat *list;
	int count = process_stat_list(&list);
	pid_t pid = 0;

	for (int i = 0; i < count; i++)
		if (list[i].session == session && list[i].state != 'Z')
			pid = list[i].pid;
	free(list);
	return pid;
}

/* Has a process of that session become a child of ours? */
static bool orphaned(pid_t session)
{
	struct process_stat *list;
	int count = process_stat_list(&list);
	bool found = false;

	for (int i = 0; i < count; i++)
		found |= list[i].session == session && list[i].ppid == getpid();
	free(list);
	return found;
}

static bool session_gone(pid_t session)
{
	return in_session(session) == 0;
}

/* It goes on to make processes without a mark, which lose their parents at once. */
Test(process_tree, reaches_orphans_by_the_session_of_their_kin)
{
	struct task_probe probe;
	pid_t pids[1];

	start_family(&probe,
	    "\"env -i setsid sh -c 'echo $$; while :; do (sleep 60 &); done' & wait\"", pids, 1);
	until(orphaned, pids[0]);
	cr_expect_eq(executor_signal(probe.task, SIGKILL, NULL), 0);
	until(session_gone, pids[0]);
	task_case_until(&kase, &probe.done, 1);
	task_probe_clear(&probe);
}

/* Nobody has heard from the program that starts it. */
Test(process_tree, reaches_children_before_the_start_is_answered)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t deadline = clock->mono(clock->context).us + TASK_CASE_DEADLINE;
	char name[] = "/tmp/schedd-tree-XXXXXX", line[256], text[32] = "";
	int fd = mkstemp(name);
	struct task_probe probe;

	snprintf(line, sizeof(line),
	    "\"env -i setsid sh -c 'echo $$ > %s; exec sleep 60' & wait\"", name);
	task_probe_init(&probe, "shell", line);
	task_probe_start(&kase, &probe);
	while (pread(fd, text, sizeof(text) - 1, 0) <= 0 || !strchr(text, '\n')) {
		cr_assert_lt(clock->mono(clock->context).us, deadline);
		usleep(1000);
	}
	cr_expect_eq(probe.started, 0);
	cr_expect_eq(executor_signal(probe.task, SIGKILL, NULL), 0);
	until(gone, (pid_t)atol(text));
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGKILL);
	task_probe_clear(&probe);
	unlink(name);
	close(fd);
}

Test(process_tree, reaches_what_outlives_the_main_process)
{
	struct task_probe probe;
	pid_t pids[1];

	start_family(&probe, "\"setsid sleep 60 & echo $!\"", pids, 1);
	cr_expect_eq(executor_signal(probe.task, SIGTERM, NULL), 0);
	until(gone, pids[0]);
	task_case_until(&kase, &probe.done, 1);
	cr_expect_str_eq(probe.reason, "", "its end closed the pipe");
	task_probe_clear(&probe);
}

/* Also of the same name, of another schedd or another account. */
Test(process_tree, leaves_other_runs_alone)
{
	struct task_probe ours, other;
	pid_t mine[1], theirs[1];
	char invocation[64];

	start_family(&other, "\"setsid sleep 60 & echo $!; wait\"", theirs, 1);
	start_family(&ours, "\"setsid sleep 60 & echo $!; wait\"", mine, 1);
	/* While it executes it has no environment for a moment. */
	until(sleeping, mine[0]);
	until(sleeping, theirs[0]);
	snprintf(invocation, sizeof(invocation), "%s", invocation_of(mine[0]));
	cr_expect_eq(strlen(invocation), PROCESS_INVOCATION);
	cr_expect_str_neq(invocation, invocation_of(theirs[0]));
	cr_expect(process_invoked(mine[0], invocation, geteuid()));
	cr_expect_not(process_invoked(mine[0], invocation, geteuid() + 1), "another's");
	cr_expect_not(process_invoked(theirs[0], invocation, geteuid()));
	cr_expect_not(process_invoked(getpid(), invocation, geteuid()));
	cr_expect_eq(executor_signal(other.task, SIGKILL, NULL), 0);
	until(gone, theirs[0]);
	cr_expect_not(gone(mine[0]));
	cr_expect_eq(executor_signal(ours.task, SIGKILL, NULL), 0);
	until(gone, mine[0]);
	task_case_until(&kase, &other.done, 1);
	task_case_until(&kase, &ours.done, 1);
	task_probe_clear(&ours);
	task_probe_clear(&other);
}

static bool owned(pid_t pid, uint64_t start, void *context)
{
	(void)start;
	return executor_owns(context, pid);
}

Test(process_tree, reaps_orphans_but_no_child_of_others)
{
	struct task_probe probe;
	pid_t pids[1], child;
	siginfo_t info;

	start_family(&probe, "\"(sleep 60 & echo $!); exec sleep 60\"", pids, 1);
	until(inherited, pids[0]);
	cr_expect_eq(process_tree_reap_orphans(owned, kase.executor), 0);
	cr_expect_eq(kill(pids[0], SIGKILL), 0);
	until(gone, pids[0]);
	cr_expect_eq(kill(probe.pid, SIGKILL), 0);
	/* Ended and not yet taken notice of. */
	cr_assert_eq(waitid(P_PID, (id_t)probe.pid, &info, WEXITED | WNOWAIT), 0);
	cr_expect_eq(process_tree_reap_orphans(owned, kase.executor), 1);
	child = waitpid(pids[0], NULL, WNOHANG);
	cr_expect_eq(child, -1, "the orphan was reaped");
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.signal, SIGKILL, "the run was not");
	task_probe_clear(&probe);
}

static void count_end(void *context)
{
	++*(int *)context;
}

Test(process_tree, adopts_a_process_by_pid_and_start_time)
{
	struct schedd_error err = {0};
	struct task_probe probe;
	struct adopted *adopted;
	pid_t pids[1];
	int ended = 0;

	start_family(&probe, "\"setsid sleep 60 & echo $!; wait\"", pids, 1);
	cr_expect_null(adopted_new(
	    kase.loop, probe.pid, probe.pid_start + 1, "probe/1", "", count_end, &ended, &err));
	cr_expect_eq(err.code, SCHEDD_ENOTFOUND, "that pid was given anew: %s", err.message);
	adopted = adopted_new(kase.loop, probe.pid, probe.pid_start, "probe/1",
	    invocation_of(probe.pid), count_end, &ended, &err);
	cr_assert_not_null(adopted, "%s", err.message);
	cr_expect_eq(adopted_pid(adopted), probe.pid);
	cr_expect_eq(adopted_signal(adopted, SIGTERM, &err), 0, "%s", err.message);
	task_case_until(&kase, &ended, 1);
	task_case_until(&kase, &probe.done, 1);
	until(gone, pids[0]);
	cr_expect_eq(ended, 1);
	cr_expect_eq(adopted_signal(adopted, SIGTERM, &err), SCHEDD_ENOTFOUND);
	adopted_free(adopted);
	cr_expect_null(adopted_new(
	    kase.loop, probe.pid, probe.pid_start, "probe/1", "", count_end, &ended, &err));
	task_probe_clear(&probe);
}

Test(process_tree, waits_for_a_child_without_a_pidfd)
{
	struct child *child;
	struct child_exit status;
	int ended = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	child = child_new(kase.loop, schedd_clock_system(), pid, -1, count_end, &ended, NULL);
	cr_assert_not_null(child);
	task_case_until(&kase, &ended, 1);
	cr_expect(child_ended(child));
	child_reap(child, &status);
	cr_expect_eq(status.exit_code, 5);
	cr_expect_not(status.unknown);
}

Test(process_tree, notices_that_a_child_was_taken)
{
	struct task_probe probe;

	task_probe_init(&probe, "command", "[\"/bin/true\"]");
	task_probe_running(&kase, &probe);
	/* A host that waits for any child. */
	cr_expect_eq(waitpid(probe.pid, NULL, 0), probe.pid);
	task_case_until(&kase, &probe.done, 1);
	cr_expect_eq(probe.result.exit_code, -1);
	cr_expect_str_eq(probe.reason, "its exit status was taken by another part of this program");
	task_probe_clear(&probe);
}

/* What the clock says is what /proc would have said, and /proc is asked where it cannot say. */
Test(process_tree, knows_when_a_child_started)
{
	const struct schedd_clock *clock = schedd_clock_system();
	enum process_start how = PROCESS_START_UNTRIED;

	for (int i = 0; i < 200; i++) {
		struct schedd_mono before = clock->mono(clock->context);
		pid_t pid = fork();
		struct process_stat stat;

		if (pid == 0)
			pause();
		cr_assert_eq(process_stat_start(pid, before, clock->mono(clock->context), &how),
		    process_stat_read(pid, &stat) ? stat.start : 0, "child %d", i);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	how = PROCESS_START_FROM_STAT;
	cr_expect_gt(
	    process_stat_start(getpid(), (struct schedd_mono){0}, (struct schedd_mono){0}, &how),
	    0);
}

Test(process_tree, finds_a_run_by_what_it_was_given)
{
	static const char value[] = "0123456789abcdef0123456789abcdef";
	struct process_census *census;
	struct task_probe probe;
	uint64_t start = 0;
	pid_t pid = 0;

	task_probe_init(&probe, "shell", "\"setsid sleep 60 & exec sleep 60\"");
	probe.request.invocation = value;
	task_probe_running(&kase, &probe);
	until(marked, probe.pid);
	census = process_census_new();
	cr_assert_not_null(census);
	cr_expect(process_census_find(census, value, &pid, &start));
	cr_expect_eq(pid, probe.pid, "the oldest");
	cr_expect_eq(start, probe.pid_start);
	cr_expect_not(process_census_find(census, "0123456789abcdef0123456789abcde0", &pid, &start));
	process_census_free(census);
	cr_expect_eq(executor_signal(probe.task, SIGKILL, NULL), 0);
	task_case_until(&kase, &probe.done, 1);
	task_probe_clear(&probe);
}
