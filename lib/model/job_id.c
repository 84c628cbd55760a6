/* SPDX-License-Identifier: MIT */
/* The form of a job's id: safe as a file name, in a URL and on a command line. */
#include <fnmatch.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "model/job_fields.h"

/* Ids are ASCII: the locale has no say. */
static bool job_id_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (!first && (c == '.' || c == '-'));
}

bool job_alias_valid(const char *name)
{
	size_t length = 0;

	for (; name[length]; length++)
		if (length >= JOB_ALIAS_MAX || !job_id_char(name[length], length == 0))
			return false;
	return length > 0;
}

static bool job_account_n(const char *name, size_t length)
{
	if (length == 0 || length > JOB_ACCOUNT_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!job_id_char(name[i], i == 0) && !(i > 0 && (name[i] == '@' || name[i] == '+')))
			return false;
	return true;
}

bool job_account_valid(const char *name)
{
	return job_account_n(name, strlen(name));
}

size_t job_id_account(const char *id)
{
	const char *colon = strchr(id, ':');

	return colon ? (size_t)(colon - id) : 0;
}

bool job_id_matches(const char *pattern, const char *id)
{
	size_t own = strlen(JOB_OWN_PREFIX);

	if (strncmp(pattern, JOB_OWN_PREFIX, own) == 0)
		return !job_id_account(id) && job_id_matches(pattern + own, id);
	return strcmp(pattern, id) == 0 || fnmatch(pattern, id, 0) == 0;
}

const char *job_id_plain(const char *id)
{
	const char *colon = strchr(id, ':');

	return colon ? colon + 1 : id;
}

bool job_id_valid(const char *id)
{
	const char *colon = strchr(id, ':');

	return job_alias_valid(colon ? colon + 1 : id) &&
	       (!colon || job_account_n(id, (size_t)(colon - id)));
}

const char *job_id_node(const char *id)
{
	const char *at = strchr(job_id_plain(id), '@');

	return at ? at + 1 : NULL;
}

void job_id_whole(const char *id, char whole[JOB_ID_MAX + 1])
{
	const char *node = job_id_node(id);
	size_t length = node ? (size_t)(node - 1 - id) : strlen(id);

	length = length > JOB_ID_MAX ? JOB_ID_MAX : length;
	memcpy(whole, id, length);
	whole[length] = '\0';
}

bool job_id_known(const char *id)
{
	const char *node = job_id_node(id);
	char whole[JOB_ID_MAX + 1];

	if (!node)
		return job_id_valid(id);
	job_id_whole(id, whole);
	return strlen(id) <= JOB_ID_MAX && job_id_valid(whole) && job_alias_valid(node);
}

static bool job_id_as_root;
static pthread_once_t job_id_looked = PTHREAD_ONCE_INIT;

static void job_id_look(void)
{
	job_id_as_root = geteuid() == 0;
}

struct value job_id_account_value(const char *id, struct arena *arena)
{
	size_t length = job_id_account(id);

	if (length)
		return value_string_n(arena, id, length);
	/* Each row of a list asks, and the kernel would take as long as ten members. */
	pthread_once(&job_id_looked, job_id_look);
	return job_id_as_root ? value_string_ref("root") : value_nil();
}
