/* SPDX-License-Identifier: MIT */
#include "core/changes/apply_commit.h"

#include <stddef.h>
#include <stdlib.h>
#include "core/changes/scheduler_apply.h"
#include "core/frame/store_slot.h"
#include "loop/scrap.h"

static void apply_free(struct apply *apply)
{
	strmap_clear(&apply->ids);
	arena_clear(&apply->scratch);
	scrap_arena(apply->scheduler->mailbox, &apply->arena);
	free(apply);
}

void apply_answer(struct apply *apply)
{
	struct value nil = value_nil();

	if (!apply->rc && arena_failed(&apply->arena))
		apply->rc = schedd_error_nomem(&apply->err);
	scheduler_answer(apply->reply, apply->rc, &apply->err, &nil);
	apply_free(apply);
}

bool apply_over(const struct apply *apply, int64_t begun)
{
	return scheduler_mono(apply->scheduler).us - begun >= APPLY_SLICE;
}

bool apply_later(struct apply *apply, struct timer *timer, schedd_span pause)
{
	struct schedd_mono when = {scheduler_mono(apply->scheduler).us + pause};

	return timers_set(&apply->scheduler->timers, timer, when) == 0;
}

bool apply_undo(struct apply *apply, int64_t begun)
{
	for (struct apply_batch *batch = apply->batches; batch->store; batch++) {
		while (batch->changes) {
			struct change *change = batch->changes;

			batch->changes = change->next;
			if (change->entry)
				change_idle(apply->scheduler, change->entry);
			change_free(change);
			if (apply_over(apply, begun) && apply_later(apply, &apply->slice, 0))
				return false;
		}
		store_batch_free(batch->batch);
		batch->batch = NULL;
	}
	return true;
}

static void apply_done(struct apply *apply)
{
	struct apply **link = &apply->scheduler->changes.committing;

	while (*link && *link != apply)
		link = &(*link)->next;
	if (*link)
		*link = apply->next;
	apply_answer(apply);
}

/* Has the jobs of a committed batch take effect, as many as fit into a piece. */
static void apply_finish(struct apply_batch *batch)
{
	struct apply *apply = batch->apply;
	int64_t begun = scheduler_mono(apply->scheduler).us;

	while (batch->changes) {
		struct change *change = batch->changes;

		batch->changes = change->next;
		change_finish(change, batch->rc, &batch->err);
		if (apply_over(apply, begun) && apply_later(apply, &batch->slice, 0))
			return;
	}
	if (--apply->waiting == 0)
		apply_done(apply);
}

static void apply_finish_on(struct timer *timer)
{
	apply_finish((struct apply_batch *)(void *)((char *)timer -
						    offsetof(struct apply_batch, slice)));
}

static void apply_committed(int rc, const struct schedd_error *err, void *context)
{
	struct apply_batch *batch = context;
	struct apply *apply = batch->apply;
	struct schedd_scheduler *scheduler = apply->scheduler;

	scheduler_enter(scheduler);
	batch->rc = rc;
	if (rc) {
		apply->rc = rc;
		batch->err = apply->err = *err;
	}
	/* What the store refuses is no failure of the store. */
	if (rc && rc != SCHEDD_EPERM)
		store_slot_failed(batch->store, err);
	else
		store_slot_worked(batch->store);
	apply_finish(batch);
	scheduler_leave(scheduler);
}

void apply_commit(struct apply *apply)
{
	uint32_t stores = 0;

	for (struct apply_batch *batch = apply->batches; batch->store; batch++, stores++) {
		timer_init(&batch->slice, apply_finish_on);
	}
	apply->waiting = stores;
	if (!stores) {
		apply_answer(apply);
		return;
	}
	apply->next = apply->scheduler->changes.committing;
	apply->scheduler->changes.committing = apply;
	for (uint32_t i = 0; i < stores; i++)
		store_commit(apply->batches[i].store->store, apply->batches[i].batch,
		    apply_committed, &apply->batches[i]);
}

static void apply_abandon(struct apply *apply)
{
	apply->rc = schedd_error_set(&apply->err, SCHEDD_EFAILED, "the scheduler stops");
	apply_answer(apply);
}

void scheduler_apply_stop(struct schedd_scheduler *scheduler)
{
	struct apply *applying = scheduler->changes.applying;

	while (scheduler->changes.applies) {
		struct apply *apply = scheduler->changes.applies;

		scheduler->changes.applies = apply->next;
		apply_abandon(apply);
	}
	scheduler->changes.applying = NULL;
	if (!applying)
		return;
	timers_unset(&scheduler->timers, &applying->slice);
	apply_undo(applying, INT64_MAX);
	apply_abandon(applying);
}

void scheduler_apply_free(struct schedd_scheduler *scheduler)
{
	struct apply *apply;

	while ((apply = scheduler->changes.committing)) {
		for (struct apply_batch *batch = apply->batches; batch->store; batch++) {
			timers_unset(&scheduler->timers, &batch->slice);
			while (batch->changes) {
				struct change *change = batch->changes;

				batch->changes = change->next;
				change_finish(change, batch->rc, &batch->err);
			}
		}
		apply_done(apply);
	}
}
