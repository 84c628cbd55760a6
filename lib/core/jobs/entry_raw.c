/* SPDX-License-Identifier: MIT */
/* Unreadable definitions are JSON: the members of a job by their names, as a store keeps them. */
#include "core/jobs/entry_raw.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/log.h"
#include "model/job_fields.h"

void entry_set_raw(struct entry *entry, char *raw)
{
	struct entry_aside *aside = raw ? entry_aside_edit(entry) : entry->aside;

	if (!aside) {
		free(raw);
		return;
	}
	free(aside->raw);
	aside->raw = raw;
}

/* nil: there is none. */
static struct value raw_map(const struct entry *entry, struct arena *arena)
{
	const char *raw = entry_aside(entry)->raw;
	struct value map;

	if (!entry->state.invalid || !raw || json_parse(raw, strlen(raw), arena, &map, NULL) < 0 ||
	    map.type != VALUE_MAP)
		return value_nil();
	return map;
}

void entry_raw_show(const struct entry *entry, struct arena *arena, struct value *map)
{
	struct value raw = raw_map(entry, arena);

	for (uint32_t i = 0; raw.type == VALUE_MAP && i < raw.map.count; i++) {
		const struct value_member *member = &raw.map.members[i];
		const struct job_field *field = job_fields_find(member->key);
		struct value_member *shown;

		if (!field || (field->flags & JOB_FIELD_HIDDEN))
			continue;
		shown = (struct value_member *)(uintptr_t)value_find(map, member->key);
		if (shown)
			shown->value = member->value;
		else
			value_put(arena, map, member->key, member->value);
	}
}

struct value entry_raw_export(const struct entry *entry, struct arena *arena)
{
	struct value raw = raw_map(entry, arena), map = value_map();

	for (const struct job_field *field = job_fields(); field->name; field++) {
		const struct value *member =
		    raw.type == VALUE_MAP ? value_get(&raw, field->name) : NULL;

		if (member && field->place != JOB_NOWHERE && field->place != JOB_IN_STATE)
			value_put(arena, &map, field->name, *member);
	}
	return map;
}

struct value entry_raw_get(const struct entry *entry, const char *name, struct arena *arena)
{
	struct value raw = raw_map(entry, arena);
	const struct value *member = raw.type == VALUE_MAP ? value_get(&raw, name) : NULL;

	return member ? *member : value_nil();
}

static int raw_read(struct schedd_scheduler *scheduler, const struct value *raw,
    const struct value *change, struct schedd_job *job, struct job_state *state,
    struct schedd_error *err)
{
	struct trigger_context trigger = *scheduler_trigger_context(scheduler);
	struct job_fields_context context = {.trigger = &trigger};

	/* In the table's order, as a store reads its columns. */
	for (const struct job_field *field = job_fields(); field->name; field++) {
		const struct value *member = value_get(raw, field->name);
		int rc;

		if (!member || field->place == JOB_NOWHERE || strcmp(field->name, "invalid") == 0 ||
		    (change && value_get(change, field->name)))
			continue;
		rc = job_fields_set(job, state, field, member, &context, err);
		if (rc < 0)
			return rc;
		trigger.job_id = job->id;
	}
	return 0;
}

int entry_raw_read(struct schedd_scheduler *scheduler, const struct entry *entry,
    const struct value *change, struct schedd_job **job, struct job_state *state,
    struct schedd_error *err)
{
	struct arena arena;
	struct value raw;
	int rc;

	arena_init(&arena);
	job_state_init(state);
	raw = raw_map(entry, &arena);
	*job = job_new();
	if (!*job || arena_failed(&arena))
		rc = schedd_error_nomem(err);
	else if (raw.type != VALUE_MAP)
		rc = schedd_error_set(err, SCHEDD_ECONFLICT, "%s", entry->state.invalid);
	else
		rc = raw_read(scheduler, &raw, change, *job, state, err);
	arena_clear(&arena);
	if (rc == 0)
		return 0;
	job_unref(*job);
	*job = NULL;
	job_state_clear(state);
	return rc;
}

uint32_t entry_raw_retry(struct schedd_scheduler *scheduler)
{
	uint32_t position = 0, count = 0;
	struct entry *entry;

	scheduler_enter(scheduler);
	while ((entry = entry_walk(scheduler, &position))) {
		struct schedd_error err;
		struct job_state state;
		struct schedd_job *job;

		if (!entry->state.invalid || entry->busy || entry->hidden ||
		    entry_raw_read(scheduler, entry, NULL, &job, &state, &err) < 0)
			continue;
		/* Its trigger is missing where nothing was stored of it. */
		if (!job->id || !job->trigger) {
			job_unref(job);
			job_state_clear(&state);
			continue;
		}
		entry_take_state(scheduler, entry, &state);
		entry_define(scheduler, entry, entry_seal(scheduler, job));
		entry_set_raw(entry, NULL);
		entry_plan(scheduler, entry);
		log_info(scheduler->log, "job %s can be read again", entry->job->id);
		count++;
	}
	scheduler_leave(scheduler);
	return count;
}
