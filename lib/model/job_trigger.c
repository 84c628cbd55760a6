/* SPDX-License-Identifier: MIT */
/* The trigger as a field: read with the job's id and the trigger it replaces in its context. */
#include "model/job_field_ops.h"

static int job_trigger_read(const struct job_halves *halves, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct schedd_trigger *made = NULL;
	struct trigger_context with;
	int rc;

	(void)field;
	if (!context || !context->trigger)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "it cannot be read without a time zone");
	with = *context->trigger;
	if (halves->job->id)
		with.job_id = halves->job->id;
	if (context->previous)
		with.previous = context->previous->job->trigger;
	rc = trigger_from_value(value, &with, &made, err);
	if (rc)
		return rc;
	trigger_unref(halves->job->trigger);
	halves->job->trigger = made;
	return 0;
}

static struct value job_trigger_write(
    const struct job_halves *halves, const struct job_field *field, struct arena *arena)
{
	(void)field;
	return halves->job->trigger ? trigger_to_value(halves->job->trigger, arena) : value_nil();
}

static bool job_trigger_is_default(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	return halves->job->trigger == NULL;
}

static void job_trigger_reset(const struct job_halves *halves, const struct job_field *field)
{
	(void)field;
	trigger_unref(halves->job->trigger);
	halves->job->trigger = NULL;
}

const struct job_field_ops job_trigger_ops = {
    .read = job_trigger_read,
    .write = job_trigger_write,
    .is_default = job_trigger_is_default,
    .reset = job_trigger_reset,
};
