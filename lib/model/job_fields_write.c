/* SPDX-License-Identifier: MIT */
/* From jobs to values: one field, all of them, or those that say something. */
#include <string.h>
#include "model/job_field_ops.h"

#define JOB_FIELDS_WRITTEN 32 /* members of most maps at most, those of details apart */

struct value job_fields_get(const struct schedd_job *job, const struct job_state *state,
    const struct job_field *field, struct arena *arena)
{
	/* Writing changes neither half; the ops share the struct with reading, which does. */
	struct job_halves halves = {
	    .job = (struct schedd_job *)(uintptr_t)job,
	    .state = (struct job_state *)(uintptr_t)state,
	};

	if (field->place == JOB_NOWHERE || (field->place == JOB_IN_STATE && !state))
		return value_nil();
	return job_field_ops(field)->write(&halves, field, arena);
}

bool job_fields_is_default(
    const struct schedd_job *job, const struct job_state *state, const struct job_field *field)
{
	struct job_halves halves = {
	    .job = (struct schedd_job *)(uintptr_t)job,
	    .state = (struct job_state *)(uintptr_t)state,
	};

	if (field->place == JOB_NOWHERE || (field->place == JOB_IN_STATE && !state))
		return true;
	return job_field_ops(field)->is_default(&halves, field);
}

struct value job_fields_write(
    const struct schedd_job *job, const struct job_state *state, struct arena *arena)
{
	unsigned places = 1 << JOB_IN_JOB | 1 << JOB_IN_DETAILS | 1 << JOB_IN_STATE;

	return job_fields_write_from(job, state, places, arena);
}

struct value job_fields_write_from(const struct schedd_job *job, const struct job_state *state,
    unsigned places, struct arena *arena)
{
	struct value map = value_map();

	/* And what is derived from them; a list has one for each of its jobs. */
	value_reserve(arena, &map, JOB_FIELDS_WRITTEN);
	for (const struct job_field *field = job_fields(); field->name; field++) {
		if (!(places & 1u << field->place) || (field->flags & JOB_FIELD_HIDDEN) ||
		    (field->place == JOB_IN_STATE && !state))
			continue;
		value_put(arena, &map, field->name, job_fields_get(job, state, field, arena));
	}
	return map;
}

struct value job_fields_export(const struct schedd_job *job, struct arena *arena)
{
	struct value map = value_map();

	for (const struct job_field *field = job_fields(); field->name; field++) {
		if (field->place == JOB_NOWHERE || field->place == JOB_IN_STATE ||
		    job_fields_is_default(job, NULL, field))
			continue;
		value_put(arena, &map, field->name, job_fields_get(job, NULL, field, arena));
	}
	return map;
}
