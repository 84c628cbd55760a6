/* SPDX-License-Identifier: MIT */
/*
 * Most fields take text; only where a number or a boolean is expected is a
 * plain scalar looked at as one. So `cwd: 1.10` and `A: no` stay what they are.
 */
#include "jobfile/jobfile_type.h"

#include <string.h>
#include "jobfile/yaml_scalar.h"

/* Plain scalars under these keys are numbers and booleans, at any depth. */
static const char *const jobfile_trigger_keys[] = {
    "seconds", "years", "months", "weeks", "days", "seed", "manual", "on_start", "on_boot", NULL};
static const char *const jobfile_retry_keys[] = {"limit", "backoff", NULL};
static const char *const jobfile_call_keys[] = {"args", "kwargs", NULL};

static bool jobfile_type_among(const char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

static void jobfile_type_keys(const char *const *keys, struct value *value)
{
	if (value->type == VALUE_MAP)
		for (uint32_t i = 0; i < value->map.count; i++) {
			struct value_member *member = &value->map.members[i];

			if (jobfile_type_among(keys, member->key))
				yaml_scalar_core_deep(&member->value);
			else
				jobfile_type_keys(keys, &member->value);
		}
	else if (value->type == VALUE_ARRAY)
		for (uint32_t i = 0; i < value->array.count; i++)
			jobfile_type_keys(keys, &value->array.items[i]);
	else if (yaml_scalar_is_null(value))
		*value = yaml_scalar_core(value);
}

/* An argument may well be ~ or null; nothing at all behind a '-' is none. */
static void jobfile_type_argv(struct value *value)
{
	if (value->type != VALUE_ARRAY) {
		yaml_scalar_nulls(value);
		return;
	}
	for (uint32_t i = 0; i < value->array.count; i++)
		if (value_is_text(&value->array.items[i], ""))
			yaml_scalar_nulls(&value->array.items[i]);
}

void jobfile_type(const struct job_field *field, struct value *value)
{
	switch (field->type) {
	case JOB_FIELD_BOOL:
	case JOB_FIELD_INT:
		*value = yaml_scalar_core(value);
		break;
	case JOB_FIELD_ARGV:
		jobfile_type_argv(value);
		break;
	case JOB_FIELD_RETRY:
		if (value->type == VALUE_STRING)
			*value = yaml_scalar_core(value);
		else
			jobfile_type_keys(jobfile_retry_keys, value);
		break;
	case JOB_FIELD_CALL:
		jobfile_type_keys(jobfile_call_keys, value);
		break;
	case JOB_FIELD_TRIGGER:
		jobfile_type_keys(jobfile_trigger_keys, value);
		break;
	default:
		yaml_scalar_nulls(value);
		break;
	}
}
