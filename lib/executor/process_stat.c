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

static size_t process_file(pid_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];
	size_t length = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
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
