/* SPDX-License-Identifier: MIT */
/*
 * What claims change (next_fire, next_run_time, run_count, last_run) is not in
 * the text: a store keeps it beside, where it can be rewritten alone.
 */
#include "store/store_record.h"

#include <stdlib.h>
#include <string.h>
#include "base/json_exact.h"
#include "model/job_fields.h"
#include "store/sql_json.h"

static bool record_beside(const struct job_field *field)
{
	static const char *const beside[] = {"next_fire", "next_run_time", "run_count", "last_run"};

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (field->name[0] == beside[i][0] && strcmp(field->name, beside[i]) == 0)
			return true;
	return field->place == JOB_NOWHERE || strcmp(field->name, "invalid") == 0;
}

static int record_encode(const struct schedd_job *job, const struct job_state *state,
    struct strbuf *out, struct schedd_error *err)
{
	struct value map = value_map();
	struct arena arena;
	bool failed;

	arena_init(&arena);
	for (const struct job_field *field = job_fields(); field->name; field++)
		if (!record_beside(field) && !job_fields_is_default(job, state, field))
			value_put(&arena, &map, field->name,
			    job_fields_get(job, state, field, &arena));
	failed = arena_failed(&arena);
	if (!failed)
		json_exact_write(out, &map);
	arena_clear(&arena);
	return failed || strbuf_failed(out) ? schedd_error_nomem(err) : 0;
}

/* Everything that is not a field of ours was written by a later schedd. */
static int record_known(const struct value *map, struct schedd_error *err)
{
	if (map->type != VALUE_MAP)
		return schedd_error_set(err, SCHEDD_EFILE, "it is no map");
	for (uint32_t i = 0; i < map->map.count; i++) {
		const struct job_field *field = job_fields_find(map->map.members[i].key);

		if (!field || record_beside(field))
			return schedd_error_set(err, SCHEDD_EFILE,
			    "field '%.64s' is not known, a newer schedd wrote it",
			    map->map.members[i].key);
	}
	return 0;
}

int store_record_check(const struct schedd_job *job, struct schedd_error *err)
{
	if (!job->id || !job_id_known(job->id))
		return schedd_error_set(
		    err, SCHEDD_EFILE, "'%.140s' is no id of a job", job->id ? job->id : "");
	if (!job->trigger)
		return schedd_error_set(err, SCHEDD_EFILE, "it has no trigger");
	if (!job_has_action(job))
		return schedd_error_set(err, SCHEDD_EFILE, "it has nothing to run");
	return 0;
}

static int record_set(struct job_record *record, struct job_fields_context *context,
    struct trigger_context *trigger, const struct job_field *field, const struct value *value,
    struct schedd_error *err)
{
	int rc = 0;

	if (value && value->type != VALUE_NIL)
		rc = job_fields_set(record->job, &record->state, field, value, context, err);
	trigger->job_id = record->job->id;
	return rc;
}

#define RECORD_ORDERED_MAX 128

static bool record_is(const struct job_field *field, const char *key)
{
	return field->name[0] == key[0] && field->name[1] == key[1] && strcmp(field->name, key) == 0;
}

/*
 * Members stand in the order of the fields, as they were written: so the field
 * of each is looked for behind the one before. False: whoever wrote them did otherwise.
 */
static bool record_in_order(
    const struct value *map, const struct job_field *fields[RECORD_ORDERED_MAX])
{
	const struct job_field *field = job_fields();

	if (map->type != VALUE_MAP || map->map.count > RECORD_ORDERED_MAX)
		return false;
	for (uint32_t i = 0; i < map->map.count; i++) {
		while (field->name && !record_is(field, map->map.members[i].key))
			field++;
		if (!field->name || record_beside(field))
			return false; /* it has no business there */
		fields[i] = field++;
	}
	return true;
}

static int record_read(struct job_record *record, const struct trigger_context *base,
    const struct value *map, struct schedd_error *err)
{
	const struct job_field *fields[RECORD_ORDERED_MAX];
	struct trigger_context trigger = *base;
	struct job_fields_context context = {.trigger = &trigger};
	int rc = 0;

	if (record_in_order(map, fields)) {
		for (uint32_t i = 0; rc == 0 && i < map->map.count; i++)
			rc = record_set(record, &context, &trigger, fields[i],
			    &map->map.members[i].value, err);
		return rc ? rc : store_record_check(record->job, err);
	}
	rc = record_known(map, err);
	for (const struct job_field *field = job_fields(); rc == 0 && field->name; field++)
		rc = record_set(
		    record, &context, &trigger, field, value_get(map, field->name), err);
	return rc ? rc : store_record_check(record->job, err);
}

int store_record_invalid(struct job_record *record, const char *id, const char *why)
{
	job_unref(record->job);
	job_state_clear(&record->state);
	job_state_init(&record->state);
	record->raw = NULL;
	record->job = job_new();
	if (!record->job)
		return SCHEDD_ENOMEM;
	record->job->id = strdup(id);
	record->state.invalid = strdup(why);
	if (record->job->id && record->state.invalid)
		return 0;
	job_unref(record->job);
	job_state_clear(&record->state);
	return SCHEDD_ENOMEM;
}

static int record_decode(const struct trigger_context *trigger, const char *id, const char *json,
    size_t length, struct job_record *record, struct schedd_error *err)
{
	struct schedd_error why;
	struct arena arena;
	struct value map;
	int rc;

	job_state_init(&record->state);
	record->raw = NULL;
	record->job = job_new();
	if (!record->job)
		return schedd_error_nomem(err);
	arena_init(&arena);
	rc = sql_json_parse(json, length, &arena, &map, &why);
	if (rc == 0)
		rc = record_read(record, trigger, &map, &why);
	if (rc == 0 && strcmp(record->job->id, id) != 0)
		rc = schedd_error_set(&why, SCHEDD_EFILE, "its definition is that of '%.128s'",
		    record->job->id);
	arena_clear(&arena);
	if (rc < 0 && rc != SCHEDD_ENOMEM) {
		if (store_record_invalid(record, id, why.message))
			return schedd_error_nomem(err);
		/* Without memory for it the job is shown by its id alone. */
		record->raw = strndup(json, length);
		return 0;
	}
	if (rc == 0)
		return 0;
	job_unref(record->job);
	job_state_clear(&record->state);
	return schedd_error_nomem(err);
}

const struct store_host store_record_host = {.encode = record_encode, .decode = record_decode};
