/* SPDX-License-Identifier: MIT */
#include "cmd/job_export.h"

#include <string.h>

#define EXPORT_PAGE 1000

int job_export_each(struct command *command, struct value *params, job_export_fn call,
    void *context, struct schedd_error *err)
{
	struct arena arenas[2]; /* the cursor of a page lives while the next one is asked for */
	const char *next = NULL;
	struct value *after;
	int rc, turn = 0;

	value_put(&command->arena, params, "limit", value_int(EXPORT_PAGE));
	after = value_put(&command->arena, params, "after", value_nil());
	if (!after)
		return schedd_error_nomem(err);
	arena_init(&arenas[0]);
	arena_init(&arenas[1]);
	do {
		struct arena *arena = &arenas[turn ^= 1];
		const struct value *jobs;
		struct value result;

		arena_clear(arena);
		*after = value_string_ref(next);
		rc = command_call_in(command, arena, "job.export", params, &result, err);
		if (rc)
			break;
		jobs = value_get(&result, "jobs");
		for (uint32_t i = 0; jobs && i < jobs->array.count && !rc; i++)
			rc = call(&jobs->array.items[i], context);
		next = value_get_string(&result, "next");
	} while (!rc && next);
	arena_clear(&arenas[0]);
	arena_clear(&arenas[1]);
	return rc;
}

struct export_one {
	struct arena *arena;
	const char *id;
	struct value job; /* nil: not found */
};

static int export_take(const struct value *job, void *context)
{
	struct export_one *one = context;
	const char *id = value_get_string(job, "id");

	if (id && strcmp(id, one->id) == 0)
		one->job = value_copy(one->arena, job);
	return 0;
}

int job_export_one(
    struct command *command, const char *id, struct value *job, struct schedd_error *err)
{
	struct export_one one = {&command->arena, id, value_nil()};
	struct value params = value_map(), patterns = value_array();
	int rc;

	value_append(&command->arena, &patterns, value_string_ref(id));
	value_put(&command->arena, &params, "patterns", patterns);
	rc = job_export_each(command, &params, export_take, &one, err);
	if (!rc && one.job.type == VALUE_NIL) {
		struct value ask = value_map(), answer;

		/* The daemon's own sentence may suggest the right id. */
		value_put(&command->arena, &ask, "id", value_string_ref(id));
		rc = command_call(command, "job.get", &ask, &answer, err);
		if (!rc)
			rc = schedd_error_set(err, SCHEDD_ENOTFOUND, "no job '%.128s'", id);
	}
	*job = one.job;
	return rc;
}
