/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: the process kills itself at the Nth time that it makes something
 * durable, counted from when the file SYNC_KILL_ARM exists, just before (N) or
 * just after it (-N). So a test stops schedd between every two commits. And while
 * the file SYNC_HANG exists, a disk that does not answer: nothing becomes durable.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int sync_count;

static int sync_kill(const char *name, int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	const char *arm = getenv("SYNC_KILL_ARM"), *at = getenv("SYNC_KILL_AT");
	const char *hang = getenv("SYNC_HANG");
	int wanted = at ? atoi(at) : 0, now, rc;

	while (hang && access(hang, F_OK) == 0)
		usleep(5000);
	if (!wanted || !arm || access(arm, F_OK) != 0)
		return real(fd);
	now = atomic_fetch_add(&sync_count, 1) + 1;
	if (now == wanted)
		kill(getpid(), SIGKILL);
	rc = real(fd);
	if (now == -wanted)
		kill(getpid(), SIGKILL);
	return rc;
}

int fsync(int fd)
{
	return sync_kill("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_kill("fdatasync", fd);
}
