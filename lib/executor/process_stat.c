/* SPDX-License-Identifier: MIT */
#include "executor/process_stat.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <schedd/error.h>

/* The text of the list of children of one thread: some ten thousand. */
#define PROCESS_STAT_ENV_START 50 /* field of stat, counted from 1 */
#define PROCESS_CHILDREN ((size_t)128 * 1024)

static size_t process_file(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];
	size_t length = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	errno = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (length < size - 1) {
		ssize_t n = read(fd, buffer + length, size - 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	close(fd);
	buffer[length] = '\0';
	return length;
}

/* No such file: the thread has ended, or the system does not tell of children. */
static bool process_stat_is_gone(pid_t pid, const char *thread)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/task/%.20s", (long)pid, thread);
	return access(path, F_OK) != 0;
}

bool process_stat_read(pid_t pid, struct process_stat *out)
{
	char text[1024];
	const char *rest;
	long ppid, pgrp, session;

	if (pid <= 0 || process_file(pid, "stat", text, sizeof(text)) == 0)
		return false;
	/* The name may hold anything, so what follows it is found from the end. */
	rest = strrchr(text, ')');
	if (!rest)
		return false;
	if (sscanf(rest,
		") %c %ld %ld %ld %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		"%*d %" SCNu64,
		&out->state, &ppid, &pgrp, &session, &out->start) != 5)
		return false;
	out->pid = pid;
	out->ppid = (pid_t)ppid;
	out->pgrp = (pid_t)pgrp;
	out->session = (pid_t)session;
	return true;
}

bool process_stat_executes(pid_t pid)
{
	char text[2048];
	const char *at = process_file(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
	int field = 2;

	/* The dead have no memory to look at. */
	if (at && strchr("ZXx", at[strlen(") ")]))
		return false;
	for (; at && field < PROCESS_STAT_ENV_START; field++)
		at = strchr(at + 1, ' ');
	/* Of a process that clears its environment it is an address like any other. */
	return at && strncmp(at, " 0 ", 3) == 0;
}

uint64_t process_stat_start(
    pid_t pid, struct schedd_mono before, struct schedd_mono after, enum process_start *how)
{
	long per_second = sysconf(_SC_CLK_TCK);
	int64_t length = per_second > 0 ? SCHEDD_SECOND / per_second : SCHEDD_SECOND;
	uint64_t tick = (uint64_t)(before.us / length);
	bool one = after.us / length == before.us / length;
	struct process_stat stat;

	if (one && *how == PROCESS_START_FROM_CLOCK)
		return tick;
	if (!process_stat_read(pid, &stat))
		return 0;
	if (one && *how == PROCESS_START_UNTRIED)
		*how = stat.start == tick ? PROCESS_START_FROM_CLOCK : PROCESS_START_FROM_STAT;
	return stat.start;
}

int process_stat_list(struct process_stat **out)
{
	struct process_stat *list = NULL;
	int count = 0, capacity = 0;
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	*out = NULL;
	if (!directory)
		return errno == ENOMEM ? SCHEDD_ENOMEM : SCHEDD_EFAILED;
	while ((entry = readdir(directory))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (count == capacity) {
			int more = capacity ? capacity * 2 : 256;
			struct process_stat *grown = realloc(list, (size_t)more * sizeof(*list));

			if (!grown) {
				free(list);
				closedir(directory);
				return SCHEDD_ENOMEM;
			}
			list = grown;
			capacity = more;
		}
		if (process_stat_read((pid_t)atol(entry->d_name), &list[count]))
			count++;
	}
	closedir(directory);
	*out = list;
	return count;
}

static bool process_add_children(const char *text, pid_t **list, int *count)
{
	char *end;

	for (;; text = end) {
		pid_t pid = (pid_t)strtol(text, &end, 10);

		if (end == text)
			return true;
		/* At 0, 16, 32, 64, … pids there is no more room. */
		if (*count == 0 || (*count >= 16 && (*count & (*count - 1)) == 0)) {
			size_t room = *count ? (size_t)*count * 2 : 16;
			pid_t *grown = realloc(*list, room * sizeof(pid_t));

			if (!grown)
				return false;
			*list = grown;
		}
		(*list)[(*count)++] = pid;
	}
}

/* Each of its threads may have children. */
bool process_stat_children(pid_t pid, pid_t **list, int *count)
{
	char path[64], name[64], *text = malloc(PROCESS_CHILDREN);
	struct dirent *entry;
	DIR *threads;
	bool known = text != NULL;

	snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
	threads = known ? opendir(path) : NULL;
	while (known && threads && (entry = readdir(threads))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(name, sizeof(name), "task/%.20s/children", entry->d_name);
		if (process_file(pid, name, text, PROCESS_CHILDREN) > 0)
			known = process_add_children(text, list, count);
		else if (errno == ENOENT)
			known = process_stat_is_gone(pid, entry->d_name);
	}
	if (threads)
		closedir(threads);
	free(text);
	return known;
}

size_t process_stat_environ(pid_t pid, char *buffer, size_t size)
{
	return process_file(pid, "environ", buffer, size);
}

const char *process_stat_variable(const char *variables, size_t length, const char *name)
{
	size_t name_length = strlen(name);
	const char *end = variables + length;

	for (const char *at = variables; at < end; at += strlen(at) + 1)
		if (strncmp(at, name, name_length) == 0 && at[name_length] == '=')
			return at + name_length + 1;
	return NULL;
}
