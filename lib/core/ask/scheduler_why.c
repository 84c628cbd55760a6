/* SPDX-License-Identifier: MIT */
/*
 * Why a job did or did not run then: from its definition and from recorded rows
 * and changes alone. One question to the store after the other: what was done
 * since then (to look back, see why_past.h), what was done before, the rows
 * before then, the rows of what was going on then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/ask/why_past.h"
#include "core/frame/store_slot.h"
#include "core/jobs/change_log.h"
#include "core/jobs/accounts.h"
#include "core/jobs/downtime.h"
#include "core/jobs/entry.h"
#include "core/runs/job_value.h"
#include "core/runs/run_live.h"
#include "core/share/share.h"
#include "model/job_words.h"

/* Rows and changes that are shown. */
#define SCHEDULER_WHY_RUNS 10
#define SCHEDULER_WHY_CHANGES 10
/* Changes that are undone at most, and rows that were going on. */
#define SCHEDULER_WHY_UNDO 10000
#define SCHEDULER_WHY_GOING 100

struct scheduler_why {
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	struct arena arena;
	struct value result;
	struct value facts;
	struct value ring;    /* coming and going found in the ring of events, oldest first */
	struct value since;   /* what was done to the job after then, newest first */
	struct why_past past; /* only where at is past */
	bool looks_back;
	struct value rows;    /* of then, where it looks back */
	uint32_t newest;      /* number of the first of these; 0: there are none */
	struct store_slot *store;
	struct store_slot *asked; /* whether it knows the id; store is not known yet */
	uint32_t next_store;      /* to be asked after that */
	char *id;
	schedd_time at;
};

static void scheduler_why_answer(struct scheduler_why *why, int rc, const struct schedd_error *err)
{
	if (rc)
		scheduler_answer(why->reply, rc, err, NULL);
	else
		scheduler_answer_built(why->reply, &why->result, &why->arena);
	if (why->looks_back)
		why_past_clear(&why->past);
	arena_clear(&why->arena);
	free(why->id);
	free(why);
}

static void scheduler_why_say(struct scheduler_why *why, const char *text)
{
	value_append(&why->arena, &why->facts, value_string(&why->arena, text));
}

static void scheduler_why_time(
    struct scheduler_why *why, const char *key, schedd_time time, struct value *map)
{
	value_put(&why->arena, map, key, time == SCHEDD_TIME_NONE ? value_nil() : value_int(time));
}

/* What it runs after may have been removed: nothing comes from there. */
static void scheduler_why_missing(struct scheduler_why *why, const struct entry *entry)
{
	struct strbuf missing = STRBUF_EMPTY;

	job_value_missing(entry, &missing);
	if (missing.length)
		value_append(&why->arena, &why->facts,
		    value_string(&why->arena, arena_printf(&why->arena, "it runs after %s, and there is no such job",
						  strbuf_peek(&missing))));
	strbuf_clear(&missing);
}

/* What holds the job back now. */
static void scheduler_why_facts(struct scheduler_why *why, const struct entry *entry)
{
	struct schedd_scheduler *scheduler = why->scheduler;
	const char *held;
	char text[512];

	if (entry->state.invalid)
		scheduler_why_say(why, entry->state.invalid);
	if (scheduler->paused && scheduler->paused_why)
		scheduler_why_say(why, scheduler->paused_why);
	if (accounts_hold(scheduler, entry->job, &held)) {
		snprintf(text, sizeof(text), "held: %s", held);
		scheduler_why_say(why, text);
	}
	if (entry->state.paused)
		scheduler_why_say(why, entry_paused_by(entry));
	if (entry->state.finished)
		scheduler_why_say(why, "finished: its trigger has no further run times");
	if (!entry_executor(entry))
		scheduler_why_say(why, "its executor does not exist");
	if (share_why(entry, text, sizeof(text)) || share_why_node(entry, text, sizeof(text)))
		scheduler_why_say(why, text);
	if (entry->store->failing) {
		snprintf(text, sizeof(text), "store %s cannot be written: %s", entry->store->name,
		    entry->store->last_error);
		scheduler_why_say(why, text);
	}
	if (!entry->state.invalid && !trigger_has_clock(entry->job->trigger))
		scheduler_why_say(why, "its trigger does not fire by the clock");
	scheduler_why_missing(why, entry);
	for (const struct run_live *live = entry->runs; live; live = run_live_next_of_job(live)) {
		char waits[256];

		if (run_live_stage(live) == RUN_LIVE_CLAIMING)
			continue;
		if (run_live_waits_for(live, waits, sizeof(waits)))
			snprintf(text, sizeof(text), "run %s waits for %s", run_live_id(live), waits);
		else
			snprintf(text, sizeof(text), "run %s is %s", run_live_id(live),
			    run_state_name(run_live_run(live)->state));
		scheduler_why_say(why, text);
	}
}

/* job: the one that has the trigger now; NULL: it had it then. */
static void scheduler_why_times(
    struct scheduler_why *why, const struct schedd_trigger *trigger, const struct schedd_job *job)
{
	struct strbuf words = STRBUF_EMPTY;

	if (job)
		job_words_when(job, &words);
	else
		trigger_words(trigger, &words);
	value_put(&why->arena, &why->result, "trigger_words", value_string_take(&why->arena, &words));
	scheduler_why_time(
	    why, "previous_fire", trigger_latest(trigger, SCHEDD_TIME_MIN, why->at), &why->result);
	scheduler_why_time(why, "next_fire", trigger_next(trigger, why->at + 1), &why->result);
}

/* ---- Rows ---- */

/* The last question: what else was going on then. */
static void scheduler_why_going(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct scheduler_why *why = context;

	(void)cursor;
	for (size_t i = 0; !rc && i < count; i++)
		if (!run_live_find(why->scheduler, runs[i].job, runs[i].number))
			why_past_going(&why->past, &runs[i], &why->facts);
	value_put(&why->arena, &why->result, "facts", why->facts);
	scheduler_why_answer(why, rc, err);
}

static bool scheduler_why_mate(const struct scheduler_why *why, const struct schedd_job *job)
{
	const char *group = job_details(job)->group;

	return strcmp(job->id, why->id) == 0 ||
	       (why->past.group && group && strcmp(group, why->past.group) == 0);
}

/* The job and those that share its group. */
static void scheduler_why_ask_going(struct scheduler_why *why)
{
	struct schedd_scheduler *scheduler = why->scheduler;
	const char *jobs[SCHEDULER_WHY_GOING + 2] = {why->id};
	struct store_run_query query = {
	    .jobs = jobs, .since = why->at, .until = why->at, .limit = SCHEDULER_WHY_GOING};
	uint32_t count = 1, position = 0;
	const struct entry *entry;

	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		if (run_live_stage(live) != RUN_LIVE_CLAIMING && scheduler_why_mate(why, run_live_job(live)))
			why_past_going(&why->past, run_live_run(live), &why->facts);
	while (why->past.group && count <= SCHEDULER_WHY_GOING &&
	       (entry = entry_walk(scheduler, &position)))
		if (!entry->hidden && strcmp(entry->job->id, why->id) != 0 &&
		    scheduler_why_mate(why, entry->job))
			jobs[count++] = entry->job->id;
	store_query_runs(why->store->store, &query, scheduler_why_going, why);
}

/*
 * Its store does not answer, which is when one asks: what is known here of a job
 * that is there is told. Of then, or of one that is gone, all is in the store.
 */
static bool scheduler_why_without(struct scheduler_why *why, int rc, const char *message)
{
	char text[512];

	if (rc == SCHEDD_EINVAL || rc == SCHEDD_ENOMEM || why->looks_back ||
	    !entry_get(why->scheduler, why->id))
		return false;
	snprintf(text, sizeof(text), "what was done to it, and its runs, cannot be read now: %s", message);
	scheduler_why_say(why, text);
	for (int i = 0; i < 2; i++)
		if (!value_get(&why->result, i ? "runs" : "changes"))
			value_put(&why->arena, &why->result, i ? "runs" : "changes", value_array());
	value_put(&why->arena, &why->result, "facts", why->facts);
	scheduler_why_answer(why, 0, NULL);
	return true;
}

/* What came next: it may have made up for what was not run then, however much later. */
static void scheduler_why_next_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct scheduler_why *why = context;
	struct value list = value_array();
	const struct run *next;

	(void)cursor;
	if (rc) {
		scheduler_why_answer(why, rc, err);
		return;
	}
	next = why_past_made_up(&why->past, why->newest, runs, count, &why->facts);
	if (next)
		value_append(&why->arena, &list, run_to_value(next, &why->arena));
	for (uint32_t i = 0; i < why->rows.array.count; i++)
		value_append(&why->arena, &list, why->rows.array.items[i]);
	value_put(&why->arena, &why->result, "runs", list);
	scheduler_why_ask_going(why);
}

static void scheduler_why_ask_next_runs(struct scheduler_why *why)
{
	const char *jobs[] = {why->id, NULL};
	const struct run behind = {.job = why->id, .number = why->newest + SCHEDULER_WHY_RUNS + 1};
	char cursor[STORE_CURSOR_MAX];
	struct store_run_query query = {.jobs = jobs,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = SCHEDULER_WHY_RUNS,
	    .after = cursor};

	store_run_cursor(why->store->store, &query, &behind, cursor);
	store_query_runs(why->store->store, &query, scheduler_why_next_runs, why);
}

static void scheduler_why_runs(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct scheduler_why *why = context;
	struct value list = value_array();
	bool told = false;

	(void)cursor;
	if (rc) {
		if (!scheduler_why_without(why, rc, err->message))
			scheduler_why_answer(why, rc, err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		value_append(&why->arena, &list, run_to_value(&runs[i], &why->arena));
		if (why->looks_back)
			told |= why_past_row(&why->past, &runs[i], &why->facts);
	}
	if (why->looks_back && !told) {
		why->rows = list;
		why->newest = count ? runs[0].number : 0;
		scheduler_why_ask_next_runs(why);
		return;
	}
	value_put(&why->arena, &why->result, "runs", list);
	if (why->looks_back) {
		scheduler_why_ask_going(why);
		return;
	}
	value_put(&why->arena, &why->result, "facts", why->facts);
	scheduler_why_answer(why, 0, NULL);
}

static void scheduler_why_ask_runs(struct scheduler_why *why)
{
	const char *jobs[] = {why->id, NULL};
	const struct store_run_query query = {
	    .jobs = jobs, .since = SCHEDD_TIME_NONE, .until = why->at, .limit = SCHEDULER_WHY_RUNS};

	store_query_runs(why->store->store, &query, scheduler_why_runs, why);
}

/* ---- Changes ---- */

/* Coming and going in a store without durability is remembered by the ring alone. */
static void scheduler_why_event(const struct schedd_event *event, void *context)
{
	struct scheduler_why *why = context;
	const unsigned changes = SCHEDD_EVENT_JOB_ADDED | SCHEDD_EVENT_JOB_REMOVED;

	if ((event->code & changes) && event->job && strcmp(event->job, why->id) == 0)
		value_append(&why->arena, &why->ring, scheduler_event_value(event, &why->arena));
}

/* Adds those of the ring that are newer than the next one of the store. */
static void scheduler_why_merge(
    struct scheduler_why *why, struct value *list, uint32_t *left, schedd_time newer)
{
	while (*left && value_get_int(&why->ring.array.items[*left - 1], "time", 0) > newer)
		value_append(&why->arena, list, why->ring.array.items[--*left]);
}

/* All changes newest first, those of the store and of the ring; older than or since at. */
static struct value scheduler_why_merged(
    struct scheduler_why *why, const struct value *stored, bool since)
{
	struct value all = value_array(), list = value_array();
	uint32_t left = why->ring.array.count;

	for (uint32_t i = 0; i < stored->array.count; i++) {
		const struct value *change = &stored->array.items[i];

		scheduler_why_merge(
		    why, &all, &left, value_get_int(change, "time", SCHEDD_TIME_MIN));
		value_append(&why->arena, &all, scheduler_event_whole(change, &why->arena));
	}
	scheduler_why_merge(why, &all, &left, SCHEDD_TIME_MIN);
	for (uint32_t i = 0; i < all.array.count; i++)
		if ((value_get_int(&all.array.items[i], "time", 0) > why->at) == since)
			value_append(&why->arena, &list, all.array.items[i]);
	return list;
}

/* What was done before then is shown. */
static void scheduler_why_before(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct scheduler_why *why = context;
	struct value list;

	if (rc) {
		if (!scheduler_why_without(why, rc, err->message))
			scheduler_why_answer(why, rc, err);
		return;
	}
	list = scheduler_why_merged(why, value, false);
	if (list.array.count > SCHEDULER_WHY_CHANGES)
		list.array.count = SCHEDULER_WHY_CHANGES;
	value_put(&why->arena, &why->result, "changes", list);
	scheduler_why_ask_runs(why);
}

static void scheduler_why_ask_before(struct scheduler_why *why)
{
	store_query_changes(why->store->store, why->id, SCHEDD_TIME_NONE,
	    why->since.array.count + SCHEDULER_WHY_CHANGES, scheduler_why_before, why);
}

static void scheduler_why_look_back(struct scheduler_why *why, const struct value *changes)
{
	struct why_past *past = &why->past;

	why_past_undo(past, &why->since);
	why_past_undo_scheduler(past, changes);
	if (past->trigger)
		scheduler_why_times(why, past->trigger, NULL);
	value_put(&why->arena, &why->result, "state",
	    value_string_ref(!past->there   ? "not there"
			     : past->paused ? "paused"
					    : "waiting"));
	why_past_facts(past, &why->facts);
}

static void scheduler_why_scheduler(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct scheduler_why *why = context;

	if (rc) {
		scheduler_why_answer(why, rc, err);
		return;
	}
	scheduler_why_look_back(why, value);
	scheduler_why_ask_before(why);
}

static void scheduler_why_since(
    int rc, const struct schedd_error *err, const struct value *value, void *context)
{
	struct scheduler_why *why = context;

	if (rc) {
		scheduler_why_answer(why, rc, err);
		return;
	}
	why->since = scheduler_why_merged(why, value, true);
	store_query_changes(why->store->store, CHANGE_LOG_SCHEDULER, why->at + 1,
	    SCHEDULER_WHY_UNDO, scheduler_why_scheduler, why);
}

/* ---- The question ---- */

static void scheduler_why_now(struct scheduler_why *why, const struct entry *entry)
{
	struct schedd_scheduler *scheduler = why->scheduler;
	char text[256];

	value_put(&why->arena, &why->result, "state",
	    value_string_ref(entry ? job_value_word(entry) : "removed"));
	if (entry && scheduler->node_of(entry))
		value_put(&why->arena, &why->result, "node",
		    value_string(&why->arena, scheduler->node_of(entry)));
	if (entry && !entry->state.invalid) {
		scheduler_why_times(why, entry->job->trigger, entry->job);
		if (!entry_on_all(entry))
			scheduler_why_time(
			    why, "next_run_time", entry->state.next_run_time, &why->result);
		if (entry->state.paused)
			scheduler_why_time(
			    why, "paused_until", entry->state.paused_until, &why->result);
	}
	if (entry)
		scheduler_why_facts(why, entry);
	if (scheduler->down_since == SCHEDD_TIME_NONE)
		return;
	downtime_reason(
	    scheduler, scheduler->down_since, scheduler->started_at, text, sizeof(text));
	value_put(&why->arena, &why->result, "last_downtime", value_string(&why->arena, text));
}

static void scheduler_why_begin(struct scheduler_why *why)
{
	struct schedd_scheduler *scheduler = why->scheduler;
	const struct entry *entry = entry_get(scheduler, why->id);

	if (!why->store->durable)
		scheduler_replay(scheduler, 0, scheduler_why_event, why);
	value_put(&why->arena, &why->result, "id", value_string(&why->arena, why->id));
	scheduler_why_time(why, "at", why->at, &why->result);
	if (!why->looks_back) {
		scheduler_why_now(why, entry);
		/* Known to be away: its answer, that it is, would be long in coming. */
		if (!store_is_away(why->store->store) ||
		    !scheduler_why_without(why, SCHEDD_EFAILED, store_state_why(why->store->store)))
			scheduler_why_ask_before(why);
		return;
	}
	why_past_init(&why->past, scheduler, why->id, entry, why->at, &why->arena);
	store_query_changes(
	    why->store->store, why->id, why->at + 1, SCHEDULER_WHY_UNDO, scheduler_why_since, why);
}

static void scheduler_why_ask_store(struct scheduler_why *why);

/* A store that cannot say has no history to show either. */
static void scheduler_why_last_run(
    int rc, const struct schedd_error *err, int64_t number, void *context)
{
	struct scheduler_why *why = context;
	struct schedd_scheduler *scheduler = why->scheduler;

	(void)err;
	scheduler_enter(scheduler);
	if (!rc && number > 0) {
		why->store = why->asked;
		scheduler_why_begin(why);
	} else {
		scheduler_why_ask_store(why);
	}
	scheduler_leave(scheduler);
}

/* Where its history is, when it is no job any more: the stores are asked in turn. */
static void scheduler_why_ask_store(struct scheduler_why *why)
{
	struct schedd_scheduler *scheduler = why->scheduler;

	if (why->next_store < scheduler->store_count) {
		why->asked = scheduler->stores[why->next_store++];
		store_last_run(why->asked->store, why->id, scheduler_why_last_run, why);
		return;
	}
	why->store = store_slot_find(scheduler, "default");
	scheduler_why_begin(why);
}

void scheduler_why(struct schedd_scheduler *scheduler, const char *id, schedd_time at,
    struct scheduler_reply reply)
{
	struct scheduler_why *why = calloc(1, sizeof(*why));
	const struct entry *entry = entry_get(scheduler, id);
	schedd_time now = scheduler_now(scheduler);
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
	why->looks_back = at != SCHEDD_TIME_NONE && at < now;
	why->at = at != SCHEDD_TIME_NONE ? at : now;
	why->result = value_map();
	why->facts = why->ring = why->since = value_array();
	scheduler_enter(scheduler);
	store_slot_flush_all(scheduler);
	why->store = entry ? entry->store : NULL;
	if (why->store)
		scheduler_why_begin(why);
	else
		scheduler_why_ask_store(why);
	scheduler_leave(scheduler);
}
