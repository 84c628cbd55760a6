/* SPDX-License-Identifier: MIT */
#include "server/listener.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[64];
static char path[96];

static void setup(void)
{
	strcpy(directory, "/tmp/listener-XXXXXX");
	cr_assert(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/s.sock", directory);
}

static void teardown(void)
{
	unlink(path);
	cr_expect(rmdir(directory) == 0, "something was left behind");
}

TestSuite(listener, .init = setup, .fini = teardown);

/* The leftover of a daemon that crashed. */
static void leave_stale_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	cr_assert(listen(fd, 1) == 0);
	close(fd);
}

Test(listener, is_private_and_removed_at_the_end)
{
	struct listener listener;
	struct schedd_error err;
	struct stat st;

	cr_assert(listener_open(&listener, path, false, &err) == 0, "%s", err.message);
	cr_assert(stat(path, &st) == 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	listener_close(&listener);
	cr_expect(stat(path, &st) < 0);
}

Test(listener, replaces_a_stale_socket)
{
	struct listener listener;
	struct schedd_error err;

	leave_stale_socket();
	cr_assert(listener_open(&listener, path, false, &err) == 0, "%s", err.message);
	listener_close(&listener);
}

Test(listener, never_replaces_a_live_one)
{
	struct listener first, second;
	struct schedd_error err;

	cr_assert(listener_open(&first, path, false, &err) == 0);
	cr_expect_eq(listener_open(&second, path, false, &err), SCHEDD_EFAILED);
	/* A process does not lock itself out, so it is the connection that tells. */
	cr_expect(strstr(err.message, "a daemon that is alive listens at"), "%s", err.message);
	listener_close(&first);
}

Test(listener, never_replaces_another_program_s_live_socket)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct listener listener;
	struct schedd_error err;

	strcpy(address.sun_path, path);
	cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	cr_assert(listen(fd, 1) == 0);
	cr_expect_eq(listener_open(&listener, path, false, &err), SCHEDD_EFAILED);
	cr_expect(strstr(err.message, "a daemon that is alive listens at"), "%s", err.message);
	cr_expect(access(path, F_OK) == 0);
	close(fd);
}

Test(listener, leaves_files_alone_that_are_no_sockets)
{
	struct listener listener;
	struct schedd_error err;

	close(open(path, O_CREAT | O_WRONLY, 0600));
	cr_expect_eq(listener_open(&listener, path, false, &err), SCHEDD_EFAILED);
	cr_expect(strstr(err.message, "is no socket"));
	cr_expect(access(path, F_OK) == 0);
}

Test(listener, refuses_a_path_that_is_too_long)
{
	struct listener listener;
	struct schedd_error err;
	char longer[200];

	snprintf(longer, sizeof(longer), "%s/%0120d", directory, 1);
	cr_expect_eq(listener_open(&listener, longer, false, &err), SCHEDD_EINVAL);
	cr_expect(strstr(err.message, "a socket's path may have 107"), "%s", err.message);
}

Test(listener, makes_only_the_default_directory)
{
	struct listener listener;
	struct schedd_error err;
	struct stat st;
	char below[128];

	snprintf(below, sizeof(below), "%s/deep/s.sock", directory);
	cr_expect_eq(listener_open(&listener, below, false, &err), SCHEDD_EFAILED);
	cr_expect(strstr(err.message, "No such file or directory"), "%s", err.message);
	cr_assert(listener_open(&listener, below, true, &err) == 0, "%s", err.message);
	*strrchr(below, '/') = '\0';
	cr_assert(stat(below, &st) == 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	listener_close(&listener);
	rmdir(below);
}

Test(listener, does_not_judge_an_explicit_directory)
{
	struct listener listener;
	struct schedd_error err;

	cr_assert(chmod(directory, 0777) == 0);
	cr_expect(listener_open(&listener, path, false, &err) == 0);
	listener_close(&listener);
}

Test(listener, takes_a_socket_that_is_passed_to_it)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct listener listener;
	struct schedd_error err;
	int kept = dup(3); /* the test runner's own */
	char pid[24];

	cr_expect_eq(listener_inherit(&listener, NULL, &err), 0);
	strcpy(address.sun_path, path);
	cr_assert(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	cr_assert(listen(fd, 1) == 0);
	cr_assert(dup2(fd, 3) == 3);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	cr_expect_eq(listener_inherit(&listener, NULL, &err), 1);
	cr_expect_eq(listener.fd, 3);
	cr_expect_null(getenv("LISTEN_FDS"));
	listener_close(&listener);
	dup2(kept, 3);
	cr_expect(access(path, F_OK) == 0, "the one who made it removes it");
}
