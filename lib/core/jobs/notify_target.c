/* SPDX-License-Identifier: MIT */
#include "core/jobs/notify_target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What commands of notifications find their programs in. */
static const char *const target_path[] = {"/usr/local/bin", "/usr/bin", "/bin", NULL};

/* What /bin/sh does itself. */
static const char *const target_builtins[] = {".", ":", "[", "alias", "bg", "break", "case", "cd",
    "command", "continue", "do", "done", "echo", "elif", "else", "esac", "eval", "exec", "exit",
    "export", "false", "fg", "fi", "for", "getopts", "hash", "if", "jobs", "kill", "local",
    "printf", "pwd", "read", "readonly", "return", "set", "shift", "test", "then", "times", "trap",
    "true", "type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while", NULL};

static bool target_is_builtin(const char *word)
{
	for (const char *const *builtin = target_builtins; *builtin; builtin++)
		if (strcmp(*builtin, word) == 0)
			return true;
	return false;
}

/* The program that a shell line begins with; false: the shell alone can tell. */
static bool target_program(const char *line, char *word, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+./:@%,";
	size_t length;

	line += strspn(line, " \t");
	length = strspn(line, plain);
	if (length == 0 || length >= size || !strchr(" \t\n;|&<>", line[length]))
		return false;
	memcpy(word, line, length);
	word[length] = '\0';
	return word[0] == '/' || (!strchr(word, '/') && !target_is_builtin(word));
}

static bool target_exists(const char *word)
{
	char path[PATH_MAX];

	if (word[0] == '/')
		return access(word, X_OK) == 0;
	for (const char *const *directory = target_path; *directory; directory++) {
		int length = snprintf(path, sizeof(path), "%s/%s", *directory, word);

		if (length < (int)sizeof(path) && access(path, X_OK) == 0)
			return true;
	}
	errno = ENOENT;
	return false;
}

static bool target_known(const struct schedd_job *old, const char *target)
{
	const struct job_details *details = old ? job_details(old) : NULL;

	for (uint32_t i = 0; details && i < details->notify_count; i++)
		if (strcmp(details->notify[i].target, target) == 0)
			return true;
	return false;
}

int notify_target_check(
    const struct schedd_job *job, const struct schedd_job *old, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	char word[PATH_MAX];

	for (uint32_t i = 0; i < details->notify_count; i++) {
		const char *target = details->notify[i].target;

		if (job_notify_kind(target) != JOB_NOTIFY_COMMAND || target_known(old, target) ||
		    !target_program(target, word, sizeof(word)) || target_exists(word))
			continue;
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "notify: '%.200s' cannot be run: %s; write mail:ADDR, a URL, or a shell line "
		    "whose program is there",
		    word, strerror(errno));
	}
	return 0;
}
