/* SPDX-License-Identifier: MIT */
#include "server/config_defaults.h"

#include <stdio.h>
#include <string.h>
#include "jobfile/jobfile_check.h"
#include "model/job_fields.h"

#define DEFAULTS_PREFIX "defaults."

/* Fields that are one job's own. */
static const char *const defaults_own[] = {"id", "name", "trigger", "after", NULL};

static bool defaults_has(const struct job_field *field)
{
	for (const char *const *own = defaults_own; *own; own++)
		if (strcmp(*own, field->name) == 0)
			return false;
	return (field->flags & JOB_FIELD_FILE) && !(field->flags & JOB_FIELD_STATE) &&
	       !jobfile_check_is_action(field);
}

static bool defaults_row_is(const struct config_row *row, const struct job_field *field)
{
	size_t length = strlen(DEFAULTS_PREFIX);

	return strncmp(row->key, DEFAULTS_PREFIX, length) == 0 &&
	       strcmp(row->key + length, field->name) == 0;
}

size_t config_defaults_rows(struct config_row *rows, size_t count)
{
	static char keys[CONFIG_DEFAULTS_MAX][sizeof(DEFAULTS_PREFIX) + 24];
	const struct job_field *fields = job_fields();
	size_t given = count;

	for (size_t f = 0; fields[f].name && f < CONFIG_DEFAULTS_MAX; f++) {
		bool known = false;

		for (size_t i = 0; i < given; i++)
			known |= defaults_row_is(&rows[i], &fields[f]);
		if (known || !defaults_has(&fields[f]) || count == CONFIG_SETTINGS_MAX - 1)
			continue;
		snprintf(keys[f], sizeof(keys[f]), DEFAULTS_PREFIX "%.23s", fields[f].name);
		rows[count++] = (struct config_row){.key = keys[f],
		    .type = CONFIG_JOB,
		    .offset = offsetof(struct config, defaults) + f * sizeof(struct value),
		    .live = true,
		    .fallback = fields[f].fallback ? fields[f].fallback : "none",
		    .doc = fields[f].doc};
	}
	return count;
}

/* Both maps; what the job says wins. */
static struct value defaults_joined(
    const struct value *fallback, const struct value *own, struct arena *arena)
{
	struct value map = value_copy(arena, own);

	for (uint32_t i = 0; i < fallback->map.count; i++)
		if (!value_get(own, fallback->map.members[i].key))
			value_put(arena, &map, fallback->map.members[i].key,
			    fallback->map.members[i].value);
	return map;
}

/* An executor is for what it can do: calls and requests go where they always do. */
static bool defaults_fits(const struct job_field *field, const struct value *fields)
{
	return strcmp(field->name, "executor") != 0 ||
	       (!value_get(fields, "call") && !value_get(fields, "http"));
}

void config_defaults_fill(const struct config *config, struct value *fields, struct arena *arena)
{
	const struct job_field *rows = job_fields();

	for (size_t f = 0; f < CONFIG_DEFAULTS_MAX; f++) {
		const struct value *fallback = &config->defaults[f];
		struct value *own = NULL;

		/* Most, and all that are no field: each job of a file comes by here. */
		if (fallback->type == VALUE_NIL)
			continue;
		for (uint32_t m = 0; m < fields->map.count; m++)
			if (strcmp(fields->map.members[m].key, rows[f].name) == 0)
				own = &fields->map.members[m].value;
		if (!own && defaults_fits(&rows[f], fields))
			value_put(arena, fields, rows[f].name, *fallback);
		else if (own && own->type == VALUE_MAP && fallback->type == VALUE_MAP &&
			 rows[f].type == JOB_FIELD_PAIRS)
			*own = defaults_joined(fallback, own, arena);
	}
}
