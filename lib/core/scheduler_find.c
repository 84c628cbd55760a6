/* SPDX-License-Identifier: MIT */
/* Looking at jobs: as values, by id, by pattern, tag, state. */
#include <fnmatch.h>
#include <string.h>
#include "core/entry.h"
#include "core/run_live.h"
#include "model/job_fields.h"

uint64_t scheduler_job_count(const struct schedd_scheduler *scheduler)
{
	return scheduler->visible;
}

const struct schedd_job *scheduler_job_peek(struct schedd_scheduler *scheduler, const char *id)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? entry->job : NULL;
}

const char *scheduler_job_state(struct schedd_scheduler *scheduler, const char *id)
{
	const struct entry *entry = entry_get(scheduler, id);

	return entry ? entry_state(entry) : NULL;
}

static void scheduler_job_runs(const struct entry *entry, struct value *map, struct arena *arena)
{
	struct value going = value_array();
	int64_t running = 0, queued = 0;

	for (const struct run_live *live = entry->runs; live; live = live->next_of_job) {
		if (live->stage == RUN_LIVE_CLAIMING || live->stage == RUN_LIVE_ENDED)
			continue;
		if (live->stage >= RUN_LIVE_STARTING)
			running++;
		else
			queued++;
		value_append(arena, &going, value_string(arena, live->id));
	}
	value_put(arena, map, "running", value_int(running));
	value_put(arena, map, "queued", value_int(queued));
	value_put(arena, map, "runs", going);
}

struct value scheduler_job_value(
    struct schedd_scheduler *scheduler, const char *id, struct arena *arena)
{
	struct entry *entry = entry_get(scheduler, id);
	struct strbuf words = STRBUF_EMPTY;
	struct value map;

	if (!entry)
		return value_nil();
	map = job_fields_write(entry->job, &entry->state, arena);
	value_put(arena, &map, "state", value_string_ref(entry_state(entry)));
	scheduler_job_runs(entry, &map, arena);
	value_put(arena, &map, "last_run", value_int(entry->state.last_run));
	value_put(arena, &map, "last_state",
	    entry->last_state == RUN_QUEUED
		? value_nil()
		: value_string_ref(run_state_name((enum run_state)entry->last_state)));
	if (entry->state.invalid)
		return map;
	trigger_words(entry->job->trigger, &words);
	value_put(arena, &map, "trigger_words", value_string(arena, strbuf_peek(&words)));
	strbuf_reset(&words);
	trigger_remarks(entry->job->trigger, &words);
	if (words.length)
		value_put(arena, &map, "trigger_remarks", value_string(arena, strbuf_peek(&words)));
	if (entry->state.paused && entry->pause_text)
		value_put(arena, &map, "paused_by", value_string(arena, entry->pause_text));
	strbuf_clear(&words);
	return map;
}

static bool scheduler_find_pattern(const char *const *patterns, const char *id)
{
	if (!patterns || !patterns[0])
		return true;
	for (; *patterns; patterns++)
		if (strcmp(*patterns, id) == 0 || fnmatch(*patterns, id, 0) == 0)
			return true;
	return false;
}

static bool scheduler_find_tags(const char *const *tags, const struct schedd_job *job)
{
	const struct job_pairs *have = &job_details(job)->tags;

	for (; tags && *tags; tags++) {
		const char *equals = strchr(*tags, '=');
		size_t length = equals ? (size_t)(equals - *tags) : strlen(*tags);
		bool found = false;

		for (uint32_t i = 0; i < have->count && !found; i++)
			found = strlen(have->items[i].name) == length &&
				strncmp(have->items[i].name, *tags, length) == 0 &&
				(!equals || strcmp(have->items[i].text, equals + 1) == 0);
		if (!found)
			return false;
	}
	return true;
}

static bool scheduler_find_state(const char *const *states, const struct entry *entry)
{
	if (!states || !states[0])
		return true;
	for (; *states; states++)
		if (strcmp(*states, entry_state(entry)) == 0)
			return true;
	return false;
}

static bool scheduler_find_same(const char *wanted, const char *have)
{
	return !wanted || (have && strcmp(wanted, have) == 0);
}

static bool scheduler_find_match(const struct entry *entry, const struct scheduler_job_query *query)
{
	const struct schedd_job *job = entry->job;

	if (!scheduler_find_pattern(query->patterns, job->id) ||
	    !scheduler_find_same(query->store, entry->store->name) ||
	    !scheduler_find_same(query->owner, job->owner) ||
	    !scheduler_find_same(query->group, job_details(job)->group))
		return false;
	if (query->failed &&
	    (entry->last_state < RUN_FAILED || entry->last_state == RUN_CANCELLED ||
		entry->last_state == RUN_SKIPPED || entry->last_state == RUN_MISSED))
		return false;
	if (query->due_before != SCHEDD_TIME_NONE &&
	    (entry->state.next_run_time == SCHEDD_TIME_NONE ||
		entry->state.next_run_time > query->due_before))
		return false;
	return scheduler_find_tags(query->tags, job) && scheduler_find_state(query->states, entry);
}

void scheduler_job_find(struct schedd_scheduler *scheduler, const struct scheduler_job_query *query,
    scheduler_job_fn call, void *context, const char **next)
{
	uint64_t found = 0;
	const char *last = NULL;

	if (next)
		*next = NULL;
	for (struct entry *entry = entry_first(scheduler, query->after); entry;
	     entry = entry_next(scheduler, entry)) {
		if (!scheduler_find_match(entry, query))
			continue;
		if (query->limit && found == query->limit) {
			if (next)
				*next = last;
			return;
		}
		last = entry->job->id;
		found++;
		call(last, context);
	}
}
