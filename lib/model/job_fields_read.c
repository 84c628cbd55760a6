/* SPDX-License-Identifier: MIT */
/* From values into jobs: one field, or a map of them in the table's order. */
#include <stdlib.h>
#include <string.h>
#include "model/job_field_ops.h"

/* As in APScheduler: no next run time is a pause, a next run time ends one. */
static void job_fields_planned(struct job_state *state)
{
	state->paused = state->next_run_time == SCHEDD_TIME_NONE;
	state->paused_until = SCHEDD_TIME_NONE;
	free(state->paused_reason);
	state->paused_reason = NULL;
}

/* Puts the field's name before the sentence, where a trigger has not done so itself. */
static void job_fields_prefix(const struct job_field *field, struct schedd_error *err)
{
	size_t length = strlen(field->name);

	if (err && strncmp(err->message, field->name, length) == 0 && err->message[length] == ':')
		return;
	schedd_error_prefix(err, "%s", field->name);
}

/* Back to the default. Details that say nothing else need not be made for it. */
static int job_fields_reset(
    const struct job_halves *halves, const struct job_field *field, struct schedd_error *err)
{
	const struct job_field_ops *ops = job_field_ops(field);

	if (ops->is_default(halves, field))
		return 0;
	if (field->place == JOB_IN_DETAILS && !job_details_edit(halves->job))
		return schedd_error_nomem(err);
	ops->reset(halves, field);
	return 0;
}

int job_fields_set(struct schedd_job *job, struct job_state *state, const struct job_field *field,
    const struct value *value, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_halves halves = {.job = job, .state = state};
	int rc;

	if (field->place == JOB_NOWHERE || ((field->flags & JOB_FIELD_STATE) && !state))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: it cannot be set here", field->name);
	if (value->type == VALUE_NIL)
		rc = job_fields_reset(&halves, field, err);
	else
		rc = job_field_ops(field)->read(&halves, field, value, context, err);
	if (rc) {
		job_fields_prefix(field, err);
		return rc;
	}
	if (field->place == JOB_IN_STATE && strcmp(field->name, "next_run_time") == 0)
		job_fields_planned(state);
	else if (field->place == JOB_IN_STATE && strcmp(field->name, "paused_until") == 0 &&
		 state->paused_until != SCHEDD_TIME_NONE)
		state->paused = true;
	return 0;
}

static bool job_fields_is_action(const struct job_field *field)
{
	return field->type == JOB_FIELD_ARGV || field->type == JOB_FIELD_SHELL ||
	       field->type == JOB_FIELD_CALL || field->type == JOB_FIELD_HTTP;
}

static int job_fields_refuse(
    const struct job_field *field, unsigned allowed, struct schedd_error *err)
{
	unsigned over = field->flags & ~allowed;

	if (field->place == JOB_NOWHERE || (over & JOB_FIELD_READONLY))
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: it is shown only and cannot be set", field->name);
	if (over & JOB_FIELD_ADD_ONLY)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "%s: it is set when a job is added and cannot be changed", field->name);
	if (over & JOB_FIELD_STATE)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "%s: it cannot be set here", field->name);
	return 0;
}

/* The members of a map by the fields they are of, whose numbers are in the set. */
struct job_fields_given {
	uint64_t set[JOB_FIELDS_MAX / 64];
	const struct value *values[JOB_FIELDS_MAX]; /* of those in the set alone */
};

/* The first of a name counts. */
static void job_fields_give(
    struct job_fields_given *given, const struct job_field *field, const struct value *value)
{
	size_t number = (size_t)(field - job_fields());
	uint64_t bit = UINT64_C(1) << number % 64;

	if (given->set[number / 64] & bit)
		return;
	given->set[number / 64] |= bit;
	given->values[number] = value;
}

/* Keys and what may not stand together, before anything is changed. */
static int job_fields_check_map(const struct value *map, unsigned allowed,
    struct job_fields_given *given, struct schedd_error *err)
{
	const char *action = NULL;

	if (map->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EINVAL, "%s is not a map of a job's fields",
		    value_type_name(map->type));
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct value_member *member = &map->map.members[i];
		const struct job_field *field = job_fields_find(member->key);
		int rc = field ? job_fields_refuse(field, allowed, err)
			       : job_fields_unknown(member->key, err);

		if (rc)
			return rc;
		job_fields_give(given, field, &member->value);
		if (!job_fields_is_action(field) || member->value.type == VALUE_NIL)
			continue;
		if (action)
			return schedd_error_set(err, SCHEDD_EINVAL,
			    "%s: there is %s already, a job does one thing: command, shell, call "
			    "or "
			    "http",
			    member->key, action);
		action = member->key;
	}
	return 0;
}

int job_fields_read(struct schedd_job *job, struct job_state *state, const struct value *map,
    unsigned allowed_flags, const struct job_fields_context *context, struct schedd_error *err)
{
	struct job_fields_given given;
	int rc;

	memset(given.set, 0, sizeof(given.set));
	rc = job_fields_check_map(map, allowed_flags, &given, err);
	for (size_t word = 0; word < JOB_FIELDS_MAX / 64; word++)
		for (uint64_t left = given.set[word]; left && !rc; left &= left - 1) {
			size_t number = word * 64 + (size_t)__builtin_ctzll(left);

			rc = job_fields_set(job, state, &job_fields()[number],
			    given.values[number], context, err);
		}
	return rc;
}
