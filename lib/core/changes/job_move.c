/* SPDX-License-Identifier: MIT */
/* The steps of a move, each a commit; see the header. What is left once it is written is in
 * job_move_rest.c. */
#include "core/changes/job_move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/changes/job_move_parts.h"
#include "core/frame/store_origin.h"
#include "core/frame/store_slot.h"
#include "core/jobs/entry_raw.h"
#include "core/runs/admission.h"
#include "core/runs/run_live.h"
#include "core/runs/run_note.h"
#include "core/runs/run_process.h"
#include "model/job_details.h"

/* ---- What is said of each ---- */

static void move_tell(struct move_item *item, int rc, const struct schedd_error *err)
{
	if (item->told)
		return;
	item->told = true;
	item->rc = rc;
	if (rc && err)
		item->err = *err;
}

static void move_gathered(struct move_item *item);

/* The reply of its change. */
static void move_answered(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct move_item *item = context;

	(void)result;
	item->change = NULL;
	move_tell(item, rc, err);
	move_gathered(item);
}

/* Who asked need not wait until a server is back that may or may not have it. */
static void move_unknown(const struct schedd_error *err, void *context)
{
	struct job_move *move = context;

	for (struct move_item *item = move->items; item; item = item->next)
		move_tell(item, SCHEDD_EFAILED, err);
	job_move_told(move);
}

bool job_move_blocked(const struct entry *entry)
{
	for (const struct run_live *live = entry->runs; live; live = run_live_next_of_job(live))
		if (!run_live_waits(live))
			return true;
	return false;
}

/* ---- Joining ---- */

static bool move_goes_on(const struct entry *entry, char run[RUN_LIVE_ID_MAX])
{
	for (const struct run_live *live = entry->runs; live; live = run_live_next_of_job(live))
		if (!run_live_waits(live)) {
			snprintf(run, RUN_LIVE_ID_MAX, "%s", run_live_id(live));
			return true;
		}
	return false;
}

static int move_check_stores(const struct job_move *move, struct schedd_error *err)
{
	const struct store_slot *const slots[] = {move->from, move->to};

	for (int i = 0; i < 2; i++) {
		const struct store_slot *slot = slots[i];
		enum store_state state = store_state(slot->store);

		if (state != STORE_OK)
			return schedd_error_set(err, SCHEDD_EFAILED, "store %s is %s: %s", slot->name,
			    store_state_word(state), store_state_why(slot->store));
		if (!slot->taken_up)
			return schedd_error_set(err, SCHEDD_EFAILED,
			    "store %s has not been read yet", slot->name);
		if (slot->shared)
			return schedd_error_set(err, SCHEDD_ECONFLICT,
			    "store %s is shared, other nodes may run its jobs meanwhile: make a logical "
			    "backup of store %s, remove the jobs there, and restore it into %s",
			    slot->name, move->from->name, move->to->name);
	}
	if (move->from->failing || move->from->unwritten)
		return schedd_error_set(err, SCHEDD_EFAILED, "store %s cannot be written: %s",
		    move->from->name, move->from->last_error);
	return 0;
}

static int move_check(struct change *change, struct schedd_error *err)
{
	struct move_item *item = change->move;
	const struct job_move *move = item->move;
	const struct store_slot *old = job_move_leaves(change->scheduler, change->id);
	char run[RUN_LIVE_ID_MAX];

	if (change->entry->store != move->from)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s is in store %s by now, not in %s", change->id,
		    change->entry->store->name, move->from->name);
	item->leaving = old != NULL;
	if (old)
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s has left store %s, which is not rid of it yet: wait for that", change->id,
		    old->name);
	if (move_goes_on(change->entry, run)) {
		item->running = true;
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "job %s is running (%s): move it when that has ended, or let the move wait",
		    change->id, run);
	}
	if (store_origin_shadowed(move->to, change->id))
		return schedd_error_set(err, SCHEDD_ECONFLICT,
		    "store %s has another job %s, which is not used because of this one: remove "
		    "one of them there",
		    move->to->name, change->id);
	return move_check_stores(move, err);
}

/* The definition as it is, but for the store. */
static int move_copy(struct change *change, struct schedd_error *err)
{
	const char *name = change->move->move->to->name;
	struct job_details *details;
	int rc;

	change->job = job_clone(change->entry->job);
	details = change->job ? job_details_edit(change->job) : NULL;
	if (!details)
		return schedd_error_nomem(err);
	free(details->store);
	details->store = strcmp(name, "default") == 0 ? NULL : strdup(name);
	if (!details->store && strcmp(name, "default") != 0)
		return schedd_error_nomem(err);
	rc = change_copy_state(change, err);
	if (rc)
		return rc;
	change->job = entry_seal(change->scheduler, change->job);
	change->state.revision++;
	return 0;
}

static int move_note_open(struct move_item *item, const struct entry *entry, struct schedd_error *err)
{
	item->open = calloc(entry->live + 1u, sizeof(item->open[0]));
	if (!item->open)
		return schedd_error_nomem(err);
	for (const struct run_live *live = entry->runs; live; live = run_live_next_of_job(live))
		item->open[item->open_count++] = run_live_run(live)->number;
	return 0;
}

static int move_begin(struct change *change, struct schedd_error *err)
{
	struct move_item *item = change->move;
	int rc = change_find_valid(change, err);

	if (!rc && change->entry->store == item->move->to) {
		item->there = true;
		change->entry = NULL;
		return CHANGE_DONE;
	}
	if (!rc)
		rc = move_check(change, err);
	if (!rc)
		rc = move_copy(change, err);
	if (!rc)
		rc = move_note_open(item, change->entry, err);
	if (rc) {
		change->entry = NULL;
		return rc;
	}
	change->store = item->move->to;
	item->change = change;
	item->held = true;
	change->entry->busy = true;
	entry_unplan(change->scheduler, change->entry);
	admission_freeze(change->entry);
	move_gathered(item);
	return CHANGE_CLAIMED;
}

static void move_failed(struct change *change)
{
	if (change->entry)
		admission_thaw(change->entry);
}

/* ---- In its new store ---- */

/* Those of its runs that ended while it was on its way: the new store has them as waiting. */
static void move_strike_ended(const struct move_item *item, const struct entry *entry)
{
	struct store_batch *batch = NULL;

	for (uint32_t i = 0; i < item->open_count; i++) {
		char key[sizeof(RUN_NOTE_PREFIX) + RUN_LIVE_ID_MAX];

		if (run_live_find(item->move->scheduler, item->id, item->open[i]))
			continue;
		if (!batch)
			batch = store_batch_new(entry->store->store);
		store_batch_purge_runs(batch, item->id, item->open[i]);
		snprintf(key, sizeof(key), RUN_NOTE_PREFIX "%s/%u", item->id, item->open[i]);
		store_batch_put_text(batch, key, NULL);
		/* Its end is in the old store, and stays there. */
		item->open[i] = 0;
	}
	if (batch)
		store_commit(entry->store->store, batch, NULL, NULL);
}

static void move_finish(struct change *change)
{
	struct entry *entry = change->entry;
	struct move_item *item = change->move;

	if (change->last_run > change->state.last_run)
		change->state.last_run = change->last_run;
	item->last_run = entry->state.last_run;
	entry_move(entry, change->store);
	for (struct run_live *live = entry->runs; live; live = run_live_next_of_job(live))
		run_live_move(live, change->store);
	change_apply(change);
	move_strike_ended(item, entry);
	admission_thaw(entry);
	change_event(change, SCHEDD_EVENT_JOB_MODIFIED, "moved from another store");
}

static const struct change_ops job_move_ops = {"move", move_begin, move_finish, move_failed};

/* ---- The commits ---- */

static void move_finish_all(struct job_move *move, int rc, const struct schedd_error *err)
{
	for (struct move_item *item = move->items; item; item = item->next) {
		struct change *change = item->change;

		item->change = NULL;
		if (change) {
			change->batch = NULL;
			item->written = rc == 0;
			change_finish(change, rc, err);
		}
	}
}

static void move_end(struct job_move *move)
{
	move->stage = JOB_MOVE_OVER;
	job_move_told(move);
}

/* Are runs to be looked for in the old store? */
static bool move_leaves_runs(const struct job_move *move)
{
	return !move->history && !job_move_same_history(move);
}

/* It has not come to be written: the old store's go on. */
static void move_undo(struct job_move *move, int rc, const struct schedd_error *err)
{
	char key[JOB_MOVE_KEY];

	job_move_key(key, JOB_MOVE_MOVING, move->token);
	store_slot_put_text(move->from, key, NULL);
	move_finish_all(move, rc, err);
	move_end(move);
}

static void move_written(int rc, const struct schedd_error *err, void *context)
{
	struct job_move *move = context;
	struct schedd_scheduler *scheduler = move->scheduler;

	scheduler_enter(scheduler);
	if (rc && rc != SCHEDD_ECONFLICT && rc != SCHEDD_EPERM)
		store_slot_failed(move->to, err);
	else
		store_slot_worked(move->to);
	if (rc) {
		move_undo(move, rc, err);
	} else {
		if (move_leaves_runs(move))
			store_origin_add(move->to, move->from->name);
		store_origin_inherit(move->to, move->from);
		move_finish_all(move, 0, NULL);
		move->stage = JOB_MOVE_COPYING;
		job_move_rest(move);
	}
	scheduler_leave(scheduler);
}

static void move_put(struct store_batch *batch, struct move_item *item)
{
	struct change *change = item->change;
	const struct entry *entry = change->entry;
	const char *pause = entry_aside(entry)->pause_text;

	change->batch = batch;
	store_batch_add_job(batch, change->job, &change->state, &change->last_run);
	if (entry->state.paused && pause)
		store_batch_put_text(
		    batch, arena_printf(&change->arena, "paused.%s", item->id), pause);
	for (struct run_live *live = entry->runs; live; live = run_live_next_of_job(live)) {
		store_batch_put_run(batch, run_live_run(live));
		run_note_put(batch, live);
	}
	change_record(change, SCHEDD_EVENT_JOB_MODIFIED,
	    arena_printf(&change->arena, "moved from store %s", item->move->from->name));
}

static void move_write(struct job_move *move)
{
	struct store_batch *batch = store_batch_new(move->to->store);
	char key[JOB_MOVE_KEY];

	move->stage = JOB_MOVE_WRITING;
	for (struct move_item *item = move->items; item; item = item->next)
		if (item->change)
			move_put(batch, item);
	job_move_key(key, JOB_MOVE_MOVED, move->token);
	store_batch_put_text(batch, key, move->from->name);
	if (move_leaves_runs(move))
		store_origin_put(batch, move->to, move->from->name);
	store_origin_put_all(batch, move->to, move->from);
	store_batch_on_unknown(batch, move_unknown);
	store_commit(move->to->store, batch, move_written, move);
}

static void move_held(int rc, const struct schedd_error *err, void *context)
{
	struct job_move *move = context;
	struct schedd_scheduler *scheduler = move->scheduler;
	struct schedd_error stop;

	scheduler_enter(scheduler);
	if (rc)
		store_slot_failed(move->from, err);
	else
		store_slot_worked(move->from);
	if (!rc && scheduler->phase == SCHEDULER_STOPPED) {
		/* The next start finds it held, and lets it go. */
		rc = schedd_error_set(&stop, SCHEDD_EFAILED, "the scheduler stops");
		err = &stop;
	}
	if (rc) {
		move_finish_all(move, rc, err);
		move_end(move);
	} else {
		move_write(move);
	}
	scheduler_leave(scheduler);
}

/* {"to": NAME, "history": bool, "jobs": [ID…]} */
static void move_marker(const struct job_move *move, struct strbuf *out)
{
	struct value map = value_map(), jobs = value_array();
	struct arena arena;

	arena_init(&arena);
	for (const struct move_item *item = move->items; item; item = item->next)
		if (item->change)
			value_append(&arena, &jobs, value_string_ref(item->id));
	value_put(&arena, &map, "to", value_string_ref(move->to->name));
	value_put(&arena, &map, "history", value_bool(move->history));
	value_put(&arena, &map, "jobs", jobs);
	json_write(out, &map);
	out->failed |= arena_failed(&arena);
	arena_clear(&arena);
}

static void move_hold(struct job_move *move)
{
	struct strbuf marker = STRBUF_EMPTY;
	struct store_batch *batch;
	struct schedd_error err;
	char key[JOB_MOVE_KEY];

	move->stage = JOB_MOVE_HOLDING;
	move_marker(move, &marker);
	if (strbuf_failed(&marker)) {
		move_finish_all(move, schedd_error_nomem(&err), &err);
		move_end(move);
	} else {
		/* What of their runs waits to be written must not come behind their removal. */
		run_process_write_all(move->scheduler);
		store_slot_flush(move->from);
		batch = store_batch_new(move->from->store);
		job_move_key(key, JOB_MOVE_MOVING, move->token);
		store_batch_put_text(batch, key, strbuf_peek(&marker));
		store_batch_on_unknown(batch, move_unknown);
		store_commit(move->from->store, batch, move_held, move);
	}
	strbuf_clear(&marker);
}

/* ---- Gathering ---- */

static void move_gathered(struct move_item *item)
{
	struct job_move *move = item->move;
	bool any = false;

	if (item->gathered)
		return;
	item->gathered = true;
	if (--move->gathering)
		return;
	for (const struct move_item *at = move->items; at; at = at->next)
		any = any || at->change;
	if (any)
		move_hold(move);
	else
		move_end(move);
}

void job_move_start(struct job_move *move)
{
	struct schedd_scheduler *scheduler = move->scheduler;
	struct scheduler_reply reply = {move_answered, NULL};

	scheduler_enter(scheduler);
	move->gathering++;
	for (struct move_item *item = move->items; item; item = item->next) {
		struct change *change;

		reply.context = item;
		change = change_new(scheduler, &job_move_ops, item->id, &move->actor, reply);
		if (!change)
			continue;
		change->move = item;
		change_submit(change);
	}
	move_gathered(&(struct move_item){.move = move});
	scheduler_leave(scheduler);
}
