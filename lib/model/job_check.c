/* SPDX-License-Identifier: MIT */
/* Rules that join fields; what holds for one field alone was checked when it was read. */
#include "model/job_check.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static int job_check_retry(const struct job_details *details, struct schedd_error *err)
{
	if (details->retry_limit == 0 && (details->retry_on.given || details->retry_backoff != 1 ||
					     details->retry_delay != SCHEDD_SECOND ||
					     details->retry_max_delay != SCHEDD_SPAN_NONE))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "retry: limit is missing, say how many further attempts there may be");
	if (details->retry_max_delay != SCHEDD_SPAN_NONE &&
	    details->retry_max_delay < details->retry_delay)
		return schedd_error_set(err, SCHEDD_EINVAL, "retry: max_delay is less than delay");
	return 0;
}

static int job_check_after(const struct schedd_job *job, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);

	for (uint32_t i = 0; i < details->after_count; i++) {
		const char *other = details->after[i].job;

		if (job->id && strcmp(other, job->id) == 0)
			return schedd_error_set(
			    err, SCHEDD_EINVAL, "after: job '%s' cannot wait for itself", other);
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(other, details->after[k].job) == 0)
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "after: job '%s' is there more than once, write %s:any for "
				    "both "
				    "outcomes",
				    other, other);
	}
	return 0;
}

/* ---- What no kernel gives to a program ---- */

#define CHECK_WORDS_MAX ((size_t)6 << 20) /* of all arguments and variables, on any stack */

size_t job_check_argument_max(void)
{
	return 32 * (size_t)sysconf(_SC_PAGESIZE);
}

static int job_check_arguments(const struct schedd_job *job, size_t *total, struct schedd_error *err)
{
	size_t most = job_check_argument_max();

	for (uint32_t i = 0; job->kind == JOB_COMMAND && job->argv[i]; i++) {
		size_t size = strlen(job->argv[i]) + 1;

		*total += size + sizeof(char *);
		if (size > most)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "command: argument %u is %zu bytes long, a program can be given %zu: "
			    "hand it over in a file or as stdin",
			    i, size - 1, most - 1);
	}
	return 0;
}

static int job_check_variables(
    const struct job_pairs *pairs, size_t *total, struct schedd_error *err)
{
	size_t most = job_check_argument_max();

	for (uint32_t i = 0; i < pairs->count; i++) {
		const struct job_pair *pair = &pairs->items[i];
		size_t size = strlen(pair->name) + (pair->text ? strlen(pair->text) : 0) + 2;

		*total += size + sizeof(char *);
		if (size > most)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "env: '%.60s' is %zu bytes long with its name, a program can be given "
			    "%zu in one variable: hand it over in a file or as stdin",
			    pair->name, size - 1, most - 1);
	}
	return 0;
}

/* Each argument and each variable, and all of them. extra: variables of one run; NULL: none. */
static int job_check_words(
    const struct schedd_job *job, const struct job_pairs *extra, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	size_t total = 0;
	int rc = 0;

	if (job->kind != JOB_COMMAND && job->kind != JOB_SHELL)
		return 0;
	rc = job_check_arguments(job, &total, err);
	if (!rc)
		rc = job_check_variables(&details->env, &total, err);
	if (!rc && extra)
		rc = job_check_variables(extra, &total, err);
	if (!rc && total > CHECK_WORDS_MAX)
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "command and env are %zu bytes long together, a program can be given %zu",
		    total, CHECK_WORDS_MAX);
	return rc;
}

/* Every system call that takes a path refuses a longer one. */
static int job_check_path(const char *field, const char *path, struct schedd_error *err)
{
	if (!path || strlen(path) < PATH_MAX)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "%s: the path '%.40s…' is %zu bytes long, a path may have %d", field, path,
	    strlen(path), PATH_MAX - 1);
}

static int job_check_paths(const struct schedd_job *job, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	int rc = job_check_path("cwd", details->cwd, err);

	if (!rc)
		rc = job_check_path("shell_path", details->shell_path, err);
	if (!rc)
		rc = job_check_path("stdin", details->stdin_path, err);
	if (!rc && job->kind == JOB_COMMAND)
		rc = job_check_path("command", job->argv[0], err);
	return rc;
}

int job_check_run_env(
    const struct schedd_job *job, const struct job_pairs *env, struct schedd_error *err)
{
	return job_check_words(job, env, err);
}

int job_check(const struct schedd_job *job, struct schedd_error *err)
{
	const struct job_details *details = job_details(job);
	int rc;

	if (job->id && !job_id_known(job->id))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "id: '%.140s' is not of the form [A-Za-z0-9_][A-Za-z0-9._-]{0,127}", job->id);
	if (!job_has_action(job))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it has nothing to do: give command, shell, call or http");
	rc = job_check_retry(details, err);
	if (!rc)
		rc = job_check_after(job, err);
	if (!rc)
		rc = job_check_words(job, NULL, err);
	if (!rc)
		rc = job_check_paths(job, err);
	if (!rc && details->success_codes.given && details->retry_on.given)
		for (int code = 0; code < 256; code++)
			if (job_codes_has(&details->success_codes, code) &&
			    job_codes_has(&details->retry_on, code))
				return schedd_error_set(err, SCHEDD_EINVAL,
				    "retry: exit code %d is among success_codes, nothing failed "
				    "then",
				    code);
	return rc;
}
