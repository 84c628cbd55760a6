/* SPDX-License-Identifier: MIT */
#include "executor/worker_launch.h"

#include "support/task_case.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct executor_config executor = {.name = "w", .type = "worker"};
static struct worker_world *world;
static int fds[3];

static void open_world(void)
{
	static const char *const command[] = {"/bin/sleep", "1000", NULL};
	struct worker_config config;
	struct executor_config given = {.worker = &config};
	struct schedd_error err;

	if (geteuid() != 0)
		cr_skip_test("needs root to become another");
	worker_config_init(&config);
	config.command = command;
	executor.loop = schedd_loop_new_fd(NULL);
	executor.clock = schedd_clock_system();
	cr_assert_eq(worker_world_new(&executor, &given, &world, &err), 0, "%s", err.message);
	for (int i = 0; i < 3; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void close_world(void)
{
	worker_world_free(world);
	schedd_loop_free(executor.loop);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

TestSuite(worker_launch, .init = open_world, .fini = close_world);

struct answer {
	int count;
	pid_t pid;
	struct schedd_error err;
};

static void told(pid_t pid, const struct schedd_error *err, void *context)
{
	struct answer *answer = context;

	answer->count++;
	answer->pid = pid;
	if (err)
		answer->err = *err;
}

static struct worker_launch *ask(const char *user, struct answer *answer)
{
	struct worker_launch *launch;

	*answer = (struct answer){0};
	launch = worker_launch_new(world, user, fds, told, answer, &answer->err);
	cr_assert_not_null(launch, "%s", answer->err.message);
	cr_assert_eq(answer->count, 0, "told by the loop, never inside");
	return launch;
}

static void until_told(const struct answer *answer)
{
	int64_t deadline = executor.clock->mono(NULL).us + TASK_CASE_DEADLINE;

	while (!answer->count) {
		cr_assert_lt(executor.clock->mono(NULL).us, deadline);
		schedd_loop_dispatch(executor.loop, 100);
	}
	cr_expect_eq(answer->count, 1);
}

/* The account is not known the first time, and known the second. */
Test(worker_launch, becomes_a_process_of_the_account)
{
	for (int i = 0; i < 2; i++) {
		struct answer answer;
		struct stat status;
		char path[32];

		ask("daemon", &answer);
		until_told(&answer);
		cr_assert_gt(answer.pid, 0, "%s", answer.err.message);
		snprintf(path, sizeof(path), "/proc/%ld", (long)answer.pid);
		cr_assert_eq(stat(path, &status), 0);
		cr_expect_eq(status.st_uid, 1);
		kill(answer.pid, SIGKILL);
		cr_expect_eq(waitpid(answer.pid, NULL, 0), answer.pid);
	}
}

Test(worker_launch, says_that_there_is_no_such_account)
{
	struct answer answer;

	ask("no-such-user", &answer);
	until_told(&answer);
	cr_expect_eq(answer.pid, 0);
	cr_expect_str_eq(answer.err.message, "user 'no-such-user': no such user");
}

Test(worker_launch, is_left_at_any_time)
{
	struct answer answer;

	/* While the account is looked up, */
	worker_launch_leave(ask("bin", &answer));
	cr_expect_eq(answer.count, 0);
	ask("daemon", &answer);
	until_told(&answer);
	kill(answer.pid, SIGKILL);
	waitpid(answer.pid, NULL, 0);
	/* and while the process is started. */
	worker_launch_leave(ask("daemon", &answer));
	for (int i = 0; i < 10; i++)
		schedd_loop_dispatch(executor.loop, 10);
	cr_expect_eq(answer.count, 0);
	worker_launch_leave(NULL);
}
