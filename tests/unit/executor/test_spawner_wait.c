/* SPDX-License-Identifier: MIT */
#include "executor/spawner_wait.h"

#include "support/task_case.h"
#include <fcntl.h>
#include <sys/mount.h>
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

TestSuite(spawner_wait, .init = open_pool, .fini = close_pool);

static int start(const char *program, const char *cwd, pid_t *pid, struct schedd_error *err)
{
	const char *argv[] = {program, NULL}, *envp[] = {NULL};
	const struct spawn how = {.argv = argv,
	    .envp = envp,
	    .cwd = cwd,
	    .account = &account,
	    .umask = -1,
	    .fds = {-1, -1, -1, -1, -1}};

	return spawner_wait(pool, &how, SCHEDD_SECOND / 2, pid, err);
}

Test(spawner_wait, gives_a_child_that_executes)
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

Test(spawner_wait, says_what_failed)
{
	struct schedd_error err;
	pid_t pid;

	cr_expect_eq(start("/bin/nope", "/", &pid, &err), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "command '/bin/nope': No such file or directory");
	cr_expect_eq(start("/bin/true", "/nope", &pid, &err), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "cwd '/nope': No such file or directory");
}

/* A file system whose server never answers. */
Test(spawner_wait, does_not_wait_for_what_hangs)
{
	char place[64], options[96], cwd[96];
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
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
	cr_expect_eq(start("/bin/true", cwd, &pid, &err), SCHEDD_EFAILED);
	cr_expect_str_eq(err.message, "command '/bin/true': it could not be started within 0.5 s");
	cr_expect_eq(start("/bin/true", "/", &pid, &err), 0, "%s", err.message);
	cr_expect_eq(waitpid(pid, NULL, 0), pid);
	close(fuse);
	umount2(place, MNT_DETACH);
	rmdir(place);
}
