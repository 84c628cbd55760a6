/* SPDX-License-Identifier: MIT */
/* Imports are lists of tens or hundreds: ids are looked for one by one. */
#include "jobfile/import_job.h"

#include <stdio.h>
#include <string.h>
#include "model/job_check.h"
#include "model/job_fields.h"

static bool import_job_taken(const struct import_job *import, const char *id)
{
	for (uint32_t i = 0; i < import->jobs->array.count; i++)
		if (value_is_text(value_get(&import->jobs->array.items[i], "id"), id))
			return true;
	return false;
}

const char *import_job_id(struct import_job *import, const char *text)
{
	char id[JOB_ID_MAX - 15];
	const char *unique = id;
	size_t used = 0;

	for (; *text && used < sizeof(id) - 1; text++) {
		char c[2] = {*text, '\0'};
		bool inner = used > 0 && (*text == '.' || *text == '-');

		if (inner || (*text != '.' && *text != '-' && job_id_valid(c)))
			id[used++] = *text;
		else if (used > 0 && id[used - 1] != '-')
			id[used++] = '-';
	}
	while (used > 0 && id[used - 1] == '-')
		used--;
	id[used] = '\0';
	if (used == 0)
		snprintf(id, sizeof(id), "job");
	for (unsigned n = 2; unique && import_job_taken(import, unique); n++)
		unique = arena_printf(import->arena, "%s-%u", id, n);
	return unique ? arena_strdup(import->arena, unique) : NULL;
}

int import_job_add(
    struct import_job *import, uint32_t line, const char *title, const struct value *map)
{
	struct job_fields_context context = {.trigger = import->context};
	struct schedd_job *job = job_new();
	struct schedd_error err;
	struct job_state state;
	struct value *added;
	int rc;

	if (!job || arena_failed(import->arena)) {
		job_unref(job);
		return SCHEDD_ENOMEM;
	}
	job_state_init(&state);
	rc =
	    job_fields_read(job, &state, map, JOB_FIELD_ADD_ONLY | JOB_FIELD_STATE, &context, &err);
	if (!rc)
		rc = job_check(job, &err);
	job_state_clear(&state);
	job_unref(job);
	if (rc == SCHEDD_ENOMEM)
		return rc;
	if (rc)
		diagnostics_add(
		    import->skipped, import->file, line, 0, "%s: %s", title, err.message);
	else if ((added = value_append(import->arena, import->jobs, *map)))
		added->line = line;
	else
		return SCHEDD_ENOMEM;
	return 0;
}
