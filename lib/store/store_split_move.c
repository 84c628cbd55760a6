/* SPDX-License-Identifier: MIT */
/*
 * From the job store to the history: one commit at a time, then the job store
 * may forget what it says. While the history takes nothing all of it waits, and
 * is tried again by a back-off of its own.
 */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/store_split_parts.h"

#define MOVE_ITEMS 1000 /* in one commit */
#define MOVE_BACKOFF_FIRST (SCHEDD_SECOND / 4)
#define MOVE_BACKOFF_MOST (30 * SCHEDD_SECOND)
/* Of the job store's own history in one look. */
#define MOVE_RECOVER 500

static struct schedd_mono move_now(void)
{
	const struct schedd_clock *clock = schedd_clock_system();

	return clock->mono(clock->context);
}

/* ---- To the history ---- */

static void move_failed(struct split *split, const struct schedd_error *err)
{
	if (!split->failing)
		log_warn(split->base.log,
		    "store '%s': what happened waits for the store that keeps its history: %s",
		    split->base.name, err->message);
	split->failing = true;
	split->backoff = split->backoff ? split->backoff * 2 : MOVE_BACKOFF_FIRST;
	if (split->backoff > MOVE_BACKOFF_MOST)
		split->backoff = MOVE_BACKOFF_MOST;
	split->retry_at.us = move_now().us + split->backoff;
	if (split->alarm && alarm_set_mono(split->alarm, split->retry_at))
		log_error(split->base.log, "store '%s': no alarm to try its history again",
		    split->base.name);
}

static void move_worked(struct split *split)
{
	if (split->failing)
		log_info(split->base.log, "store '%s': its history is written again",
		    split->base.name);
	split->failing = false;
	split->backoff = 0;
}

/* One of several is refused for what it is: they go singly, and it alone stays away. */
static void move_refused(struct split *split, const struct schedd_error *err)
{
	uint32_t count = 0;

	for (const struct split_item *item = split->items; item && item->place <= split->sent_place;
	     item = item->next)
		count++;
	if (count > 1) {
		split->one_by_one = count;
		return;
	}
	/* What was found may have been written before the end of the last life. */
	if (!split->items->found)
		log_error(split->base.log, "store '%s': a row of history is given up: %s",
		    split->base.name, err->message);
	split_items_drop(split, true);
}

static void move_done(int rc, const struct schedd_error *err, void *context)
{
	struct split_moving *moving = context;
	struct split *split = moving->split;

	free(moving);
	if (!split)
		return;
	split->under_way = NULL;
	if (split->stale) {
		split->stale = false; /* What it was is not in the queue any more. */
	} else if (rc == 0) {
		while (split->items && split->items->place <= split->sent_place)
			split_items_drop(split, true);
		move_worked(split);
	} else if (rc == SCHEDD_EFAILED || rc == SCHEDD_ENOMEM) {
		move_failed(split, err);
	} else {
		move_refused(split, err);
	}
	split->turn(split);
}

static void move_commit(struct split *split)
{
	struct split_moving *moving = calloc(1, sizeof(*moving));
	struct store_batch *batch = moving ? store_batch_new(split->history) : NULL;
	struct split_item *item = split->items;
	uint32_t most = split->one_by_one ? 1 : MOVE_ITEMS;
	struct schedd_error err;

	if (!batch) {
		free(moving);
		schedd_error_nomem(&err);
		move_failed(split, &err);
		return;
	}
	moving->split = split;
	for (uint32_t i = 0; item && i < most; i++) {
		bool alone = item->alone;

		if ((alone || (item->found && item->text)) && i > 0)
			break;
		if (item->text && split_note_read(item->text, batch, &err))
			log_error(split->base.log, "store '%s': the note %s cannot be read: %s",
			    split->base.name, item->key, err.message);
		else if (!item->text)
			store_batch_put_run(batch, &item->run);
		split->sent_place = item->place;
		item = item->next;
		if (alone)
			break;
	}
	store_batch_ends(batch);
	split->under_way = moving;
	store_commit(split->history, batch, move_done, moving);
}

/* A note that was found: is it in the history already? */
static void move_looked(
    int rc, const struct schedd_error *err, const struct value *list, void *context)
{
	struct split *split = context;
	struct split_item *item = split->items;
	struct arena arena;
	schedd_time when;
	const char *job;
	bool there = false;

	split->looking = false;
	if (rc || split->stale || !item || !item->text) {
		split->stale = false;
		if (rc)
			move_failed(split, err);
		split->turn(split);
		return;
	}
	arena_init(&arena);
	if (split_note_change(item->text, &arena, &when, &job))
		for (uint32_t i = 0; list->type == VALUE_ARRAY && i < list->array.count; i++)
			there = there ||
				value_get_int(&list->array.items[i], "time", 0) == when;
	arena_clear(&arena);
	item->found = false;
	if (there) {
		split->sent_place = item->place;
		split_items_drop(split, true);
	}
	split->turn(split);
}

/* False: there is nothing to look for. */
static bool move_look(struct split *split)
{
	const struct split_item *item = split->items;
	struct arena arena;
	schedd_time when;
	const char *job;
	bool looks;

	if (!item->found || !item->text)
		return false;
	arena_init(&arena);
	looks = split_note_change(item->text, &arena, &when, &job);
	if (looks) {
		split->looking = true;
		store_query_changes(split->history, job, when, UINT32_MAX, move_looked, split);
	}
	arena_clear(&arena);
	return looks;
}

void split_move(struct split *split)
{
	if (split->over || split->under_way || split->looking || !split->items ||
	    store_state(split->history) != STORE_OK)
		return;
	if (split->failing && move_now().us < split->retry_at.us)
		return;
	if (!move_look(split))
		move_commit(split);
}

/* ---- The job store forgets ---- */

static void move_forgotten(int rc, const struct schedd_error *err, void *context)
{
	struct split *split = context;
	struct split_gone *list = split->forgetting;

	(void)err;
	split->forgetting = NULL;
	if (rc && list) {
		struct split_gone **last = &list;

		while (*last)
			last = &(*last)->next;
		*last = split->gone;
		if (!split->gone)
			split->gone_last = last;
		split->gone = list;
		return; /* When it works again. */
	}
	while (list) {
		struct split_gone *gone = list;

		list = gone->next;
		free(gone->key);
		free(gone);
	}
	split->turn(split);
}

void split_forget(struct split *split)
{
	struct store_batch *batch;

	if (split->over || !split->gone || split->forgetting || store_state(split->jobs) != STORE_OK)
		return;
	batch = store_batch_new(split->jobs);
	if (!batch)
		return;
	for (const struct split_gone *gone = split->gone; gone; gone = gone->next)
		if (gone->number)
			store_batch_purge_runs(batch, gone->key, gone->number);
		else
			store_batch_put_text(batch, gone->key, NULL);
	store_batch_ends(batch);
	split->forgetting = split->gone;
	split->gone = NULL;
	split->gone_last = &split->gone;
	store_commit(split->jobs, batch, move_forgotten, split);
}

/* ---- Rows that are over in the job store's own history ---- */

static void move_recovered(int rc, const struct schedd_error *err, const struct run *runs,
    size_t count, const char *cursor, void *context)
{
	struct split *split = context;
	bool any = false;

	(void)err;
	(void)cursor;
	split->asked_rest = false;
	for (size_t i = count; !rc && i > 0; i--)
		if (store_query_done_at(&runs[i - 1]) != SCHEDD_TIME_NONE)
			any |= split_rows_take(split, &runs[i - 1], true) == 0;
	split->recovering = !rc && any;
	split->turn(split);
}

/* Page after page: those that the history has taken are not there any more. */
void split_recover(struct split *split)
{
	struct store_run_query query = {.states = ~0u << RUN_SUCCESS,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = MOVE_RECOVER};

	if (!split->recovering || split->asked_rest || split->items || split->gone ||
	    split->forgetting || split->given != split->taken)
		return;
	split->asked_rest = true;
	store_query_runs(split->jobs, &query, move_recovered, split);
}
