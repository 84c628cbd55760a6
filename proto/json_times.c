/* SPDX-License-Identifier: MIT */
#include "proto/json_times.h"

#include <string.h>
#include "base/iso8601.h"
#include "base/json.h"
#include "model/job_fields.h"
#include "model/run.h"

/* Instants that are no field of a job or a run. */
static const char *const json_time_keys[] = {
    "time", "from", "until", "at", "since", "next", "last", "first", "previous_fire", "last_seen", NULL};

bool json_times_key(const char *key)
{
	const struct job_field *field = job_fields_find(key);

	if (field)
		return field->type == JOB_FIELD_TIME;
	for (const struct run_field *run = run_fields(); run->name; run++) {
		if (strcmp(run->name, key) == 0)
			return run->type == RUN_FIELD_TIME;
	}
	for (const char *const *name = json_time_keys; *name; name++) {
		if (strcmp(*name, key) == 0)
			return true;
	}
	return strlen(key) > 3 && strcmp(key + strlen(key) - 3, "_at") == 0;
}

static void json_times_items(struct strbuf *out, const struct value *array)
{
	strbuf_add_char(out, '[');
	for (uint32_t i = 0; i < array->array.count; i++) {
		if (i)
			strbuf_add_char(out, ',');
		json_times_write(out, &array->array.items[i]);
	}
	strbuf_add_char(out, ']');
}

void json_times_write(struct strbuf *out, const struct value *value)
{
	if (value->type == VALUE_ARRAY) {
		json_times_items(out, value);
		return;
	}
	if (value->type != VALUE_MAP) {
		json_write(out, value);
		return;
	}
	strbuf_add_char(out, '{');
	for (uint32_t i = 0; i < value->map.count; i++) {
		const struct value_member *member = &value->map.members[i];

		if (i)
			strbuf_add_char(out, ',');
		json_write_string(out, member->key, strlen(member->key));
		strbuf_add_char(out, ':');
		if (member->value.type == VALUE_INT && json_times_key(member->key)) {
			strbuf_add_char(out, '"');
			iso8601_format(out, member->value.integer, 0, true);
			strbuf_add_char(out, '"');
		} else {
			json_times_write(out, &member->value);
		}
	}
	strbuf_add_char(out, '}');
}
