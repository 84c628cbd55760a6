/* SPDX-License-Identifier: MIT */
#include "executor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <schedd/error.h>
#include <sys/stat.h>

/* Calls found with each line until it says so. */
static bool cgroup_scan(
    const char *path, bool (*found)(char *line, char *out, size_t size), char *out, size_t size)
{
	char line[PATH_MAX + 512];
	FILE *file = fopen(path, "re");
	bool is = false;

	while (file && !is && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		is = found(line, out, size);
	}
	if (file)
		fclose(file);
	return is;
}

/* 0::/system.slice/schedd.service */
static bool cgroup_own(char *line, char *out, size_t size)
{
	return strncmp(line, "0::/", 4) == 0 && line[4] &&
	       (size_t)snprintf(out, size, "%s", line + 3) < size;
}

/* 30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw */
static bool cgroup_mount(char *line, char *out, size_t size)
{
	char *type = strstr(line, " - cgroup2 ");
	char *at = line, *end;

	if (!type)
		return false;
	for (int field = 0; field < 4; field++) {
		at = strchr(at, ' ');
		if (!at)
			return false;
		at++;
	}
	end = strchr(at, ' ');
	return end && (size_t)snprintf(out, size, "%.*s", (int)(end - at), at) < size;
}

int cgroup_find(char *path, size_t size)
{
	char mount[PATH_MAX], own[PATH_MAX], procs[PATH_MAX];

	if (!cgroup_scan("/proc/self/cgroup", cgroup_own, own, sizeof(own)) ||
	    !cgroup_scan("/proc/self/mountinfo", cgroup_mount, mount, sizeof(mount)))
		return SCHEDD_ENOTFOUND;
	if ((size_t)snprintf(path, size, "%s%s", mount, own) >= size ||
	    (size_t)snprintf(procs, sizeof(procs), "%s%s/cgroup.procs", mount, own) >=
		sizeof(procs))
		return SCHEDD_ENOTFOUND;
	return access(path, W_OK) == 0 && access(procs, W_OK) == 0 ? 0 : SCHEDD_ENOTFOUND;
}

static int cgroup_file(const char *path, const char *name, int flags)
{
	char file[PATH_MAX];
	int fd;

	if ((size_t)snprintf(file, sizeof(file), "%s/%s", path, name) >= sizeof(file))
		return -ENAMETOOLONG;
	fd = open(file, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cgroup_make(const char *base, const char *name, char *path, size_t size)
{
	int fd;

	if ((size_t)snprintf(path, size, "%s/%s", base, name) >= size)
		return -ENAMETOOLONG;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = cgroup_file(path, "cgroup.procs", O_WRONLY);
	if (fd < 0)
		rmdir(path);
	return fd;
}

int cgroup_kill(const char *path)
{
	int fd = cgroup_file(path, "cgroup.kill", O_WRONLY);
	int rc = 0;

	if (fd < 0)
		return fd;
	if (write(fd, "1", 1) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

int cgroup_members(const char *path, pid_t **out)
{
	int fd = cgroup_file(path, "cgroup.procs", O_RDONLY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	int count = 0;
	long pid;

	*out = NULL;
	if (!file && fd >= 0)
		close(fd);
	while (file && fscanf(file, "%ld", &pid) == 1) {
		pid_t *grown = realloc(*out, (size_t)(count + 1) * sizeof(**out));

		if (!grown)
			break;
		*out = grown;
		grown[count++] = (pid_t)pid;
	}
	if (file)
		fclose(file);
	return count;
}

int cgroup_remove(const char *path)
{
	return rmdir(path) < 0 ? -errno : 0;
}

int cgroup_sweep(const char *base, const char *prefix)
{
	DIR *directory = opendir(base);
	struct dirent *entry;
	int left = 0;

	while (directory && (entry = readdir(directory)))
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR) < 0)
			left++;
	if (directory)
		closedir(directory);
	return left;
}
