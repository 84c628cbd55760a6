/* SPDX-License-Identifier: MIT */
/* The store over two as a whole: opening, states, loading, closing. */
#include "store/store_split.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/store_snapshot.h"
#include "store/store_split_parts.h"

static struct split *split_of(struct store *store)
{
	return (struct split *)store;
}

static void split_leave_on(struct split *split);

static void split_turn(struct split *split)
{
	split_give(split);
	split_move(split);
	split_forget(split);
	split_recover(split);
	split_questions(split);
	split_leave_on(split);
}

static const char *split_row_key(const void *item)
{
	return ((const struct split_row *)item)->id;
}

/* ---- States ---- */

static void split_changed(struct store *jobs, enum store_state state,
    const struct schedd_error *why, void *context)
{
	struct split *split = context;

	split->base.epoch = jobs->epoch;
	store_set_state(&split->base, state, why);
	split_turn(split);
}

static void split_watched(const struct store_change *change, void *context)
{
	const struct split *split = context;

	if (split->base.watch)
		split->base.watch(change, split->base.watch_context);
	else if (change->record) {
		job_unref(change->record->job);
		job_state_clear(&change->record->state);
		free(change->record->raw);
	}
}

/* The history has come back, or goes. */
static void split_history_changed(struct store *history, void *context)
{
	struct split *split = context;

	if (store_state(history) == STORE_OK)
		split->retry_at.us = 0;
	split_turn(split);
}

static void split_alarm(bool stepped, void *context)
{
	(void)stepped;
	split_turn(context);
}

/* ---- Loading ---- */

static int split_take_job(struct job_record *record, void *context)
{
	const struct split_question *question = context;
	const struct split *split = question->split;

	return split->load_call(record, split->load_context);
}

static void split_loaded(
    int rc, const struct schedd_error *err, struct store_snapshot *snapshot, void *context)
{
	struct split_question *question = context;
	struct split *split = question->split;
	store_loaded_fn loaded = split->loaded;
	void *load_context = split->load_context;

	if (rc == 0)
		split_rows_found(split, snapshot);
	store_letter_put(&question->base); /* counts until the turn after this one */
	loaded(rc, err, snapshot, load_context);
	split_turn(split);
}

static void split_load_over(struct store_letter *letter)
{
	(void)letter;
}

static void split_load(
    struct store *store, store_load_fn call, store_loaded_fn loaded, void *context)
{
	struct split *split = split_of(store);
	struct split_question *question =
	    store_letter_new(store, sizeof(*question), split_load_over);
	struct schedd_error err;

	if (!question) {
		loaded(schedd_error_nomem(&err), &err, NULL, context);
		return;
	}
	question->split = split;
	split->loaded = loaded;
	split->load_context = context;
	split->load_call = call;
	store_load(split->jobs, split_take_job, split_loaded, question);
}

/* ---- Life ---- */

static void split_status(struct store *store, struct arena *arena, struct value *map)
{
	struct split *split = split_of(store);
	struct value runs;

	split->jobs->ops->jobs->status(split->jobs, arena, map);
	value_put(arena, map, "history", value_string(arena, split->history->name));
	value_put(arena, map, "history_waiting", value_int(split->item_count));
	value_put(arena, map, "history_lost", value_int((int64_t)split->lost));
	/* Its own count is of rows on hand alone. */
	runs = value_int(split->rows.count);
	for (uint32_t i = 0; i < map->map.count; i++)
		if (strcmp(map->map.members[i].key, "runs") == 0)
			map->map.members[i].value = runs;
}

static bool split_busy(const struct split *split)
{
	if (split->under_way || split->looking || split->forgetting || split->asked_rest)
		return true;
	if (split->gone && !split->over && store_state(split->jobs) == STORE_OK)
		return true;
	return split->items && !split->over && !split->failing && store_state(split->history) == STORE_OK;
}

static void split_move_no_more(struct split *split)
{
	split->over = true;
	split->recovering = false;
	if (split->under_way)
		split->under_way->split = NULL;
	split->under_way = NULL;
}

/* What is on its way gets there, if that does not take too long. */
static void split_drain(struct split *split)
{
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + STORE_LEAVE_LIMIT;

	split->recovering = false;
	while (split_busy(split)) {
		int64_t left = end - clock->mono(clock->context).us;

		if (left <= 0 || mailbox_wait_for(split->base.mailbox, left) < 0)
			break;
		split_turn(split);
	}
	split_move_no_more(split);
	/* A question has a limit of its own. */
	while (split->looking && mailbox_wait_for(split->base.mailbox, SCHEDD_SECOND) >= 0)
		;
}

static void split_free_gone(struct split_gone *gone)
{
	while (gone) {
		struct split_gone *next = gone->next;

		free(gone->key);
		free(gone);
		gone = next;
	}
}

/* ---- Leaving ---- */

static void split_jobs_left(void *context)
{
	struct split *split = context;

	store_gone(&split->base);
}

/* What is with a server that does not answer any more is not waited for. */
static bool split_leave_waits(struct split *split)
{
	const struct schedd_clock *clock = schedd_clock_system();

	if (clock->mono(clock->context).us >= split->leave_by ||
	    store_state(split->jobs) != STORE_OK)
		return false;
	if (split->under_way && store_state(split->history) != STORE_OK)
		split_move_no_more(split);
	return split_busy(split) || split->base.pending > 0;
}

/* The history takes what it takes in time, as in split_drain(); then the store of jobs goes. */
static void split_leave_on(struct split *split)
{
	if (!split->leaving || split->jobs_leave || split_leave_waits(split))
		return;
	split_move_no_more(split);
	if (split->looking)
		return;
	split->jobs_leave = true;
	(void)store_listen(split->history, split_history_changed, split, false);
	store_leave(split->jobs, split_jobs_left, split);
}

static void split_settled(struct store *store)
{
	split_turn(split_of(store));
}

static void split_leave(struct store *store)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct split *split = split_of(store);

	split->closing = split->leaving = true;
	split->recovering = false;
	split->leave_by = clock->mono(clock->context).us + STORE_LEAVE_LIMIT;
	store_when_settled(store, split_settled);
	split_turn(split);
}

static void split_close(struct store *store)
{
	struct split *split = split_of(store);

	split->leaving = false;
	if (!split->jobs_leave) {
		split->closing = true;
		split_turn(split);
		split_drain(split);
		(void)store_listen(split->history, split_history_changed, split, false);
	}
	if (split->jobs) {
		split->jobs->changed = NULL;
		split->jobs->watch = NULL;
	}
	store_close(split->jobs);
	/* What the history's answers may still find. */
	(void)store_flush(&split->base, SCHEDD_SPAN_NONE);
	alarm_free(split->alarm);
	split_rows_clear(split);
	strmap_clear(&split->rows);
	split_free_gone(split->gone);
	split_free_gone(split->forgetting);
}

static const struct job_store_ops split_jobs_ops = {
    .close = split_close,
    .leave = split_leave,
    .status = split_status,
    .load = split_load,
    .last_run = split_last_run,
    .commit = split_commit,
};

static const struct history_ops split_history_ops = {
    .runs = split_runs,
    .cursor = store_query_cursor_behind,
    .changes = split_changes,
    .stats = split_stats,
    .retain = split_retain,
    .backup = split_backup,
};

struct store *store_history(const struct store *store)
{
	if (store->ops->jobs != &split_jobs_ops)
		return NULL;
	return ((const struct split *)store)->history;
}

static int split_check(const struct store_config *config, struct schedd_error *err)
{
	const struct store *history = config->history;

	if (store_history(history))
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': history: store '%s' keeps its own runs in store '%s', name that one",
		    config->name, history->name, store_history(history)->name);
	if (!history->ops->history)
		return schedd_error_set(err, SCHEDD_EINVAL,
		    "store '%s': history: store '%s' is of type '%s', which keeps no history: name "
		    "another one",
		    config->name, history->name, history->ops->type);
	return 0;
}

static int split_open_jobs(struct split *split, const struct store_ops *ops,
    const struct store_config *config, struct schedd_error *err)
{
	struct store_config inner = *config;
	int rc;

	inner.history = NULL;
	inner.changed = split_changed;
	inner.context = split;
	rc = store_open_alone(ops, &inner, &split->jobs, err);
	if (rc)
		return rc;
	/* Whatever the jobs' store made of them. */
	free(split->base.path);
	split->base.path = split->jobs->path ? strdup(split->jobs->path) : NULL;
	split->base.address = split->jobs->address ? strdup(split->jobs->address) : NULL;
	split->base.life = split->jobs->life;
	store_watch(split->jobs, split_watched, split);
	return 0;
}

int store_split_open(const struct store_ops *ops, const struct store_config *config,
    struct store **out, struct schedd_error *err)
{
	struct split *split;
	int rc = split_check(config, err);

	if (rc)
		return rc;
	split = calloc(1, sizeof(*split));
	if (!split)
		return schedd_error_nomem(err);
	split->ops = *ops;
	split->ops.jobs = &split_jobs_ops;
	split->ops.history = &split_history_ops;
	split->ops.driver = NULL;
	split->base.ops = &split->ops;
	split->history = config->history;
	split->held_last = &split->held;
	split->items_last = &split->items;
	split->gone_last = &split->gone;
	split->questions_last = &split->questions;
	split->turn = split_turn;
	strmap_init(&split->rows, split_row_key);
	rc = store_fill(&split->base, config, err);
	split->note_serial =
	    (uint64_t)split->base.clock->wall(split->base.clock->context) & ~UINT64_C(0xff);
	if (!rc && config->loop) {
		split->alarm = alarm_new_mono(config->loop, split_alarm, split, err);
		rc = split->alarm ? 0 : err->code;
	}
	if (!rc)
		rc = split_open_jobs(split, ops, config, err);
	if (rc) {
		alarm_free(split->alarm);
		store_release(&split->base);
		return rc;
	}
	*out = &split->base;
	rc = store_listen(split->history, split_history_changed, split, true);
	if (!rc)
		return 0;
	store_close(&split->base);
	return schedd_error_nomem(err);
}
