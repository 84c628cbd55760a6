/* SPDX-License-Identifier: MIT */
#include "proto/methods_address.h"

#include <string.h>

static bool address_takes(const struct method *method, const char *name)
{
	for (const struct method_param *row = method->params; row && row->name; row++)
		if (strcmp(row->name, name) == 0)
			return true;
	return false;
}

static struct value_member *address_member(struct value *params, const char *key)
{
	for (uint32_t i = 0; i < params->map.count; i++)
		if (strcmp(params->map.members[i].key, key) == 0)
			return &params->map.members[i];
	return NULL;
}

/* {"job": "backup", "run": 42}: the run's member gets both, the job's goes. */
static void address_join(
    struct value *params, struct value_member *job, struct value_member *run, struct arena *arena)
{
	const char *text =
	    arena_printf(arena, "%s/%lld", job->value.string.text, (long long)run->value.integer);

	run->value = value_string_ref(text);
	*job = params->map.members[--params->map.count];
}

void methods_address(const struct method *method, struct value *params, struct arena *arena)
{
	static const char *const others[] = {"id", "job"};
	const char *name = address_takes(method, "run") ? "run" : "jobs";
	struct value_member *job, *run;

	if (params->type != VALUE_MAP || !address_takes(method, name))
		return;
	job = address_member(params, "job");
	run = address_member(params, "run");
	if (strcmp(name, "run") == 0 && job && run && job->value.type == VALUE_STRING &&
	    run->value.type == VALUE_INT) {
		address_join(params, job, run, arena);
		return;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct value_member *other = address_member(params, others[i]);

		if (other && !address_takes(method, others[i]) && !address_member(params, name))
			other->key = name;
	}
}
