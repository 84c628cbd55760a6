/* SPDX-License-Identifier: MIT */
/* Why a job did or did not run then: from its definition and from recorded rows and changes alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/entry.h"
#include "core/history.h"
#include "core/run_live.h"

/* Rows and changes that are shown. */
#define SCHEDULER_WHY_RUNS 10
#define SCHEDULER_WHY_CHANGES 10

struct scheduler_why {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	struct arena arena;
	struct value result;
	struct value changes; /* found in the ring, oldest first */
	struct store_slot *store;
	char *id;
	schedd_time at;
};

static void scheduler_why_answer(struct scheduler_why *why, int rc, const struct schedd_error *err)
{
	scheduler_answer(why->reply, rc, err, &why->result);
	arena_clear(&why->arena);
	free(why->id);
	free(why);
}

static void scheduler_why_say(struct scheduler_why *why, struct value *facts, const char *text)
{
	value_append(&why->arena, facts, value_string(&why->arena, text));
}

static void scheduler_why_time(
    struct scheduler_why *why, const char *key, schedd_time time, struct value *map)
{
	value_put(&why->arena, map, key, time == SCHEDD_TIME_NONE ? value_nil() : value_int(time));
}

/* What holds the job back now. */
static void scheduler_why_facts(struct scheduler_why *why, const struct entry *entry)
{
	struct schedd_scheduler *scheduler = why->scheduler;
	struct value facts = value_array();
	char text[512];

	if (entry->state.invalid)
		scheduler_why_say(why, &facts, entry->state.invalid);
	if (scheduler->paused && scheduler->paused_why)
		scheduler_why_say(why, &facts, scheduler->paused_why);
	if (entry->state.paused)
		scheduler_why_say(why, &facts, entry->pause_text ? entry->pause_text : "paused");
	if (entry->state.finished)
		scheduler_why_say(why, &facts, "finished: its trigger has no further run times");
	if (!entry->executor)
		scheduler_why_say(why, &facts, "its executor does not exist");
	if (entry->store->failing) {
		snprintf(text, sizeof(text), "store %s cannot be written: %s", entry->store->name,
		    entry->store->last_error);
		scheduler_why_say(why, &facts, text);
	}
	if (!entry->state.invalid && !trigger_has_clock(entry->job->trigger))
		scheduler_why_say(why, &facts, "its trigger does not fire by the clock");
	for (const struct run_live *live = entry->runs; live; live = live->next_of_job) {
		char waits[256];

		if (live->stage == RUN_LIVE_CLAIMING)
			continue;
		if (run_live_waits_for(live, waits, sizeof(waits)))
			snprintf(text, sizeof(text), "run %s waits for %s", live->id, waits);
		else
			snprintf(text, sizeof(text), "run %s is %s", live->id,
			    run_state_name(live->run.state));
		scheduler_why_say(why, &facts, text);
	}
	value_put(&why->arena, &why->result, "facts", facts);
}

static void scheduler_why_times(struct scheduler_why *why, const struct entry *entry)
{
	const struct schedd_trigger *trigger = entry->job->trigger;
	struct strbuf words = STRBUF_EMPTY;

	if (entry->state.invalid)
		return;
	trigger_words(trigger, &words);
	value_put(&why->arena, &why->result, "trigger_words",
	    value_string(&why->arena, strbuf_peek(&words)));
	strbuf_clear(&words);
	scheduler_why_time(
	    why, "previous_fire", trigger_latest(trigger, SCHEDD_TIME_MIN, why->at), &why->result);
	scheduler_why_time(why, "next_fire", trigger_next(trigger, why->at + 1), &why->result);
	scheduler_why_time(why, "next_run_time", entry->state.next_run_time, &why->result);
}

static void scheduler_why_changes(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct scheduler_why *why = context;

	if (!rc && value)
		value_put(&why->arena, &why->result, "changes", value_copy(&why->arena, value));
	scheduler_why_answer(why, rc, err);
}

/* Changes in a store without durability are remembered by the ring alone. */
static void scheduler_why_event(const struct schedd_event *event, void *context)
{
	struct scheduler_why *why = context;
	const unsigned changes =
	    SCHEDD_EVENT_JOB_ADDED | SCHEDD_EVENT_JOB_MODIFIED | SCHEDD_EVENT_JOB_REMOVED;

	if ((event->code & changes) && event->job && strcmp(event->job, why->id) == 0)
		value_append(&why->arena, &why->changes, scheduler_event_value(event, &why->arena));
}

static void scheduler_why_ring(struct scheduler_why *why)
{
	struct value newest_first = value_array();
	uint32_t count;

	why->changes = value_array();
	scheduler_replay(why->scheduler, 0, scheduler_why_event, why);
	count = why->changes.array.count;
	for (uint32_t i = 0; i < count && i < SCHEDULER_WHY_CHANGES; i++)
		value_append(&why->arena, &newest_first, why->changes.array.items[count - 1 - i]);
	scheduler_why_changes(0, NULL, &newest_first, why);
}

static void scheduler_why_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct scheduler_why *why = context;
	struct value list = value_array();

	(void)cursor;
	if (rc) {
		scheduler_why_answer(why, rc, err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		value_append(&why->arena, &list, run_to_value(&runs[i], &why->arena));
	value_put(&why->arena, &why->result, "runs", list);
	if (!why->store->durable) {
		scheduler_why_ring(why);
		return;
	}
	store_query_changes(why->store->store, why->id, SCHEDD_TIME_NONE, SCHEDULER_WHY_CHANGES,
	    scheduler_why_changes, why);
}

void scheduler_why(struct schedd_scheduler *scheduler, const char *id, schedd_time at,
    struct scheduler_reply reply)
{
	const struct entry *entry = entry_get(scheduler, id);
	struct scheduler_why *why = calloc(1, sizeof(*why));
	const char *jobs[] = {id, NULL};
	struct store_run_query query = {
	    .jobs = jobs, .since = SCHEDD_TIME_NONE, .until = at, .limit = SCHEDULER_WHY_RUNS};
	struct schedd_error err;

	if (!why || !(why->id = strdup(id))) {
		free(why);
		schedd_error_nomem(&err);
		scheduler_answer(reply, SCHEDD_ENOMEM, &err, NULL);
		return;
	}
	arena_init(&why->arena);
	why->scheduler = scheduler;
	why->reply = reply;
	why->at = at == SCHEDD_TIME_NONE ? scheduler_now(scheduler) : at;
	why->result = value_map();
	why->store = entry ? entry->store : scheduler_store_slot(scheduler, "default");
	scheduler_enter(scheduler);
	history_flush(scheduler);
	value_put(&why->arena, &why->result, "id", value_string(&why->arena, id));
	scheduler_why_time(why, "at", why->at, &why->result);
	value_put(&why->arena, &why->result, "state",
	    value_string_ref(entry ? entry_state(entry) : "removed"));
	if (entry) {
		scheduler_why_times(why, entry);
		scheduler_why_facts(why, entry);
	}
	if (scheduler->down_since != SCHEDD_TIME_NONE) {
		char text[256];

		history_down_reason(scheduler, text, sizeof(text));
		value_put(
		    &why->arena, &why->result, "last_downtime", value_string(&why->arena, text));
	}
	store_query_runs(why->store->store, &query, scheduler_why_runs, why);
	scheduler_leave(scheduler);
}
