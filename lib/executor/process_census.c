/* SPDX-License-Identifier: MIT */
#include "executor/process_census.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "executor/process_stat.h"

#define CENSUS_ENVIRON ((size_t)256 * 1024)

struct census_row {
	pid_t pid;
	uint64_t start;
	char invocation[PROCESS_INVOCATION + 1];
};

struct process_census {
	struct census_row *rows;
	size_t count;
};

/* The value of a process in text; false: it has none. */
static bool census_read(pid_t pid, char *variables, char text[PROCESS_INVOCATION + 1])
{
	size_t length = process_stat_environ(pid, variables, CENSUS_ENVIRON);
	const char *value = process_stat_variable(variables, length, "SCHEDD_INVOCATION");

	return value && snprintf(text, PROCESS_INVOCATION + 1, "%s", value) == PROCESS_INVOCATION;
}

struct process_census *process_census_new(void)
{
	struct process_census *census = calloc(1, sizeof(*census));
	char *variables = malloc(CENSUS_ENVIRON);
	struct process_stat *list = NULL;
	int count = process_stat_list(&list);

	if (census && count > 0)
		census->rows = calloc((size_t)count, sizeof(*census->rows));
	if (!census || !census->rows || !variables) {
		free(variables);
		free(list);
		process_census_free(census);
		return NULL;
	}
	for (int i = 0; i < count; i++) {
		struct census_row *row = &census->rows[census->count];

		if (list[i].pid != list[i].session || list[i].state == 'Z' ||
		    !census_read(list[i].pid, variables, row->invocation))
			continue;
		row->pid = list[i].pid;
		row->start = list[i].start;
		census->count++;
	}
	free(variables);
	free(list);
	return census;
}

void process_census_free(struct process_census *census)
{
	if (!census)
		return;
	free(census->rows);
	free(census);
}

bool process_census_find(const struct process_census *census, const char *invocation, pid_t *pid,
    uint64_t *start)
{
	const struct census_row *found = NULL;

	for (size_t i = 0; i < census->count; i++) {
		const struct census_row *row = &census->rows[i];

		if (strcmp(row->invocation, invocation) == 0 && (!found || row->start < found->start))
			found = row;
	}
	if (!found)
		return false;
	*pid = found->pid;
	*start = found->start;
	return true;
}

bool process_uid(pid_t pid, uid_t *uid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	if (stat(path, &st) < 0)
		return false;
	*uid = st.st_uid;
	return true;
}

bool process_invoked(pid_t pid, const char *invocation, uid_t uid)
{
	char *variables = malloc(CENSUS_ENVIRON), text[PROCESS_INVOCATION + 1];
	uid_t owner;
	bool is = variables && process_uid(pid, &owner) && owner == uid &&
		  census_read(pid, variables, text) && strcmp(text, invocation) == 0;

	free(variables);
	return is;
}
