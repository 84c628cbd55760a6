/* SPDX-License-Identifier: MIT */
#include "core/runs/mark.h"

#include <stdlib.h>
#include "core/frame/store_slot.h"
#include "core/runs/admission.h"
#include "core/runs/run_live_state.h"

/* One commit. Runs that end meanwhile leave a hole. */
struct marks {
	struct marks *next; /* of the same round, for another store */
	struct store_slot *store;
	struct store_batch *batch;
	uint32_t count;
	struct run_live *runs[MARKS_MAX];
};

static struct marks *mark_room(struct store_slot *store, struct marks **all)
{
	struct marks *marks = *all;

	while (marks && (marks->store != store || marks->count == MARKS_MAX))
		marks = marks->next;
	if (marks)
		return marks;
	marks = calloc(1, sizeof(*marks));
	if (!marks)
		return NULL;
	marks->store = store;
	marks->batch = store_batch_new(store->store);
	if (!marks->batch) {
		free(marks);
		return NULL;
	}
	marks->next = *all;
	*all = marks;
	return marks;
}

void mark_write(struct store_batch *batch, struct run_live *live)
{
	enum run_state state = live->run.state;

	live->run.state = RUN_RUNNING;
	live->run.pid = 0;
	store_batch_put_run(batch, &live->run);
	live->run.state = state;
}

void mark_take(struct run_live *live, struct marks **all)
{
	struct marks *marks = mark_room(live->store, all);

	if (!marks) {
		mark_stall(live);
		return;
	}
	run_live_enter(live, RUN_LIVE_MARKING);
	live->executor->marking++;
	live->mark = &marks->runs[marks->count++];
	*live->mark = live;
	mark_write(marks->batch, live);
}

static void mark_done(int rc, const struct schedd_error *err, void *context)
{
	struct marks *marks = context;
	struct schedd_scheduler *scheduler = marks->store->scheduler;

	scheduler_enter(scheduler);
	if (rc)
		store_slot_failed(marks->store, err);
	else
		store_slot_worked(marks->store);
	for (uint32_t i = 0; i < marks->count; i++) {
		struct run_live *live = marks->runs[i];

		if (!live)
			continue;
		live->mark = NULL;
		live->executor->marking--;
		live->marked = !rc;
		if (rc)
			mark_stall(live);
		else
			admission_return(live);
	}
	free(marks);
	scheduler_leave(scheduler);
}

void mark_commit(struct marks **all)
{
	while (*all) {
		struct marks *marks = *all;

		*all = marks->next;
		/* Older rows of the same runs. */
		store_slot_flush(marks->store);
		store_commit(marks->store->store, marks->batch, mark_done, marks);
	}
}

void mark_undo_all(struct schedd_scheduler *scheduler)
{
	for (struct run_live *live = run_live_first(scheduler), *next; live; live = next) {
		next = live->next;
		if (live->mark) {
			*live->mark = NULL;
			live->mark = NULL;
			live->executor->marking--;
			/* Where nothing starts, its row is written behind its mark. */
			live->marked = true;
			admission_return(live);
			continue;
		}
		if (run_live_waits(live) && live->marked && live->store->durable) {
			live->marked = false;
			run_live_write(live);
		}
	}
}

void mark_stall(struct run_live *live)
{
	run_live_enter(live, RUN_LIVE_HELD);
	live->stalled = true;
	live->store->stalled++;
}

void mark_unstall(struct schedd_scheduler *scheduler)
{
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *store = scheduler->stores[i];

		if (!store->stalled || !store_slot_ready(store, scheduler_mono(scheduler)))
			continue;
		for (struct run_live *live = run_live_first(scheduler), *next; live; live = next) {
			next = live->next;
			if (!live->stalled || live->store != store)
				continue;
			live->stalled = false;
			store->stalled--;
			admission_return(live);
		}
	}
}
