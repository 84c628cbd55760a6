/* SPDX-License-Identifier: MIT */
/* What a run does: command, shell line, call or request; exactly one at a time. */
#include "model/job_action.h"

#include <stdlib.h>
#include <string.h>

const char *const job_kind_words[] = {"command", "shell", "call", "http", NULL};

bool job_has_action(const struct schedd_job *job)
{
	switch (job->kind) {
	case JOB_COMMAND:
		return job->argv != NULL;
	case JOB_SHELL:
		return job->shell != NULL;
	case JOB_CALL:
		return job->call != NULL;
	case JOB_HTTP:
		return job->http != NULL;
	}
	return false;
}

static void job_call_free(struct job_call *call)
{
	if (!call)
		return;
	free(call->function);
	free(call->args);
	free(call);
}

static void job_http_free(struct job_http *http)
{
	if (!http)
		return;
	free(http->method);
	free(http->url);
	free(http->body);
	job_pairs_clear(&http->headers);
	free(http);
}

void job_clear_action(struct schedd_job *job)
{
	switch (job->kind) {
	case JOB_COMMAND:
		free(job->argv);
		break;
	case JOB_SHELL:
		free(job->shell);
		break;
	case JOB_CALL:
		job_call_free(job->call);
		break;
	case JOB_HTTP:
		job_http_free(job->http);
		break;
	}
	job->kind = JOB_COMMAND;
	job->argv = NULL;
}

int job_set_command(struct schedd_job *job, const char *const *argv, size_t count)
{
	size_t bytes = (count + 1) * sizeof(char *);
	char **copy, *text;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(argv[i]) + 1;
	copy = malloc(bytes);
	if (!copy)
		return SCHEDD_ENOMEM;
	text = (char *)(copy + count + 1);
	for (size_t i = 0; i < count; i++) {
		copy[i] = text;
		text = stpcpy(text, argv[i]) + 1;
	}
	copy[count] = NULL;
	job_clear_action(job);
	job->argv = copy;
	return 0;
}

int job_set_shell(struct schedd_job *job, const char *line)
{
	char *copy = strdup(line);

	if (!copy)
		return SCHEDD_ENOMEM;
	job_clear_action(job);
	job->kind = JOB_SHELL;
	job->shell = copy;
	return 0;
}

int job_set_call(struct schedd_job *job, const char *function, const char *args)
{
	struct job_call *call = calloc(1, sizeof(*call));

	if (!call)
		return SCHEDD_ENOMEM;
	call->function = strdup(function);
	call->args = args ? strdup(args) : NULL;
	if (!call->function || !call->args != !args) {
		job_call_free(call);
		return SCHEDD_ENOMEM;
	}
	job_clear_action(job);
	job->kind = JOB_CALL;
	job->call = call;
	return 0;
}

int job_set_http(struct schedd_job *job, const char *method, const char *url)
{
	struct job_http *http = calloc(1, sizeof(*http));

	if (!http)
		return SCHEDD_ENOMEM;
	http->method = strdup(method);
	http->url = strdup(url);
	if (!http->method || !http->url) {
		job_http_free(http);
		return SCHEDD_ENOMEM;
	}
	job_clear_action(job);
	job->kind = JOB_HTTP;
	job->http = http;
	return 0;
}

static int job_action_copy_http(struct schedd_job *to, const struct job_http *from)
{
	if (job_set_http(to, from->method, from->url) ||
	    job_pairs_copy(&to->http->headers, &from->headers))
		return SCHEDD_ENOMEM;
	if (from->body) {
		to->http->body = strdup(from->body);
		if (!to->http->body)
			return SCHEDD_ENOMEM;
	}
	return 0;
}

int job_action_copy(struct schedd_job *to, const struct schedd_job *from)
{
	size_t count = 0;

	if (!job_has_action(from))
		return 0;
	switch (from->kind) {
	case JOB_COMMAND:
		while (from->argv[count])
			count++;
		return job_set_command(to, (const char *const *)from->argv, count);
	case JOB_SHELL:
		return job_set_shell(to, from->shell);
	case JOB_CALL:
		return job_set_call(to, from->call->function, from->call->args);
	case JOB_HTTP:
		return job_action_copy_http(to, from->http);
	}
	return 0;
}
