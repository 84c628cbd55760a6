/* SPDX-License-Identifier: MIT */
/*
 * A request is a list of ids. Pieces of it go out as moves, one at a time; when
 * one is refused as a whole, its jobs are tried one by one, so that each has its
 * own reason. Jobs that run wait aside, if the request waits for them.
 */
#include "core/top/store_move.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "core/changes/job_move.h"
#include "core/frame/store_slot.h"
#include "core/runs/run_live.h"

struct scheduler_mover {
	struct scheduler_mover *next; /* scheduler->top.movers */
	struct schedd_scheduler *scheduler;
	struct scheduler_reply reply;
	struct scheduler_actor actor;
	struct store_slot *from; /* NULL: wherever they are */
	struct store_slot *to;
	bool history, wait;
	bool cancelled;
	struct arena arena;
	struct value rows; /* what became of them; of a whole store: of those that stay */
	const char **ids;
	uint32_t count, at;
	const char **alone; /* to be tried one by one; of room for all */
	uint32_t alone_count;
	const char **aside; /* that run; likewise */
	uint32_t aside_count;
	uint32_t moved, failed;
	struct job_move *piece; /* under way; NULL: none */
	uint32_t piece_count;
	struct timer timer; /* begins the next piece, when the loop has turned */
};

/* ---- Answers ---- */

static void mover_row(struct scheduler_mover *mover, const char *id, const char *action,
    const char *store, const struct schedd_error *err)
{
	struct value row = value_map();

	value_put(&mover->arena, &row, "id", value_string_ref(id));
	value_put(&mover->arena, &row, "action", value_string_ref(action));
	value_put(&mover->arena, &row, "store", value_string(&mover->arena, store));
	if (err) {
		value_put(&mover->arena, &row, "code", value_string_ref(schedd_error_name(err->code)));
		value_put(&mover->arena, &row, "error", value_string(&mover->arena, err->message));
	}
	value_append(&mover->arena, &mover->rows, row);
}

static void mover_fail(struct scheduler_mover *mover, const char *id, const struct schedd_error *err)
{
	const struct entry *entry = entry_get(mover->scheduler, id);

	mover->failed++;
	mover_row(mover, id, "failed", entry ? entry->store->name : NULL, err);
}

static void mover_free(struct scheduler_mover *mover)
{
	struct scheduler_mover **link = &mover->scheduler->top.movers;

	while (*link != mover)
		link = &(*link)->next;
	*link = mover->next;
	timers_unset(&mover->scheduler->timers, &mover->timer);
	arena_clear(&mover->arena);
	free(mover);
}

static void mover_end(struct scheduler_mover *mover, int rc, const struct schedd_error *err)
{
	struct value result = value_map();
	struct schedd_error nomem;

	if (!rc) {
		value_put(&mover->arena, &result, "to", value_string_ref(mover->to->name));
		value_put(&mover->arena, &result, "moved", value_int(mover->moved));
		value_put(&mover->arena, &result, "failed", value_int(mover->failed));
		value_put(&mover->arena, &result, "jobs", mover->rows);
		if (arena_failed(&mover->arena)) {
			rc = schedd_error_nomem(&nomem);
			err = &nomem;
		}
	}
	scheduler_answer(mover->reply, rc, err, &result);
	mover_free(mover);
}

/* ---- Pieces ---- */

static void mover_soon(struct scheduler_mover *mover)
{
	struct schedd_scheduler *scheduler = mover->scheduler;
	struct schedd_error err;

	if (timers_set(&scheduler->timers, &mover->timer, scheduler_mono(scheduler)))
		mover_end(mover, schedd_error_nomem(&err), &err);
}

/* Has it just come from another store, which will soon be rid of it? */
static bool mover_leaving(const struct scheduler_mover *mover, const char *id)
{
	const struct store_slot *old = job_move_leaves(mover->scheduler, id);

	return old && store_state(old->store) == STORE_OK;
}

static void mover_item(struct scheduler_mover *mover, const struct move_item *item)
{
	bool usable = store_state(mover->to->store) == STORE_OK;
	/* The move's own text goes with it. */
	const char *id = arena_strdup(&mover->arena, item->id);

	if (!id)
		return;
	if (!item->rc && item->there) {
		if (!mover->from)
			mover_row(mover, id, "unchanged", mover->to->name, NULL);
	} else if (!item->rc) {
		mover->moved++;
		if (!mover->from)
			mover_row(mover, id, "moved", mover->to->name, NULL);
	} else if ((item->running && mover->wait) || mover_leaving(mover, id)) {
		mover->aside[mover->aside_count++] = id;
	} else if (item->held && mover->piece_count > 1 && usable) {
		mover->alone[mover->alone_count++] = id;
	} else {
		mover_fail(mover, id, &item->err);
	}
}

/* A store that cannot be used refuses one job like the other. */
static const struct store_slot *mover_blocked(const struct scheduler_mover *mover)
{
	if (store_state(mover->to->store) != STORE_OK)
		return mover->to;
	return mover->from && store_state(mover->from->store) != STORE_OK ? mover->from : NULL;
}

static void mover_piece_done(struct job_move *move, void *context)
{
	struct scheduler_mover *mover = context;
	const struct store_slot *blocked;
	struct schedd_error err;

	for (const struct move_item *item = job_move_items(move); item; item = item->next)
		mover_item(mover, item);
	job_move_release(move);
	mover->piece = NULL;
	blocked = mover_blocked(mover);
	if (blocked && mover->count > mover->piece_count) {
		schedd_error_set(&err, SCHEDD_EFAILED,
		    "store %s is %s (%s): %u of %u jobs were moved, the others are where they were",
		    blocked->name, store_state_word(store_state(blocked->store)),
		    store_state_why(blocked->store), mover->moved, mover->count);
		mover_end(mover, SCHEDD_EFAILED, &err);
		return;
	}
	mover_soon(mover);
}

/* The next id and where its job is; NULL: there is none, or it is in another store than others. */
static const char *mover_next(struct scheduler_mover *mover, struct store_slot **from)
{
	bool alone = mover->alone_count > 0;

	while (alone || mover->at < mover->count) {
		const char *id = alone ? mover->alone[mover->alone_count - 1] : mover->ids[mover->at];
		const struct entry *entry = entry_get(mover->scheduler, id);
		struct schedd_error err;

		if (entry && *from && entry->store != *from)
			return NULL;
		if (alone)
			mover->alone_count--;
		else
			mover->at++;
		if (entry) {
			*from = mover->from ? mover->from : entry->store;
			return id;
		}
		/* One of a whole store is gone, and that is that. */
		schedd_error_set(&err, SCHEDD_ENOTFOUND, "job %s: no such job", id);
		if (!mover->from)
			mover_fail(mover, id, &err);
		alone = mover->alone_count > 0;
	}
	return NULL;
}

static int mover_gather(struct scheduler_mover *mover, struct job_move_request *request)
{
	uint32_t most = mover->alone_count ? 1 : JOB_MOVE_MAX;
	const char *id;

	mover->piece_count = 0;
	while (mover->piece_count < most && (id = mover_next(mover, &request->from))) {
		if (!mover->piece)
			mover->piece = job_move_new(mover->scheduler, request);
		if (!mover->piece || job_move_add(mover->piece, id))
			return SCHEDD_ENOMEM;
		mover->piece_count++;
	}
	return 0;
}

static void mover_step(struct scheduler_mover *mover)
{
	struct schedd_scheduler *scheduler = mover->scheduler;
	struct job_move_request request = {.to = mover->to,
	    .history = mover->history,
	    .actor = mover->actor,
	    .done = mover_piece_done,
	    .context = mover};
	struct schedd_error err;
	int rc = 0;

	if (scheduler->phase != SCHEDULER_RUNNING)
		rc = schedd_error_set(&err, SCHEDD_EFAILED, "the scheduler stops");
	else if (!mover->to->store || (mover->from && !mover->from->store))
		rc = schedd_error_set(&err, SCHEDD_ENOTFOUND, "store %s was removed",
		    mover->to->store ? mover->from->name : mover->to->name);
	else if (mover_gather(mover, &request))
		rc = schedd_error_nomem(&err);
	if (rc || mover->cancelled) {
		if (mover->piece)
			job_move_abandon(mover->piece);
		mover->piece = NULL;
		mover_end(mover, rc, &err);
	} else if (mover->piece) {
		job_move_start(mover->piece);
	} else if (!mover->aside_count) {
		mover_end(mover, 0, NULL);
	}
}

static void mover_fired(struct timer *timer)
{
	struct scheduler_mover *mover =
	    (struct scheduler_mover *)(void *)((char *)timer - offsetof(struct scheduler_mover, timer));
	struct schedd_scheduler *scheduler = mover->scheduler;

	scheduler_enter(scheduler);
	mover_step(mover);
	scheduler_leave(scheduler);
}

/* ---- Those that run ---- */

static void mover_review(struct scheduler_mover *mover)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < mover->aside_count; i++) {
		const struct entry *entry = entry_get(mover->scheduler, mover->aside[i]);

		if (entry && ((mover->wait && job_move_blocked(entry)) ||
				 mover_leaving(mover, mover->aside[i])))
			mover->aside[kept++] = mover->aside[i];
		else
			mover->alone[mover->alone_count++] = mover->aside[i];
	}
	mover->aside_count = kept;
}

void store_move_review(struct schedd_scheduler *scheduler)
{
	struct scheduler_mover *mover, *next;

	for (mover = scheduler->top.movers; mover; mover = next) {
		next = mover->next;
		if (mover->piece || timer_is_set(&mover->timer) || !mover->aside_count)
			continue;
		mover_review(mover);
		if (mover->alone_count || scheduler->phase != SCHEDULER_RUNNING)
			mover_step(mover);
	}
}

bool store_move_uses(const struct schedd_scheduler *scheduler, const struct store_slot *slot)
{
	for (const struct scheduler_mover *mover = scheduler->top.movers; mover; mover = mover->next)
		if (mover->to == slot || mover->from == slot)
			return true;
	return false;
}

void store_move_stop(struct schedd_scheduler *scheduler)
{
	struct schedd_error err;

	schedd_error_set(&err, SCHEDD_EFAILED, "the scheduler stops");
	while (scheduler->top.movers) {
		struct scheduler_mover *mover = scheduler->top.movers;

		if (mover->piece)
			job_move_release(mover->piece);
		mover->piece = NULL;
		mover_end(mover, SCHEDD_EFAILED, &err);
	}
}

/* ---- The request ---- */

/* All jobs of the store, in their order. */
static int mover_take_all(struct scheduler_mover *mover)
{
	struct schedd_scheduler *scheduler = mover->scheduler;

	mover->ids = arena_alloc(
	    &mover->arena, (mover->from->entries + 1u) * sizeof(mover->ids[0]));
	for (struct entry *entry = mover->ids ? entry_first(scheduler, NULL) : NULL; entry;
	     entry = entry_next(scheduler, entry))
		if (entry->store == mover->from && mover->count < mover->from->entries)
			mover->ids[mover->count++] = arena_strdup(&mover->arena, entry->job->id);
	return arena_failed(&mover->arena) ? SCHEDD_ENOMEM : 0;
}

static bool mover_has(const struct scheduler_mover *mover, const char *id)
{
	for (uint32_t i = 0; i < mover->count; i++)
		if (strcmp(mover->ids[i], id) == 0)
			return true;
	return false;
}

static int mover_take(struct scheduler_mover *mover, const char *const *jobs)
{
	uint32_t count = 0;

	while (jobs[count])
		count++;
	mover->ids = arena_alloc(&mover->arena, (count + 1) * sizeof(mover->ids[0]));
	for (uint32_t i = 0; mover->ids && i < count; i++)
		if (count > 1000 || !mover_has(mover, jobs[i]))
			mover->ids[mover->count++] = arena_strdup(&mover->arena, jobs[i]);
	return arena_failed(&mover->arena) ? SCHEDD_ENOMEM : 0;
}

static int mover_fill(struct scheduler_mover *mover, const struct scheduler_move *move,
    const struct scheduler_actor *actor, struct schedd_error *err)
{
	mover->history = move->history;
	mover->wait = move->wait;
	mover->rows = value_array();
	mover->actor = actor ? *actor : (struct scheduler_actor){-1, -1, NULL, NULL};
	if (mover->actor.method)
		mover->actor.method = arena_strdup(&mover->arena, mover->actor.method);
	if (mover->actor.account)
		mover->actor.account = arena_strdup(&mover->arena, mover->actor.account);
	if (move->jobs ? mover_take(mover, move->jobs) : mover_take_all(mover))
		return schedd_error_nomem(err);
	mover->alone = arena_alloc(&mover->arena, (mover->count + 1) * sizeof(mover->alone[0]));
	mover->aside = arena_alloc(&mover->arena, (mover->count + 1) * sizeof(mover->aside[0]));
	return arena_failed(&mover->arena) ? schedd_error_nomem(err) : 0;
}

/* One of the two stores, there and read. */
static int mover_slot(struct schedd_scheduler *scheduler, const char *name, struct store_slot **out,
    struct schedd_error *err)
{
	struct store_slot *slot = store_slot_find(scheduler, name);

	if (!slot)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "store %s: no such store", name);
	if (store_state(slot->store) != STORE_OK)
		return schedd_error_set(err, SCHEDD_EFAILED, "store %s is %s: %s", name,
		    store_state_word(store_state(slot->store)), store_state_why(slot->store));
	if (!slot->taken_up)
		return schedd_error_set(
		    err, SCHEDD_EFAILED, "store %s has not been read yet", name);
	*out = slot;
	return 0;
}

struct scheduler_mover *scheduler_move_jobs(struct schedd_scheduler *scheduler,
    const struct scheduler_move *move, const struct scheduler_actor *actor,
    struct scheduler_reply reply)
{
	struct scheduler_mover *mover = calloc(1, sizeof(*mover));
	struct schedd_error err;
	int rc = mover ? 0 : schedd_error_nomem(&err);

	if (!rc) {
		mover->scheduler = scheduler;
		arena_init(&mover->arena);
		timer_init(&mover->timer, mover_fired);
		mover->next = scheduler->top.movers;
		scheduler->top.movers = mover;
		rc = mover_slot(scheduler, move->to, &mover->to, &err);
	}
	if (!rc && !move->jobs)
		rc = mover_slot(scheduler, move->from, &mover->from, &err);
	if (!rc && mover->from == mover->to)
		rc = schedd_error_set(
		    &err, SCHEDD_EINVAL, "store %s: its jobs are there already", move->to);
	if (!rc)
		rc = mover_fill(mover, move, actor, &err);
	if (!rc && timers_set(&scheduler->timers, &mover->timer, scheduler_mono(scheduler)))
		rc = schedd_error_nomem(&err);
	if (rc) {
		if (mover)
			mover_free(mover);
		scheduler_answer(reply, rc, &err, NULL);
		return NULL;
	}
	mover->reply = reply;
	scheduler_enter(scheduler);
	scheduler_leave(scheduler);
	return mover;
}

void scheduler_move_cancel(struct scheduler_mover *mover)
{
	mover->reply = (struct scheduler_reply){NULL, NULL};
	mover->cancelled = true;
	if (!mover->piece)
		mover_free(mover);
}
