/* SPDX-License-Identifier: MIT */
/* Two forks, so that no terminal can ever be acquired, and a pipe for the word back. */
#include "server/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* In the starter: the status that comes through the pipe; its end without one is a failure. */
static void daemonize_wait(int fd)
{
	unsigned char status = 1;
	ssize_t n;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? status : 1);
}

int daemonize(int *ready, struct schedd_error *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return schedd_error_set(err, SCHEDD_EFAILED, "cannot detach: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		goto fail;
	if (pid > 0) {
		close(fds[1]);
		daemonize_wait(fds[0]);
	}
	close(fds[0]);
	if (setsid() < 0)
		goto fail;
	pid = fork();
	if (pid < 0)
		goto fail;
	if (pid > 0)
		_exit(0);
	*ready = fds[1];
	return 0;
fail:
	return schedd_error_set(err, SCHEDD_EFAILED, "cannot detach: %s", strerror(errno));
}

void daemonize_ready(int ready, int status)
{
	unsigned char byte = (unsigned char)status;
	int null;

	if (ready < 0)
		return;
	if (status == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0) {
			for (int fd = 0; fd <= STDERR_FILENO; fd++)
				dup2(null, fd);
			if (null > STDERR_FILENO)
				close(null);
		}
	}
	while (write(ready, &byte, 1) < 0 && errno == EINTR)
		;
	close(ready);
}
