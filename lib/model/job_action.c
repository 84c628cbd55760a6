/* SPDX-License-Identifier: MIT */
/* What a run does: command, shell line, call or request; exactly one at a time. */
#include "model/job_action.h"

#include <stdlib.h>
#include <string.h>

const char *const job_kind_words[] = {"command", "shell", "call", "http", NULL};

bool job_has_action(const struct schedd_job *job)
{
	return job->argv != NULL; /* or any other member of the union */
}

/* In front of each action: jobs that do the same share it. */
struct job_action_head {
	uint32_t refs; /* atomic */
	uint32_t unused;
};

static void *job_action_alloc(size_t size)
{
	struct job_action_head *head = calloc(1, sizeof(*head) + size);

	if (!head)
		return NULL;
	head->refs = 1;
	return head + 1;
}

static void job_http_clear(struct job_http *http)
{
	free(http->method);
	free(http->url);
	free(http->body);
	job_pairs_clear(&http->headers);
}

/* All members of the union are one pointer. */
static struct job_action_head *job_action_head(const struct schedd_job *job)
{
	return (struct job_action_head *)(void *)job->argv - 1;
}

void job_clear_action(struct schedd_job *job)
{
	if (job_has_action(job) &&
	    __atomic_sub_fetch(&job_action_head(job)->refs, 1, __ATOMIC_ACQ_REL) == 0) {
		if (job->kind == JOB_HTTP)
			job_http_clear(job->http);
		free(job_action_head(job));
	}
	job->kind = JOB_COMMAND;
	job->argv = NULL;
}

void job_action_share(struct schedd_job *to, const struct schedd_job *from)
{
	if (job_has_action(from))
		__atomic_add_fetch(&job_action_head(from)->refs, 1, __ATOMIC_RELAXED);
	job_clear_action(to);
	to->kind = from->kind;
	to->argv = from->argv;
}

/* NULL equals NULL alone. */
static bool job_text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool job_action_equal(const struct schedd_job *a, const struct schedd_job *b)
{
	char **left, **right;

	if (a->kind != b->kind || !job_has_action(a) || !job_has_action(b))
		return false;
	switch (a->kind) {
	case JOB_COMMAND:
		for (left = a->argv, right = b->argv; *left && *right; left++, right++)
			if (strcmp(*left, *right) != 0)
				return false;
		return *left == *right;
	case JOB_SHELL:
		return strcmp(a->shell, b->shell) == 0;
	case JOB_CALL:
		return strcmp(a->call->function, b->call->function) == 0 &&
		       job_text_equal(a->call->args, b->call->args) &&
		       job_text_equal(a->call->kwargs, b->call->kwargs);
	}
	return a->http == b->http;
}

int job_set_command(struct schedd_job *job, const char *const *argv, size_t count)
{
	size_t bytes = (count + 1) * sizeof(char *);
	char **copy, *text;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(argv[i]) + 1;
	copy = job_action_alloc(bytes);
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
	size_t size = strlen(line) + 1;
	char *copy = job_action_alloc(size);

	if (!copy)
		return SCHEDD_ENOMEM;
	memcpy(copy, line, size);
	job_clear_action(job);
	job->kind = JOB_SHELL;
	job->shell = copy;
	return 0;
}

int job_set_call(struct schedd_job *job, const char *function, const char *args, const char *kwargs)
{
	size_t size = strlen(function) + 1, args_size = args ? strlen(args) + 1 : 0;
	struct job_call *call = job_action_alloc(
	    sizeof(*call) + size + args_size + (kwargs ? strlen(kwargs) + 1 : 0));
	char *text;

	if (!call)
		return SCHEDD_ENOMEM;
	text = memcpy(call + 1, function, size);
	call->function = text;
	call->args = args ? strcpy(text + size, args) : NULL;
	call->kwargs = kwargs ? strcpy(text + size + args_size, kwargs) : NULL;
	job_clear_action(job);
	job->kind = JOB_CALL;
	job->call = call;
	return 0;
}

int job_set_http(struct schedd_job *job, const char *method, const char *url)
{
	struct job_http *http = job_action_alloc(sizeof(*http));
	struct schedd_job made = {.kind = JOB_HTTP, .http = http};

	if (!http)
		return SCHEDD_ENOMEM;
	http->method = strdup(method);
	http->url = strdup(url);
	if (!http->method || !http->url) {
		job_clear_action(&made);
		return SCHEDD_ENOMEM;
	}
	job_clear_action(job);
	job->kind = JOB_HTTP;
	job->http = http;
	return 0;
}
