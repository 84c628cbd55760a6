/* SPDX-License-Identifier: MIT */
#include "cmd/dial.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/shell_words.h"
#include "cmd/job_view.h"

/* The other machine's shell takes the line apart again. */
static const char *dial_command(struct arena *arena, const char *socket)
{
	struct value argv = value_array();
	struct strbuf line = STRBUF_EMPTY;
	const char *copy;

	value_append(arena, &argv, value_string_ref("schedctl"));
	if (socket) {
		value_append(arena, &argv, value_string_ref("--socket"));
		value_append(arena, &argv, value_string_ref(socket));
	}
	value_append(arena, &argv, value_string_ref("__dial"));
	shell_words_write(&line, &argv);
	copy = arena_strdup(arena, strbuf_peek(&line));
	strbuf_clear(&line);
	return copy;
}

static void dial_exec(const char *host, const char *command, int fd)
{
	const char *ssh = getenv("SCHEDD_SSH");
	const char *argv[] = {ssh && ssh[0] ? ssh : "ssh", "-T", "--", host, command, NULL};

	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

int dial_host(struct arena *arena, const char *host, const char *socket, schedd_span timeout,
    struct rpc_client **out, struct schedd_error *err)
{
	const char *command = dial_command(arena, socket);
	int ends[2];
	pid_t pid;

	if (!host[0] || host[0] == '-')
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--host: '%.100s' is no USER@MACHINE", host);
	if (!command)
		return schedd_error_nomem(err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a socket pair: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		dial_exec(host, command, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot start ssh: %s", strerror(errno));
	}
	return rpc_client_from_fds(ends[0], ends[0], timeout, out, err);
}

/* 1: copied; 0: that side has ended; negative: an error. */
static int dial_copy(int from, int to, struct schedd_error *err)
{
	char bytes[65536];
	ssize_t got = read(from, bytes, sizeof(bytes)), done = 0;

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (got <= 0)
		return 0;
	while (done < got) {
		struct pollfd room = {.fd = to, .events = POLLOUT};
		ssize_t put = write(to, bytes + done, (size_t)(got - done));

		if (put < 0 && errno == EAGAIN)
			put = poll(&room, 1, -1) < 0 && errno != EINTR ? -1 : 0;
		else if (put < 0 && errno == EINTR)
			put = 0;
		if (put < 0)
			return schedd_error_set(
			    err, SCHEDD_EFAILED, "cannot write: %s", strerror(errno));
		done += put;
	}
	return 1;
}

int dial_relay(int fd, struct schedd_error *err)
{
	struct pollfd sides[2] = {
	    {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	int rc = 1;

	while (rc > 0) {
		if (poll(sides, 2, -1) < 0 && errno != EINTR)
			return schedd_error_set(err, SCHEDD_EFAILED, "poll: %s", strerror(errno));
		if (sides[0].revents) {
			rc = dial_copy(STDIN_FILENO, fd, err);
			if (rc == 0) {
				/* Answers to what was asked still come. */
				shutdown(fd, SHUT_WR);
				sides[0].fd = -1;
				sides[0].revents = 0;
				rc = 1;
			}
		}
		if (rc > 0 && sides[1].revents)
			rc = dial_copy(fd, STDOUT_FILENO, err);
	}
	return rc;
}
