/* SPDX-License-Identifier: MIT */
/* stdin: a path, {path: …}, or {text: …}, whose text may be any bytes. */
#include <stdlib.h>
#include <string.h>
#include "model/job_details.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"
#include "model/job_text.h"

struct job_stdin_parts {
	const char *path;         /* NULL: not given */
	const struct value *text; /* NULL: not given */
};

static int job_stdin_read_path(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_stdin_parts *parts = target;
	int rc = job_text_plain(value, &parts->path, err);

	return rc ? rc : job_text_check(parts->path, JOB_FORM_PATH, 4096, err);
}

static int job_stdin_read_text(void *target, const struct value *value, struct schedd_error *err)
{
	struct job_stdin_parts *parts = target;

	if (value->type != VALUE_STRING)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s is not a text", value_type_name(value->type));
	parts->text = value;
	return 0;
}

static void job_stdin_clear(struct job_details *details)
{
	free(details->stdin_path);
	free(details->stdin_text);
	details->stdin_path = NULL;
	details->stdin_text = NULL;
	details->stdin_length = 0;
}

static int job_stdin_store(
    struct schedd_job *job, const struct job_stdin_parts *parts, struct schedd_error *err)
{
	struct job_details *details = job_details_edit(job);

	if (!details)
		return schedd_error_nomem(err);
	job_stdin_clear(details);
	if (parts->path) {
		details->stdin_path = strdup(parts->path);
		return details->stdin_path ? 0 : schedd_error_nomem(err);
	}
	if (job_details_set_stdin_text(
		details, parts->text->string.text, parts->text->string.length))
		return schedd_error_nomem(err);
	return 0;
}

static int job_stdin_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"path", job_stdin_read_path},
	    {"text", job_stdin_read_text},
	    {NULL, NULL},
	};
	struct job_stdin_parts parts = {0};
	int rc;

	(void)field;
	(void)context;
	if (value->type == VALUE_MAP)
		rc = job_member_read(value, rows, &parts, err);
	else
		rc = job_stdin_read_path(&parts, value, err);
	if (!rc && !parts.path == !parts.text)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "write {path: FILE} or {text: TEXT}");
	return rc ? rc : job_stdin_store(halves->job, &parts, err);
}

static struct value job_stdin_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_details *details = job_details(halves->job);
	struct value map = value_map();

	(void)field;
	if (!details->stdin_text)
		return value_string(arena, details->stdin_path);
	value_put(
	    arena, &map, "text", value_string_n(arena, details->stdin_text, details->stdin_length));
	return map;
}

static bool job_stdin_is_default(const struct job_halves *halves, const struct job_field *field)
{
	const struct job_details *details = job_details(halves->job);

	(void)field;
	return !details->stdin_path && !details->stdin_text;
}

static void job_stdin_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	job_stdin_clear(halves->job->details);
}

const struct job_field_ops job_stdin_ops = {
    .read = job_stdin_read,
    .write = job_stdin_write,
    .is_default = job_stdin_is_default,
    .reset = job_stdin_reset,
};
