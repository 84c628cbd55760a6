/* SPDX-License-Identifier: MIT */
/* From jobs to values, or to what is packed of them: one field, all of them, or those that say something. */
#include <pthread.h>
#include <string.h>
#include "base/message.h"
#include "model/job_field_ops.h"

#define JOB_FIELDS_WRITTEN 96 /* members of most maps at most */

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
	struct value map = value_map();

	/* And what is derived from them. */
	value_reserve(arena, &map, JOB_FIELDS_WRITTEN);
	for (const struct job_field *field = job_fields(); field->name; field++) {
		if (field->place == JOB_NOWHERE || (field->flags & JOB_FIELD_HIDDEN) ||
		    (field->place == JOB_IN_STATE && !state))
			continue;
		value_put(arena, &map, field->name, job_fields_get(job, state, field, arena));
	}
	return map;
}

/* ---- Packed ---- */

/* Rows that are shown, those kept in the details first, with what packing asks of them again and again. */
static struct {
	struct message_key key;
	const struct job_field *field;
	const struct job_field_ops *ops;
} job_fields_packed[JOB_FIELDS_MAX];
static size_t job_fields_in_details, job_fields_in_all;
static pthread_once_t job_fields_packing = PTHREAD_ONCE_INIT;

static void job_fields_add_packed(bool details)
{
	for (const struct job_field *field = job_fields(); field->name; field++) {
		if (field->place == JOB_NOWHERE || (field->flags & JOB_FIELD_HIDDEN) ||
		    (field->place == JOB_IN_DETAILS) != details)
			continue;
		message_key_make(&job_fields_packed[job_fields_in_all].key, field->name);
		job_fields_packed[job_fields_in_all].field = field;
		job_fields_packed[job_fields_in_all++].ops = job_field_ops(field);
	}
}

static void job_fields_make_packed(void)
{
	job_fields_add_packed(true);
	job_fields_in_details = job_fields_in_all;
	job_fields_add_packed(false);
}

static uint32_t job_fields_pack(const struct job_halves *halves, size_t from, size_t to,
    struct arena *arena, struct strbuf *out)
{
	for (size_t i = from; i < to; i++) {
		const struct job_field *field = job_fields_packed[i].field;
		const struct job_field_ops *ops = job_fields_packed[i].ops;
		const struct message_key *key = &job_fields_packed[i].key;

		if (ops->text) {
			message_pack_text_member(out, key, ops->text(halves, field));
		} else {
			struct value value = ops->write(halves, field, arena);

			message_pack_member(out, key, &value);
		}
	}
	return (uint32_t)(to - from);
}

uint32_t job_fields_pack_details(
    const struct schedd_job *job, struct arena *arena, struct strbuf *out)
{
	struct job_halves halves = {.job = (struct schedd_job *)(uintptr_t)job};

	pthread_once(&job_fields_packing, job_fields_make_packed);
	return job_fields_pack(&halves, 0, job_fields_in_details, arena, out);
}

uint32_t job_fields_pack_own(const struct schedd_job *job, const struct job_state *state,
    struct arena *arena, struct strbuf *out)
{
	struct job_halves halves = {
	    .job = (struct schedd_job *)(uintptr_t)job,
	    .state = (struct job_state *)(uintptr_t)state,
	};

	pthread_once(&job_fields_packing, job_fields_make_packed);
	return job_fields_pack(&halves, job_fields_in_details, job_fields_in_all, arena, out);
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
