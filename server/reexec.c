/* SPDX-License-Identifier: MIT */
/*
 * The listening socket goes over as systemd would pass it (descriptor 3,
 * LISTEN_FDS), so clients that connect meanwhile just wait a moment.
 */
#include "server/reexec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REEXEC_MARK "SCHEDD_REEXEC"
#define REEXEC_LISTEN_FD 3

bool reexec_is_second(void)
{
	const char *mark = getenv(REEXEC_MARK);

	return mark && strtol(mark, NULL, 10) == getpid();
}

void reexec_settled(void)
{
	unsetenv(REEXEC_MARK);
}

int reexec_prepare(struct reexec *reexec, int listening, struct schedd_error *err)
{
	static const char gone[] = " (deleted)";
	char path[PATH_MAX + sizeof(gone)];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	size_t cut = sizeof(gone) - 1;

	reexec->path = NULL;
	reexec->listening = -1;
	if (n < 0)
		return schedd_error_set(err, SCHEDD_EFAILED,
		    "cannot find the program to run anew: %s", strerror(errno));
	path[n] = '\0';
	/* An upgrade has replaced the file: the new one has the old one's name. */
	if ((size_t)n > cut && strcmp(path + (size_t)n - cut, gone) == 0)
		path[(size_t)n - cut] = '\0';
	if (access(path, X_OK) < 0)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "cannot run %s anew: %s", path, strerror(errno));
	reexec->listening = fcntl(listening, F_DUPFD_CLOEXEC, REEXEC_LISTEN_FD + 1);
	reexec->path = strdup(path);
	return reexec->path ? 0 : schedd_error_nomem(err);
}

int reexec_run(struct reexec *reexec, char **argv, struct schedd_error *err)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv(REEXEC_MARK, pid, 1);
	if (reexec->listening >= 0 && dup2(reexec->listening, REEXEC_LISTEN_FD) >= 0) {
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	execv(reexec->path, argv);
	return schedd_error_set(
	    err, SCHEDD_EFAILED, "cannot run %s anew: %s", reexec->path, strerror(errno));
}
