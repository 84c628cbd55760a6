/* SPDX-License-Identifier: MIT */
/* By the lock that cron holds on its pid file, by the names of processes, by systemd's links. */
#include "server/cron_beside.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Debian's cron and cronie hold a lock, by flock or by fcntl. */
static bool cron_beside_locked(const char *root, char *words, size_t size)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX], pid[16] = "";
	bool held = false;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/run/crond.pid", root);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	if (fcntl(fd, F_GETLK, &lock) == 0)
		held = lock.l_type != F_UNLCK;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		held = true;
	got = read(fd, pid, sizeof(pid) - 1);
	close(fd);
	pid[got > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	if (held)
		snprintf(words, size, "a cron runs%s%s", *pid ? " as process " : "", pid);
	return held;
}

static bool cron_beside_process(char *words, size_t size)
{
	static const char *const names[] = {"cron", "crond", "anacron", "fcron", "bcron-start"};
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc))) {
		char path[64], name[32] = "";
		FILE *file;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", entry->d_name);
		file = fopen(path, "re");
		if (file && !fgets(name, sizeof(name), file))
			name[0] = '\0';
		if (file)
			fclose(file);
		name[strcspn(name, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			found |= strcmp(names[i], name) == 0;
		if (found)
			snprintf(words, size, "%s runs as process %.16s", name, entry->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

/* Of a machine that systemd runs: what is enabled there. */
static bool cron_beside_unit(const char *root, char *words, size_t size)
{
	static const char *const units[][2] = {
	    {"/etc/systemd/system/timers.target.wants/anacron.timer", "anacron.timer is enabled"},
	    {"/run/systemd/generator/cron.target.wants", "systemd-cron is at work"},
	};
	char path[PATH_MAX];
	struct stat status;

	snprintf(path, sizeof(path), "%s/run/systemd/system", root);
	if (stat(path, &status) < 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", root, units[i][0]);
		if (lstat(path, &status) == 0) {
			snprintf(words, size, "%s", units[i][1]);
			return true;
		}
	}
	return false;
}

bool cron_beside_find(const char *root, char *words, size_t size)
{
	return cron_beside_locked(root, words, size) ||
	       (!*root && cron_beside_process(words, size)) || cron_beside_unit(root, words, size);
}
