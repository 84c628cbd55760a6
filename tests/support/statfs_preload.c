/* SPDX-License-Identifier: MIT */
/*
 * Preloaded: what lies under the directory STATFS_UNDER is on a file system of
 * the number STATFS_TYPE, as statfs(2) tells it.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

static int statfs_told(const char *name, const char *path, void *buf)
{
	int (*real)(const char *, void *) = (int (*)(const char *, void *))dlsym(RTLD_NEXT, name);
	const char *under = getenv("STATFS_UNDER"), *type = getenv("STATFS_TYPE");
	int rc = real(path, buf);

	/* The number is the first member of both forms. */
	if (rc == 0 && under && type && strncmp(path, under, strlen(under)) == 0)
		((struct statfs *)buf)->f_type = (__typeof__(((struct statfs *)buf)->f_type))strtoul(type, NULL, 0);
	return rc;
}

#undef statfs
#undef statfs64
int statfs(const char *path, struct statfs *buf)
{
	return statfs_told("statfs", path, buf);
}

int statfs64(const char *path, struct statfs64 *buf);
int statfs64(const char *path, struct statfs64 *buf)
{
	return statfs_told("statfs64", path, buf);
}
