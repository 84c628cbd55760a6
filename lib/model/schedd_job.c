/* SPDX-License-Identifier: MIT */
/* Jobs for embedders: the internal ones behind the public names. */
#include <schedd/job.h>

#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "model/job_fields.h"
#include "trigger/zone_local.h"

struct schedd_job *schedd_job_new(void)
{
	return job_new();
}

void schedd_job_unref(struct schedd_job *job)
{
	job_unref(job);
}

/* A trigger that names no zone means the machine's own, as a scheduler without a config does. */
static int schedd_job_parse_trigger(
    struct schedd_job *job, const char *text, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct zone_cache *zones = zone_cache_new(NULL);
	struct schedd_trigger *made = NULL;
	struct zone_local local;
	int rc;

	if (!zones)
		return schedd_error_nomem(err);
	rc = zone_local_find(zones, NULL, getenv("TZ"), "", &local, err);
	if (!rc)
		rc = schedd_trigger_parse(
		    text, zone_name(local.zone), clock->wall(clock->context), &made, err);
	zone_cache_free(zones);
	if (rc)
		return rc;
	trigger_unref(job->trigger);
	job->trigger = made;
	return 0;
}

static int schedd_job_set_value(struct schedd_job *job, const struct job_field *field,
    const char *text, struct schedd_error *err)
{
	struct arena arena;
	struct value value;
	int rc;

	arena_init(&arena);
	if (json_exact_parse(text, strlen(text), &arena, &value, NULL))
		value = value_string_ref(text);
	rc = job_fields_set(job, NULL, field, &value, NULL, err);
	arena_clear(&arena);
	return rc;
}

int schedd_job_set(
    struct schedd_job *job, const char *field, const char *json, struct schedd_error *err)
{
	const struct job_field *row = job_fields_find(field);

	if (!row)
		return job_fields_unknown(field, err);
	if (row->type == JOB_FIELD_TRIGGER && strcmp(json, "null") != 0)
		return schedd_job_parse_trigger(job, json, err);
	return schedd_job_set_value(job, row, json, err);
}

static int schedd_job_set_plain(
    struct schedd_job *job, const char *field, const struct value *value, struct schedd_error *err)
{
	const struct job_field *row = job_fields_find(field);

	return row ? job_fields_set(job, NULL, row, value, NULL, err)
		   : job_fields_unknown(field, err);
}

int schedd_job_set_int(
    struct schedd_job *job, const char *field, int64_t number, struct schedd_error *err)
{
	struct value value = value_int(number);

	return schedd_job_set_plain(job, field, &value, err);
}

int schedd_job_set_real(
    struct schedd_job *job, const char *field, double number, struct schedd_error *err)
{
	struct value value = value_real(number);

	return schedd_job_set_plain(job, field, &value, err);
}

int schedd_job_set_bool(
    struct schedd_job *job, const char *field, bool flag, struct schedd_error *err)
{
	struct value value = value_bool(flag);

	return schedd_job_set_plain(job, field, &value, err);
}

int schedd_job_set_text(
    struct schedd_job *job, const char *field, const char *text, struct schedd_error *err)
{
	const struct job_field *row = job_fields_find(field);
	struct value value = value_string_ref(text);

	if (row && row->type == JOB_FIELD_TRIGGER)
		return schedd_job_parse_trigger(job, text, err);
	return schedd_job_set_plain(job, field, &value, err);
}

/* The field's value, if it is of that type. */
static int schedd_job_get(const struct schedd_job *job, const char *field, enum value_type type,
    struct value *out, struct schedd_error *err)
{
	const struct job_field *row = job_fields_find(field);
	struct arena arena;

	if (!row)
		return job_fields_unknown(field, err);
	arena_init(&arena);
	*out = row->place == JOB_NOWHERE ? value_nil() : job_fields_get(job, NULL, row, &arena);
	arena_clear(&arena);
	if (out->type == type)
		return 0;
	return schedd_error_set(err, SCHEDD_EINVAL, "%s: it is %s, not %s", field,
	    value_type_name(out->type), value_type_name(type));
}

int schedd_job_get_int(
    const struct schedd_job *job, const char *field, int64_t *number, struct schedd_error *err)
{
	struct value value;
	int rc = schedd_job_get(job, field, VALUE_INT, &value, err);

	if (!rc)
		*number = value.integer;
	return rc;
}

int schedd_job_get_bool(
    const struct schedd_job *job, const char *field, bool *flag, struct schedd_error *err)
{
	struct value value;
	int rc = schedd_job_get(job, field, VALUE_BOOL, &value, err);

	if (!rc)
		*flag = value.boolean;
	return rc;
}

int schedd_job_set_trigger(
    struct schedd_job *job, struct schedd_trigger *trigger, struct schedd_error *err)
{
	(void)err;
	if (trigger)
		trigger_ref(trigger);
	trigger_unref(job->trigger);
	job->trigger = trigger;
	return 0;
}

int schedd_job_set_call(
    struct schedd_job *job, const char *function, const char *args, struct schedd_error *err)
{
	struct arena arena;
	struct value value;
	int rc = 0;

	arena_init(&arena);
	if (args)
		rc = json_parse(args, strlen(args), &arena, &value, err);
	arena_clear(&arena);
	if (rc) {
		schedd_error_prefix(err, "args");
		return rc;
	}
	return job_set_call(job, function, args, NULL) ? schedd_error_nomem(err) : 0;
}

const char *schedd_job_id(const struct schedd_job *job)
{
	return job->id;
}

char *schedd_job_json(const struct schedd_job *job)
{
	struct strbuf text = STRBUF_EMPTY;
	struct arena arena;
	struct value value;

	arena_init(&arena);
	value = job_fields_write(job, NULL, &arena);
	if (arena_failed(&arena))
		text.failed = true;
	else
		json_exact_write(&text, &value);
	arena_clear(&arena);
	if (strbuf_failed(&text))
		strbuf_clear(&text);
	return strbuf_take(&text);
}
