/* SPDX-License-Identifier: MIT */
/* By the lock that cron holds on its pid file, by the programs of root that run, by systemd's links. */
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

/* Is it root's, whoever it works for? A set-uid program is its caller's. */
static bool cron_beside_is_roots(const char *pid)
{
	unsigned long uid = 1;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Uid:", 4) == 0)
			uid = strtoul(line + 4, NULL, 10);
	if (file)
		fclose(file);
	return uid == 0;
}

/*
 * The name of a process' program; false: none of these. Not what the process
 * calls itself: everybody can call a process, or a link to a program, cron.
 */
static bool cron_beside_is_cron(const char *pid, char *name, size_t size)
{
	static const char *const names[] = {"cron", "crond", "anacron", "fcron", "bcron-start"};
	char path[64], program[PATH_MAX];
	const char *slash;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%.16s/exe", pid);
	length = readlink(path, program, sizeof(program) - 1);
	if (length < 0)
		return false;
	program[length] = '\0';
	slash = strrchr(program, '/');
	snprintf(name, size, "%.*s", (int)size - 1, slash ? slash + 1 : program);
	/* As it says of one that was upgraded meanwhile. */
	name[strcspn(name, " ")] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return cron_beside_is_roots(pid);
	return false;
}

static bool cron_beside_process(char *words, size_t size)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc))) {
		char name[64];

		found = isdigit((unsigned char)entry->d_name[0]) &&
			cron_beside_is_cron(entry->d_name, name, sizeof(name));
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
