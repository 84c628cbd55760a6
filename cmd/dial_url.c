/* SPDX-License-Identifier: MIT */
#include "cmd/dial_url.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/program_beside.h"

#define DIAL_URL_CONNECT (10 * SCHEDD_SECOND) /* longest for a connection to come about */

static const char *dial_url_setting(const struct args *args, const char *option, const char *variable)
{
	const char *text = args_get(args, option);

	if (!text)
		text = getenv(variable);
	return text && text[0] ? text : NULL;
}

const char *dial_url_named(const struct args *args)
{
	if (args_has(args, "url"))
		return args_get(args, "url");
	return args_has(args, "socket") || args_has(args, "host")
		   ? NULL
		   : dial_url_setting(args, "url", "SCHEDD_URL");
}

static int dial_url_check(const struct args *args, const char *url, struct schedd_error *err)
{
	static const char *const others[] = {"socket", "host"};
	const char *name = strstr(url, "://");

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (args_has(args, others[i]))
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "--url and --%s contradict each other: each names a daemon", others[i]);
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "--url: '%.100s' is no https://HOST:PORT", url);
	if (strpbrk(url, " \t\n?#") || !name[3] || name[3] == '/' || name[3] == ':')
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--url: '%.100s' must be https://HOST[:PORT], and a path if a proxy has schedd "
		    "below one",
		    url);
	if (memchr(name, '@', strlen(name)))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--url: a URL is seen by others, so it takes no password: use --token-file");
	return 0;
}

static void dial_url_exec(const char *const *argv, int fd)
{
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static int dial_url_start(
    const char *const *argv, schedd_span timeout, struct rpc_client **out, struct schedd_error *err)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot make a socket pair: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		dial_url_exec(argv, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot start %s: %s", argv[0], strerror(errno));
	}
	return rpc_client_from_fds(ends[0], ends[0], timeout, out, err);
}

int dial_url(struct arena *arena, const struct args *args, const char *url, schedd_span timeout,
    struct rpc_client **out, struct schedd_error *err)
{
	const char *token = dial_url_setting(args, "token-file", "SCHEDD_TOKEN_FILE");
	const char *authority = dial_url_setting(args, "ca-file", "SCHEDD_CA_FILE");
	const char *account = args_get(args, "account");
	schedd_span connect = timeout / 5 * 4 < DIAL_URL_CONNECT ? timeout / 5 * 4 : DIAL_URL_CONNECT;
	const char *argv[] = {program_beside(arena, "schedctl-url"), url, token,
	    authority ? authority : "", account ? account : "",
	    arena_printf(arena, "%lld", (long long)(connect / 1000 + 1)), NULL};
	struct value hello;
	int rc = dial_url_check(args, url, err);

	if (!rc && !token)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "--url needs --token-file FILE: schedctl token add NAME --role ROLE, there, makes "
		    "a token");
	if (!rc && !strchr(argv[0], '/'))
		rc = schedd_error_set(err, SCHEDD_EFAILED,
		    "schedctl-url is neither beside schedctl nor in its libexec: was it built with "
		    "libcurl?");
	if (!rc)
		rc = dial_url_start(argv, timeout, out, err);
	if (rc)
		return rc;
	rc = rpc_client_call(*out, "server.hello", NULL, arena, &hello, err);
	if (rc) {
		rpc_client_close(*out);
		*out = NULL;
	}
	return rc;
}
