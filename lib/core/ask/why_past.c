/* SPDX-License-Identifier: MIT */
/* Changes hold what was before them (see change_log.h), so that undoing needs nothing else. */
#include "core/ask/why_past.h"

#include <stdio.h>
#include <string.h>
#include "core/jobs/downtime.h"
#include "core/runs/admission.h"

void why_past_init(struct why_past *past, struct schedd_scheduler *scheduler, const char *id,
    const struct entry *entry, schedd_time at, struct arena *arena)
{
	*past = (struct why_past){.scheduler = scheduler,
	    .arena = arena,
	    .id = id,
	    .at = at,
	    .came = SCHEDD_TIME_NONE,
	    .down_since = SCHEDD_TIME_NONE,
	    .up_at = SCHEDD_TIME_NONE,
	    .all_paused = scheduler->paused ? scheduler->paused_why : NULL};
	if (!entry)
		return;
	past->there = true;
	past->came = entry->state.created_at;
	past->max_instances = job_details(entry->job)->max_instances;
	if (entry->state.invalid)
		return;
	past->trigger = trigger_ref(entry->job->trigger);
	if (job_details(entry->job)->group)
		past->group = arena_strdup(arena, job_details(entry->job)->group);
	if (entry->state.paused)
		past->paused = arena_strdup(arena, entry_paused_by(entry));
}

void why_past_clear(struct why_past *past)
{
	trigger_unref(past->trigger);
	past->trigger = NULL;
}

static const char *why_past_text(struct why_past *past, const struct value *map, const char *key)
{
	const char *text = value_get_string(map, key);

	return text ? arena_strdup(past->arena, text) : NULL;
}

static void why_past_undo_trigger(struct why_past *past, const struct value *value)
{
	struct trigger_context context = *scheduler_trigger_context(past->scheduler);
	struct schedd_trigger *trigger = NULL;

	context.job_id = past->id;
	if (trigger_from_value(value, &context, &trigger, NULL))
		trigger = NULL;
	trigger_unref(past->trigger);
	past->trigger = trigger;
}

static void why_past_undo_fields(struct why_past *past, const struct value *before)
{
	const struct value *trigger = value_get(before, "trigger");

	if (value_get(before, "paused"))
		past->paused = why_past_text(past, before, "paused");
	if (value_get(before, "group"))
		past->group = why_past_text(past, before, "group");
	if (value_get(before, "max_instances"))
		past->max_instances = value_get_int(before, "max_instances", 1);
	if (trigger && trigger->type != VALUE_NIL)
		why_past_undo_trigger(past, trigger);
}

/* It was not there before it was added, and nothing of it is known before it was removed. */
static void why_past_undo_life(struct why_past *past, const struct value *change, bool added)
{
	past->there = !added;
	past->came = added ? value_get_int(change, "time", SCHEDD_TIME_NONE) : SCHEDD_TIME_NONE;
	past->paused = past->group = NULL;
	past->max_instances = 0;
	why_past_clear(past);
}

void why_past_undo(struct why_past *past, const struct value *changes)
{
	for (uint32_t i = 0; i < changes->array.count; i++) {
		const struct value *change = &changes->array.items[i];
		const struct value *before = value_get(change, "before");
		unsigned code = (unsigned)value_get_int(change, "code", 0);

		if (code == SCHEDD_EVENT_JOB_ADDED || code == SCHEDD_EVENT_JOB_REMOVED)
			why_past_undo_life(past, change, code == SCHEDD_EVENT_JOB_ADDED);
		else if (before)
			why_past_undo_fields(past, before);
	}
}

static void why_past_undo_group(struct why_past *past, const struct value *change)
{
	const struct value *before = value_get(change, "before");
	const char *group = value_get_string(change, "group");

	if (before && group && past->group && strcmp(group, past->group) == 0)
		past->parallel = value_get_int(before, "parallel", 0);
}

/* The scheduler was started: it had been down until then. */
static void why_past_undo_start(struct why_past *past, const struct value *change)
{
	schedd_time since = value_get_int(change, "down_since", SCHEDD_TIME_NONE);

	if (since == SCHEDD_TIME_NONE || past->at < since)
		return;
	past->down_since = since;
	past->up_at = value_get_int(change, "time", SCHEDD_TIME_NONE);
}

void why_past_undo_scheduler(struct why_past *past, const struct value *changes)
{
	const struct group_slot *group =
	    past->group ? admission_group_find(past->scheduler, past->group) : NULL;

	past->parallel = group ? group->parallel : 0;
	for (uint32_t i = 0; i < changes->array.count; i++) {
		const struct value *change = &changes->array.items[i];
		const struct value *before = value_get(change, "before");

		if (value_get(change, "group"))
			why_past_undo_group(past, change);
		else if (value_get(change, "down_since"))
			why_past_undo_start(past, change);
		else if (before && value_get(before, "paused"))
			past->all_paused = why_past_text(past, before, "paused");
	}
}

static void why_past_say(const struct why_past *past, struct value *facts, const char *text)
{
	value_append(past->arena, facts, value_string(past->arena, text));
}

static void why_past_absent(const struct why_past *past, struct value *facts)
{
	struct strbuf text = STRBUF_EMPTY;

	strbuf_add(&text, "there was no such job then");
	if (past->came != SCHEDD_TIME_NONE) {
		strbuf_add(&text, ": it was added at ");
		downtime_clock(past->scheduler, past->came, &text);
	}
	why_past_say(past, facts, strbuf_peek(&text));
	strbuf_clear(&text);
}

void why_past_facts(const struct why_past *past, struct value *facts)
{
	char text[512];

	if (past->down_since != SCHEDD_TIME_NONE) {
		downtime_reason(
		    past->scheduler, past->down_since, past->up_at, text, sizeof(text));
		why_past_say(past, facts, text);
	}
	if (!past->there) {
		why_past_absent(past, facts);
		return;
	}
	if (past->all_paused)
		why_past_say(past, facts, past->all_paused);
	if (past->paused)
		why_past_say(past, facts, past->paused);
	if (past->trigger && !trigger_has_clock(past->trigger))
		why_past_say(past, facts, "its trigger did not fire by the clock");
	if (past->group && past->parallel) {
		snprintf(text, sizeof(text), "group %s had a limit of %lld at a time", past->group,
		    (long long)past->parallel);
		why_past_say(past, facts, text);
	}
}

/* So many fire times are counted at most: more are taken for all that there were. */
#define WHY_PAST_COUNTED 10000

/* The last fire time before then; NONE: none is known. */
static schedd_time why_past_fire(const struct why_past *past)
{
	return past->trigger && past->there ? trigger_latest(past->trigger, SCHEDD_TIME_MIN, past->at)
					    : SCHEDD_TIME_NONE;
}

static void why_past_say_fire(const struct why_past *past, schedd_time fire, const char *how,
    const struct run *run, struct value *facts)
{
	struct strbuf text = STRBUF_EMPTY;

	strbuf_add(&text, "its fire time ");
	downtime_clock(past->scheduler, fire, &text);
	strbuf_printf(&text, "%s %s/%u: %s", how, run->job, run->number, run_state_name(run->state));
	if (run->reason)
		strbuf_printf(&text, " (%s)", run->reason);
	why_past_say(past, facts, strbuf_peek(&text));
	strbuf_clear(&text);
}

bool why_past_row(const struct why_past *past, const struct run *run, struct value *facts)
{
	schedd_time last = run->until != SCHEDD_TIME_NONE ? run->until : run->scheduled_at;
	schedd_time fire = why_past_fire(past);

	if (fire == SCHEDD_TIME_NONE || fire < run->scheduled_at || fire > last)
		return false;
	why_past_say_fire(past, fire, ":", run, facts);
	return true;
}

/* One that was in time itself makes up for those before it as well as one that came late. */
static bool why_past_counts(const struct why_past *past, schedd_time fire, const struct run *run)
{
	if (!run->coalesced || run->scheduled_at <= fire)
		return false;
	return run->coalesced > WHY_PAST_COUNTED ||
	       trigger_count(past->trigger, fire, run->scheduled_at, run->coalesced + 2) <= run->coalesced + 1;
}

const struct run *why_past_made_up(const struct why_past *past, uint32_t number, const struct run *runs,
    size_t count, struct value *facts)
{
	schedd_time fire = why_past_fire(past);

	for (size_t i = count; fire != SCHEDD_TIME_NONE && i-- > 0;) {
		if (runs[i].number <= number || !why_past_counts(past, fire, &runs[i]))
			continue;
		why_past_say_fire(past, fire, " was made up for by", &runs[i], facts);
		return &runs[i];
	}
	return NULL;
}

void why_past_going(const struct why_past *past, const struct run *run, struct value *facts)
{
	bool own = strcmp(run->job, past->id) == 0;
	bool started = run->started_at != SCHEDD_TIME_NONE && run->started_at <= past->at;
	struct strbuf text = STRBUF_EMPTY;

	if (run->scheduled_at > past->at || run->state == RUN_MISSED || run->state == RUN_SKIPPED ||
	    (run_ended(run->state) && run->ended_at <= past->at) || (!own && !started))
		return;
	strbuf_printf(&text, "run %s/%u was %s", run->job, run->number,
	    started ? "running, since " : "waiting for its turn, since ");
	downtime_clock(past->scheduler, started ? run->started_at : run->scheduled_at, &text);
	if (own && started && past->max_instances)
		strbuf_printf(&text, " (max_instances %lld)", (long long)past->max_instances);
	else if (!own)
		strbuf_printf(&text, " in group %s", past->group);
	why_past_say(past, facts, strbuf_peek(&text));
	strbuf_clear(&text);
}
