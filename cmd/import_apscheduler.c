/* SPDX-License-Identifier: MIT */
#include "cmd/import_apscheduler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "cmd/apscheduler_source.h"
#include "jobfile/apscheduler.h"

#define IMPORT_BYTES_MAX ((size_t)64 << 20)

static int import_stored(const char *id, const void *pickle, size_t length, void *context)
{
	return apscheduler_read_stored(context, id, pickle, length);
}

static const char *import_text(const struct command *command, const char *option, const char *fallback)
{
	const char *text = args_get(&command->args, option);

	return text ? text : fallback;
}

/* A URL without its password, to be shown. */
static const char *import_shown(const char *place, struct arena *arena)
{
	const char *host = strstr(place, "://"), *at = host ? strchr(host + 3, '@') : NULL;
	const char *colon = at ? memchr(host + 3, ':', (size_t)(at - host - 3)) : NULL;

	if (!colon)
		return place;
	return arena_printf(arena, "%.*s:***%s", (int)(colon - place), place, at);
}

/* A worker loads it by its whole path. */
static int import_program(struct command *command, struct import_job *job, struct schedd_error *err)
{
	const char *given = args_get(&command->args, "program");
	size_t length = given ? strlen(given) : 0;
	char *whole;

	if (!given)
		return 0;
	if (length < 4 || strcmp(given + length - 3, ".py") != 0 || strchr(given, ':'))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "--program: '%.100s' is no Python program, a file whose name ends with .py", given);
	whole = given[0] == '/' ? NULL : realpath(given, NULL);
	if (given[0] != '/' && !whole)
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "--program: %.100s: %s", given, strerror(errno));
	job->program = whole ? arena_strdup(&command->arena, whole) : given;
	free(whole);
	return job->program ? 0 : schedd_error_nomem(err);
}

int import_apscheduler_load(
    struct command *command, struct import_job *job, const char *place, struct schedd_error *err)
{
	const struct apscheduler_source source = {
	    .place = place,
	    .table = args_get(&command->args, "table"),
	    .jobs_key = import_text(command, "jobs-key", "apscheduler.jobs"),
	};
	size_t length;
	char *text;
	int rc = import_program(command, job, err);

	if (rc)
		return rc;
	job->file = import_shown(place, &command->arena);
	if (apscheduler_source_is(place))
		return apscheduler_source_read(&source, import_stored, job, err);
	rc = file_read(place, IMPORT_BYTES_MAX, &text, &length, err);
	if (rc)
		return rc;
	rc = apscheduler_read_calls(job, text, length);
	free(text);
	return rc == SCHEDD_ENOMEM ? schedd_error_nomem(err) : 0;
}

/* ---- Executors ---- */

/* Is there one of type worker with that name? name NULL: *only gets it if there is just one. */
static bool import_worker(const struct value *list, const char *name, const char **only)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < list->array.count; i++) {
		const struct value *executor = &list->array.items[i];

		if (!value_is_text(value_get(executor, "type"), "worker"))
			continue;
		if (name && value_is_text(value_get(executor, "name"), name))
			return true;
		count++;
		*only = value_get_string(executor, "name");
	}
	if (count != 1)
		*only = NULL;
	return false;
}

static int import_no_worker(const char *alias, struct schedd_error *err)
{
	return schedd_error_set(err, SCHEDD_EINVAL,
	    "no executor of type worker is called '%s' here, nor is there just one of another name: "
	    "put one into the config (executors: python: {type: worker, cwd: …}), or name one with "
	    "--executor",
	    alias);
}

int import_apscheduler_settle(
    struct command *command, struct value *jobs, struct schedd_error *err)
{
	const char *wanted = args_get(&command->args, "executor"), *only = NULL;
	struct value list;
	int rc = command_call(command, "executor.list", NULL, &list, err);

	if (rc)
		return rc;
	if (wanted && !import_worker(&list, wanted, &only))
		return schedd_error_set(err, SCHEDD_ENOTFOUND,
		    "--executor: there is no executor of type worker called '%s'", wanted);
	import_worker(&list, NULL, &only);
	for (uint32_t i = 0; i < jobs->array.count; i++) {
		struct value *job = &jobs->array.items[i];
		struct value_member *member =
		    (struct value_member *)(uintptr_t)value_find(job, "executor");
		const char *alias = value_get_string(job, "executor"), *ignored = NULL;
		const char *found = wanted;

		if (!found && alias && import_worker(&list, alias, &ignored))
			found = alias;
		if (!found)
			found = only;
		if (!found)
			return import_no_worker(alias ? alias : "default", err);
		if (member)
			member->value = value_string_ref(found);
		else
			value_put(&command->arena, job, "executor", value_string_ref(found));
	}
	return 0;
}
