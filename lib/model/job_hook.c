/* SPDX-License-Identifier: MIT */
/* hook: {secret_file: FILE}, or the path alone. What is in the file is never looked at here. */
#include <stdlib.h>
#include <string.h>
#include "model/job_details.h"
#include "model/job_field_ops.h"
#include "model/job_member.h"
#include "model/job_text.h"

#define JOB_HOOK_PATH 4096 /* bytes */

static int job_hook_read_file(void *target, const struct value *value, struct schedd_error *err)
{
	const char **file = target;
	int rc = job_text_plain(value, file, err);

	return rc ? rc : job_text_check(*file, JOB_FORM_PATH, JOB_HOOK_PATH, err);
}

static int job_hook_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	static const struct job_member rows[] = {
	    {"secret_file", job_hook_read_file},
	    {NULL, NULL},
	};
	struct job_details *details;
	const char *file = NULL;
	char *copy;
	int rc;

	(void)field;
	(void)context;
	if (value->type == VALUE_MAP)
		rc = job_member_read(value, rows, &file, err);
	else
		rc = job_hook_read_file(&file, value, err);
	if (!rc && !file)
		rc = schedd_error_set(err, SCHEDD_EINVAL, "write {secret_file: FILE}");
	if (rc)
		return rc;
	details = job_details_edit(halves->job);
	copy = strdup(file);
	if (!details || !copy) {
		free(copy);
		return schedd_error_nomem(err);
	}
	free(details->hook_secret_file);
	details->hook_secret_file = copy;
	return 0;
}

static struct value job_hook_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	const struct job_details *details = job_details(halves->job);
	struct value map = value_map();

	(void)field;
	if (!details->hook_secret_file)
		return value_nil();
	value_put(arena, &map, "secret_file", value_string(arena, details->hook_secret_file));
	return map;
}

static bool job_hook_is_default(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return !job_details(halves->job)->hook_secret_file;
}

static void job_hook_reset(const struct job_halves *halves, const struct job_field *field)
{
	struct job_details *details = halves->job->details;

	(void)field;
	free(details->hook_secret_file);
	details->hook_secret_file = NULL;
}

const struct job_field_ops job_hook_ops = {
    .read = job_hook_read,
    .write = job_hook_write,
    .is_default = job_hook_is_default,
    .reset = job_hook_reset,
};
