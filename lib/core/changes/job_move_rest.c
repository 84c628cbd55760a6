/* SPDX-License-Identifier: MIT */
/*
 * A move from when its jobs are in the new store: runs that ended are taken
 * along if that was asked for, and the old store is rid of what it has of them.
 * What fails is tried again, in this life or the next, until it is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_move_parts.h"
#include "core/frame/store_slot.h"
#include "core/runs/run_live.h"
#include "core/runs/run_note.h"

/* Runs copied at a time. */
#define JOB_MOVE_PAGE 200

/* ---- The old store's part ---- */

static void move_removed(int rc, const struct schedd_error *err, void *context)
{
	struct job_move *move = context;
	struct schedd_scheduler *scheduler = move->scheduler;
	char key[JOB_MOVE_KEY];

	scheduler_enter(scheduler);
	move->busy = false;
	if (rc) {
		store_slot_failed(move->from, err);
		job_move_told(move);
	} else {
		store_slot_worked(move->from);
		job_move_key(key, JOB_MOVE_MOVED, move->token);
		store_slot_put_text(move->to, key, NULL);
		move->stage = JOB_MOVE_OVER;
		job_move_told(move);
	}
	scheduler_leave(scheduler);
}

static void move_remove_item(
    const struct job_move *move, struct store_batch *batch, struct move_item *item)
{
	char key[sizeof(RUN_NOTE_PREFIX) + RUN_LIVE_ID_MAX];

	store_batch_delete_job(batch, item->id, item->last_run);
	snprintf(key, sizeof(key), "paused.%s", item->id);
	store_batch_put_text(batch, key, NULL);
	for (uint32_t i = 0; i < item->open_count; i++) {
		if (!item->open[i])
			continue;
		snprintf(key, sizeof(key), RUN_NOTE_PREFIX "%s/%u", item->id, item->open[i]);
		store_batch_put_text(batch, key, NULL);
		/* Where both keep their runs in one place, that is its row once it has ended. */
		if (!job_move_same_history(move) ||
		    run_live_find(move->scheduler, item->id, item->open[i]))
			store_batch_purge_runs(batch, item->id, item->open[i]);
	}
	if (move->history && !job_move_same_history(move))
		store_batch_purge_runs(batch, item->id, 0);
}

static void move_remove(struct job_move *move)
{
	struct store_batch *batch = store_batch_new(move->from->store);
	char key[JOB_MOVE_KEY];

	store_batch_ends(batch);
	for (struct move_item *item = move->items; item; item = item->next)
		if (item->written)
			move_remove_item(move, batch, item);
	job_move_key(key, JOB_MOVE_MOVING, move->token);
	store_batch_put_text(batch, key, NULL);
	move->busy = true;
	store_commit(move->from->store, batch, move_removed, move);
}

/* ---- Runs that ended ---- */

/* It begins anew: what is there already is put there once more. */
static void move_page_failed(struct job_move *move, struct store_slot *slot,
    const struct schedd_error *err)
{
	move->busy = move->walked = false;
	move->page_count = 0;
	store_slot_failed(slot, err);
	job_move_told(move);
}

static void move_page_written(int rc, const struct schedd_error *err, void *context)
{
	struct job_move *move = context;
	struct schedd_scheduler *scheduler = move->scheduler;

	scheduler_enter(scheduler);
	if (rc) {
		move_page_failed(move, move->to, err);
	} else {
		move->busy = false;
		if (move->page-- == 0)
			move->stage = JOB_MOVE_REMOVING;
		job_move_rest(move);
	}
	scheduler_leave(scheduler);
}

/* Where the next page begins, or that there is none. */
static int move_page_found(struct job_move *move, const char *cursor)
{
	char(*pages)[STORE_CURSOR_MAX];

	move->busy = false;
	move->walked = cursor == NULL;
	move->page = move->page_count;
	if (!cursor)
		return 0;
	pages = realloc(move->pages, (move->page_count + 1) * sizeof(pages[0]));
	if (!pages)
		return SCHEDD_ENOMEM;
	move->pages = pages;
	snprintf(move->pages[move->page_count++], STORE_CURSOR_MAX, "%s", cursor);
	return 0;
}

/* The oldest first, as they came to be. */
static void move_page_write(struct job_move *move, const struct run *runs, size_t count)
{
	struct store_batch *batch = store_batch_new(move->to->store);

	for (size_t i = count; i-- > 0;)
		if (run_ended(runs[i].state))
			store_batch_put_run(batch, &runs[i]);
	store_commit(move->to->store, batch, move_page_written, move);
}

static void move_page(int rc, const struct schedd_error *err, const struct run *runs, size_t count,
    const char *cursor, void *context)
{
	struct job_move *move = context;
	struct schedd_scheduler *scheduler = move->scheduler;
	struct schedd_error nomem;

	scheduler_enter(scheduler);
	if (scheduler->phase == SCHEDULER_STOPPED) {
		move->busy = false;
	} else if (rc) {
		move_page_failed(move, move->from, err);
	} else if (move->walked) {
		move_page_write(move, runs, count);
	} else if (move_page_found(move, cursor)) {
		schedd_error_nomem(&nomem);
		move_page_failed(move, move->from, &nomem);
	} else {
		job_move_rest(move);
	}
	scheduler_leave(scheduler);
}

static void move_copy_runs(struct job_move *move)
{
	const char *jobs[JOB_MOVE_MAX + 1];
	struct store_run_query query = {.jobs = jobs,
	    .since = SCHEDD_TIME_NONE,
	    .until = SCHEDD_TIME_NONE,
	    .limit = JOB_MOVE_PAGE};
	uint32_t page = move->walked ? move->page : move->page_count;
	size_t count = 0;

	for (const struct move_item *item = move->items; item && count < JOB_MOVE_MAX; item = item->next)
		if (item->written)
			jobs[count++] = item->id;
	jobs[count] = NULL;
	query.after = page ? move->pages[page - 1] : NULL;
	move->busy = true;
	store_query_runs(move->from->store, &query, move_page, move);
}

/* ---- All of it ---- */

static bool move_may_go_on(const struct job_move *move)
{
	const struct schedd_mono now = scheduler_mono(move->scheduler);

	return store_slot_ready(move->from, now) &&
	       (move->stage != JOB_MOVE_COPYING || store_slot_ready(move->to, now));
}

void job_move_rest(struct job_move *move)
{
	/* A start looks at what both stores have first. */
	if (move->busy || move->scheduler->phase == SCHEDULER_STOPPED ||
	    move->scheduler->phase == SCHEDULER_NEW)
		return;
	if (move->stage == JOB_MOVE_COPYING && (!move->history || job_move_same_history(move)))
		move->stage = JOB_MOVE_REMOVING;
	if (!move_may_go_on(move)) {
		job_move_told(move);
		return;
	}
	if (move->stage == JOB_MOVE_COPYING)
		move_copy_runs(move);
	else
		move_remove(move);
}

void job_move_again(struct schedd_scheduler *scheduler)
{
	struct job_move *move, *next;

	for (move = scheduler->changes.moves; move; move = next) {
		next = move->next;
		if ((move->stage == JOB_MOVE_COPYING || move->stage == JOB_MOVE_REMOVING) &&
		    !move->busy && move_may_go_on(move))
			job_move_rest(move);
	}
}

/* ---- What a start found ---- */

struct job_move *job_move_resume(struct schedd_scheduler *scheduler,
    const struct job_move_request *request, const char *token)
{
	struct job_move *move = job_move_new(scheduler, request);

	if (!move)
		return NULL;
	snprintf(move->token, sizeof(move->token), "%s", token);
	move->stage = JOB_MOVE_COPYING;
	move->released = true;
	return move;
}

int job_move_add_written(struct job_move *move, const char *id, uint32_t last_run,
    const uint32_t *open, uint32_t open_count)
{
	struct move_item *item;

	if (job_move_add(move, id))
		return SCHEDD_ENOMEM;
	move->gathering--;
	item = move->items;
	while (item->next)
		item = item->next;
	item->gathered = item->told = item->written = true;
	item->last_run = last_run;
	item->open = open_count ? calloc(open_count, sizeof(open[0])) : NULL;
	if (open_count && !item->open)
		return SCHEDD_ENOMEM;
	if (open_count)
		memcpy(item->open, open, open_count * sizeof(open[0]));
	item->open_count = open_count;
	return 0;
}

void job_move_go_on(struct job_move *move)
{
	job_move_rest(move);
}
