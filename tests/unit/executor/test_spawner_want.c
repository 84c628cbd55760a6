/* SPDX-License-Identifier: MIT */
#include "executor/spawner_want.h"

#include "support/task_case.h"
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct schedd_loop *loop;
static struct spawner_pool *pool;
static struct account account = {.home = (char *)"/", .name = (char *)"me"};

static void open_pool(void)
{
	const struct schedd_log *silent = NULL;
	struct spawner_pool_config config = {.log = silent};
	struct schedd_error err;

	loop = schedd_loop_new_fd(NULL);
	config.loop = loop;
	account.uid = geteuid();
	cr_assert_eq(spawner_pool_new(&config, &pool, &err), 0, "%s", err.message);
}

static void close_pool(void)
{
	spawner_pool_free(pool);
	schedd_loop_free(loop);
}

TestSuite(spawner_want, .init = open_pool, .fini = close_pool);

struct answer {
	int count;
	pid_t pid;
	int rc;
	struct schedd_error err;
};

static void told(pid_t pid, const struct schedd_error *err, void *context)
{
	struct answer *answer = context;

	answer->count++;
	answer->pid = pid;
	answer->rc = err ? err->code : 0;
	if (err)
		answer->err = *err;
}

static struct spawner_wanted *ask(const char *program, const char *cwd, struct answer *answer)
{
	const char *argv[] = {program, NULL}, *envp[] = {NULL};
	const struct spawn how = {.argv = argv,
	    .envp = envp,
	    .cwd = cwd,
	    .account = &account,
	    .umask = -1,
	    .fds = {-1, -1, -1, -1, -1}};
	struct spawner_wanted *asked;

	*answer = (struct answer){0};
	asked = spawner_want(pool, loop, &how, told, answer, &answer->err);
	cr_assert_not_null(asked, "%s", answer->err.message);
	cr_assert_eq(answer->count, 0);
	return asked;
}

static int start(const char *program, const char *cwd, pid_t *pid, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t deadline = clock->mono(clock->context).us + TASK_CASE_DEADLINE;
	struct answer answer;

	ask(program, cwd, &answer);
	while (!answer.count) {
		cr_assert_lt(clock->mono(clock->context).us, deadline);
		schedd_loop_dispatch(loop, 100);
	}
	cr_expect_eq(answer.count, 1);
	*pid = answer.pid;
	*err = answer.err;
	return answer.rc;
}

Test(spawner_want, gives_a_child_that_executes)
{
	struct schedd_error err;
	int status;
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(start("/bin/false", "/", &pid, &err), 0, "%s", err.message);
		cr_expect_eq(waitpid(pid, &status, 0), pid);
		cr_expect_eq(WEXITSTATUS(status), 1);
	}
}

Test(spawner_want, says_what_failed)
{
	struct schedd_error err;
	pid_t pid;

	cr_expect_eq(start("/bin/nope", "/", &pid, &err), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "command '/bin/nope': No such file or directory");
	cr_expect_eq(start("/bin/true", "/nope", &pid, &err), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "cwd '/nope': No such file or directory");
}

/* Without what it was given it would do something else. */
Test(spawner_want, starts_nothing_without_its_descriptors)
{
	const char *argv[] = {"/bin/true", NULL}, *envp[] = {NULL};
	struct spawn how = {.argv = argv, .envp = envp, .account = &account, .umask = -1};
	struct answer answer = {0};
	struct rlimit before, few;
	struct schedd_error err;
	pid_t pid;
	int free_one;

	cr_assert_eq(start("/bin/true", "/", &pid, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < SPAWN_FDS; i++)
		how.fds[i] = i == SPAWN_FD_CGROUP ? -1 : STDERR_FILENO;
	free_one = dup(STDERR_FILENO);
	close(free_one);
	getrlimit(RLIMIT_NOFILE, &before);
	few = (struct rlimit){(rlim_t)free_one + 1, before.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_expect_null(spawner_want(pool, loop, &how, told, &answer, &err));
	cr_expect_str_eq(err.message, "cannot make a process: Too many open files");
	cr_expect_eq(dup(STDERR_FILENO), free_one, "none is left open");
	close(free_one);
	cr_expect_geq(fcntl(STDIN_FILENO, F_GETFD), 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* A file system whose server never answers. */
Test(spawner_want, does_not_wait_for_what_hangs)
{
	char place[64], options[96], cwd[96];
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	const struct schedd_clock *clock = schedd_clock_system();
	struct spawner_wanted *asked;
	struct answer answer;
	int64_t begun;
	struct schedd_error err;
	pid_t pid;

	snprintf(place, sizeof(place), "/tmp/schedd-hangs-%ld", (long)getpid());
	snprintf(cwd, sizeof(cwd), "%s/x", place);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	mkdir(place, 0755);
	if (fuse < 0 || mount("test", place, "fuse", 0, options) < 0) {
		rmdir(place);
		cr_skip("no file system of one's own here");
	}
	begun = clock->mono(clock->context).us;
	asked = ask("/bin/true", cwd, &answer);
	spawner_want_leave(asked);
	cr_expect_lt(clock->mono(clock->context).us - begun, SCHEDD_SECOND);
	cr_expect_eq(start("/bin/true", "/", &pid, &err), 0, "%s", err.message);
	cr_expect_eq(answer.count, 0, "nobody waited for it any more");
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(fuse);
	umount2(place, MNT_DETACH);
	rmdir(place);
}

Test(spawner_want, leaves_nothing_of_what_nobody_waits_for)
{
	struct answer answers[20];

	/* Whatever had been done of each by then. */
	for (int i = 0; i < 20; i++) {
		struct spawner_wanted *asked = ask("/bin/cat", "/", &answers[i]);

		for (int turns = 0; turns < i % 5 && !answers[i].count; turns++)
			schedd_loop_dispatch(loop, 0);
		if (answers[i].count)
			kill(answers[i].pid, SIGKILL);
		else
			spawner_want_leave(asked);
		schedd_loop_dispatch(loop, 1);
	}
	for (int i = 0; i < 20; i++)
		cr_expect_leq(answers[i].count, 1);
}
