/* SPDX-License-Identifier: MIT */
/* Faults are named by their path ("jobs.backup.timeout: …") and placed at the deepest value they
 * name. */
#include "jobfile/jobfile_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "jobfile/jobfile_type.h"
#include "model/job_check.h"

void jobfile_check_add(
    struct jobfile_reader *reader, uint32_t line, uint32_t column, const char *format, ...)
{
	char message[SCHEDD_ERROR_MESSAGE_MAX + 256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	diagnostics_add(reader->diagnostics, reader->file, line, column, "%s", message);
}

bool jobfile_check_is_action(const struct job_field *field)
{
	return field && (field->type == JOB_FIELD_ARGV || field->type == JOB_FIELD_SHELL ||
			    field->type == JOB_FIELD_CALL || field->type == JOB_FIELD_HTTP);
}

/* "defaults" or "jobs.ID" */
static const char *jobfile_check_path(const char *id, char *path, size_t size)
{
	snprintf(path, size, "%s%s", id ? "jobs." : "defaults", id ? id : "");
	return path;
}

static void jobfile_check_refuse(struct jobfile_reader *reader, const char *path,
    const struct value_member *member, const struct job_field *field)
{
	const char *why = "it is the server's and cannot stand in a job file";
	struct schedd_error err;

	if (!field) {
		job_fields_unknown(member->key, &err);
		jobfile_check_add(
		    reader, member->line, member->column, "%s: %s", path, err.message);
		return;
	}
	if (strcmp(field->name, "id") == 0)
		why = "the key under 'jobs:' is the id";
	else if (strcmp(field->name, "owner") == 0)
		why = "it stands at the top of the file";
	jobfile_check_add(
	    reader, member->line, member->column, "%s.%s: %s", path, field->name, why);
}

bool jobfile_check_keys(struct jobfile_reader *reader, const char *id, struct value *map)
{
	char path[JOB_ID_MAX + 16];
	bool good = true;

	jobfile_check_path(id, path, sizeof(path));
	for (uint32_t i = 0; i < map->map.count; i++) {
		struct value_member *member = &map->map.members[i];
		const struct job_field *field = job_fields_find(member->key);

		if (field && (field->flags & JOB_FIELD_FILE)) {
			uint32_t line = member->value.line, column = member->value.column;

			jobfile_type(field, &member->value);
			member->value.line = line;
			member->value.column = column;
		} else {
			jobfile_check_refuse(reader, path, member, field);
			good = false;
		}
	}
	return good;
}

/*
 * A message begins with the names that lead to the fault ("delay: …", "'every':
 * …"): follows them into the value.
 */
static const struct value *jobfile_check_deepest(const struct value *value, const char *message)
{
	for (;;) {
		const char *end = strchr(message, ':');
		const struct value *inner = NULL;
		char key[64];
		size_t quote = *message == '\'';

		if (!end || (size_t)(end - message) < 1 + 2 * quote ||
		    (size_t)(end - message) >= sizeof(key))
			return value;
		snprintf(key, sizeof(key), "%.*s", (int)((size_t)(end - message) - 2 * quote),
		    message + quote);
		inner = value_get(value, key);
		if (!inner || inner->line == 0)
			return value;
		value = inner;
		message = end + 1 + (end[1] == ' ');
	}
}

/* Reads one field alone; reports what is wrong with it. */
static bool jobfile_check_field(struct jobfile_reader *reader, const char *path,
    const struct job_field *field, const struct value_member *member, struct schedd_job *job,
    struct job_state *state)
{
	struct job_fields_context context = {.trigger = reader->context};
	const struct value *place;
	struct schedd_error err;

	if (job_fields_set(job, state, field, &member->value, &context, &err) == 0)
		return true;
	place =
	    jobfile_check_deepest(&member->value, err.message + strlen(field->name) + strlen(": "));
	if (place->line == 0)
		jobfile_check_add(reader, member->line, member->column, "%s.%s", path, err.message);
	else
		jobfile_check_add(reader, place->line, place->column, "%s.%s", path, err.message);
	return false;
}

/* Field by field; false: something was reported. */
static bool jobfile_check_each(
    struct jobfile_reader *reader, const char *path, const struct value *map)
{
	struct schedd_job *job = job_new();
	struct job_state state;
	bool good = true;

	if (!job) {
		reader->set->arena.failed = true;
		return false;
	}
	job_state_init(&state);
	for (const struct job_field *field = job_fields(); field->name; field++) {
		const struct value_member *member = value_find(map, field->name);

		if (member && !jobfile_check_field(reader, path, field, member, job, &state))
			good = false;
	}
	job_state_clear(&state);
	job_unref(job);
	return good;
}

bool jobfile_check_defaults(struct jobfile_reader *reader, const struct value *map)
{
	return jobfile_check_each(reader, "defaults", map);
}

void jobfile_check_fields(
    struct jobfile_reader *reader, const struct value_member *job, const struct value *map)
{
	char path[JOB_ID_MAX + 16];

	(void)jobfile_check_each(reader, jobfile_check_path(job->key, path, sizeof(path)), map);
}

bool jobfile_check_job(
    struct jobfile_reader *reader, const struct value_member *job, const struct value *map)
{
	struct job_fields_context context = {.trigger = reader->context};
	struct schedd_job *made = job_new();
	char path[JOB_ID_MAX + 16];
	struct schedd_error err;
	struct job_state state;
	int rc;

	if (!made) {
		reader->set->arena.failed = true;
		return false;
	}
	job_state_init(&state);
	rc = job_fields_read(
	    made, &state, map, JOB_FIELD_ADD_ONLY | JOB_FIELD_STATE, &context, &err);
	if (!rc)
		rc = job_check(made, &err);
	job_state_clear(&state);
	job_unref(made);
	if (!rc)
		return true;
	if (rc == SCHEDD_ENOMEM)
		reader->set->arena.failed = true;
	else if (jobfile_check_each(reader, jobfile_check_path(job->key, path, sizeof(path)), map))
		jobfile_check_add(reader, job->line, job->column, "%s: %s", path, err.message);
	return false;
}
