/* SPDX-License-Identifier: MIT */
/* How the end of a child is seen, in a nursery and out of it. */
#include "executor/child.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>

static struct schedd_loop *loop;
static struct child_nursery *nursery;
static int ended;

static void open_case(void)
{
	struct schedd_error err = {0};

	loop = schedd_loop_new_fd(NULL);
	nursery = child_nursery_new(loop, schedd_clock_system(), &err);
	cr_assert_not_null(nursery, "%s", err.message);
	ended = 0;
}

static void close_case(void)
{
	child_nursery_free(nursery);
	schedd_loop_free(loop);
}

TestSuite(child, .init = open_case, .fini = close_case);

static void count_end(void *context)
{
	(void)context;
	ended++;
}

/* One that ends with that exit code when something comes through *gate. */
static pid_t make(int code, int *gate)
{
	int ends[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(code);
	}
	close(ends[0]);
	*gate = ends[1];
	return pid;
}

/* Leaves it unreaped. */
static void wait_for_end(pid_t pid)
{
	siginfo_t info;

	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void open_gate(int gate)
{
	cr_assert_eq(write(gate, "", 1), 1);
	close(gate);
}

static struct child *take_in(pid_t pid)
{
	struct schedd_error err = {0};
	struct child *child = child_new_in(nursery, pid, count_end, NULL, &err);

	cr_assert_not_null(child, "%s", err.message);
	return child;
}

static void until_ended(int count)
{
	while (ended < count)
		cr_assert_geq(schedd_loop_dispatch(loop, 30000), 1, "no end was told");
}

Test(child, is_over_when_its_pipes_are)
{
	struct child_exit status;
	int gate;
	struct child *child = take_in(make(7, &gate));
	pid_t pid = child_pid(child);

	open_gate(gate);
	wait_for_end(pid);
	cr_assert(child_over(child));
	cr_expect(child_ended(child));
	cr_expect(child_over(child), "it stays over");
	child_reap(child, &status);
	cr_expect_eq(status.exit_code, 7);
	cr_expect_eq(status.signal, 0);
	cr_expect_not(status.unknown);
	cr_expect_gt(status.max_rss, 0);
	cr_expect_eq(waitpid(pid, NULL, WNOHANG), -1, "it was reaped");
	cr_expect_eq(ended, 0, "who asked needs not be told");
}

Test(child, is_watched_where_it_outlives_its_pipes)
{
	struct child_exit status;
	int gate;
	struct child *child = take_in(make(3, &gate));

	cr_assert_not(child_over(child));
	cr_assert_not(child_over(child), "nor when asked again");
	open_gate(gate);
	until_ended(1);
	cr_expect(child_over(child));
	child_reap(child, &status);
	cr_expect_eq(status.exit_code, 3);
}

/* Its pipes may be held open by what it left behind. */
Test(child, is_watched_when_it_is_old_enough)
{
	struct child_exit status;
	int gates[3];
	struct child *children[3];

	for (int i = 0; i < 3; i++)
		children[i] = take_in(make(i, &gates[i]));
	open_gate(gates[1]);
	until_ended(1);
	cr_expect_eq(child_pid(children[1]) > 0 && child_ended(children[1]), 1);
	cr_expect_not(child_ended(children[0]));
	kill(child_pid(children[2]), SIGKILL);
	until_ended(2);
	child_reap(children[2], &status);
	cr_expect_eq(status.signal, SIGKILL);
	open_gate(gates[0]);
	until_ended(3);
	child_reap(children[0], &status);
	cr_expect_eq(status.exit_code, 0);
	child_reap(children[1], &status);
	cr_expect_eq(status.exit_code, 1);
	close(gates[2]);
}

/* Those that ended while the program had no descriptor for them. */
Test(child, is_told_of_without_descriptors)
{
	struct child_exit status;
	int gate, used[4096], count = 0;
	struct child *child = take_in(make(5, &gate));

	open_gate(gate);
	wait_for_end(child_pid(child));
	while (count < 4096 && (used[count] = dup(STDERR_FILENO)) >= 0)
		count++;
	until_ended(1);
	while (count)
		close(used[--count]);
	child_reap(child, &status);
	cr_expect_eq(status.exit_code, 5);
}

Test(child, whose_status_others_took_is_over)
{
	struct child_exit status;
	int gate;
	struct child *child = take_in(make(0, &gate));

	open_gate(gate);
	cr_assert_eq(waitpid(child_pid(child), NULL, 0), child_pid(child));
	cr_assert(child_over(child));
	child_reap(child, &status);
	cr_expect(status.unknown);
	cr_expect_eq(status.exit_code, -1);
}

Test(child, can_be_let_go_of_in_a_nursery)
{
	int gate;
	struct child *child = take_in(make(0, &gate));
	pid_t pid = child_pid(child);

	child_release(child);
	open_gate(gate);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
}
