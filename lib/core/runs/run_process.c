/* SPDX-License-Identifier: MIT */
#include "core/runs/run_process.h"

#include <stddef.h>
#include "core/frame/store_slot.h"
#include "core/jobs/entry.h"
#include "core/runs/run_live_state.h"

/* Rows that a store refused are not tried more often than so. */
#define RUN_PROCESS_AGAIN SCHEDD_SECOND

void run_process_drop(struct run_live *live)
{
	if (!live->unwritten)
		return;
	*live->unwritten = live->next_unwritten;
	if (live->next_unwritten)
		live->next_unwritten->unwritten = live->unwritten;
	live->unwritten = NULL;
}

static void run_process_note(struct run_live *live)
{
	struct runs_room *runs = &live->scheduler->runs;

	run_process_drop(live);
	live->next_unwritten = runs->unwritten;
	if (live->next_unwritten)
		live->next_unwritten->unwritten = &live->next_unwritten;
	live->unwritten = &runs->unwritten;
	runs->unwritten = live;
}

/* False: no memory for it. */
static bool run_process_arm(struct schedd_scheduler *scheduler, schedd_span delay)
{
	struct runs_room *runs = &scheduler->runs;

	return timer_is_set(&runs->write) ||
	       timers_set(&scheduler->timers, &runs->write,
		   (struct schedd_mono){scheduler_mono(scheduler).us + delay}) == 0;
}

/* What is on its way to the store says more, or others have the job by now. */
static bool run_process_outdated(const struct run_live *live)
{
	return live->late || (live->stage != RUN_LIVE_RUNNING && live->marked);
}

static bool run_process_can(const struct run_live *live)
{
	return live->stage != RUN_LIVE_MARKING && store_slot_settled(live->store) &&
	       store_slot_ready(live->store, scheduler_mono(live->scheduler));
}

/* Those that their stores refuse come back meanwhile, and wait for the next time. */
static void run_process_write(struct schedd_scheduler *scheduler, bool all)
{
	struct run_live *list = scheduler->runs.unwritten, *live;

	scheduler->runs.unwritten = NULL;
	if (list)
		list->unwritten = &list;
	while ((live = list)) {
		run_process_drop(live);
		if (run_process_outdated(live))
			continue;
		if (all || run_process_can(live))
			store_slot_put_run(live->store, &live->run);
		else
			run_process_note(live);
	}
}

void run_process_write_all(struct schedd_scheduler *scheduler)
{
	run_process_write(scheduler, true);
}

static void run_process_due(struct timer *timer)
{
	struct schedd_scheduler *scheduler = (struct schedd_scheduler *)(void *)((char *)timer -
	    offsetof(struct schedd_scheduler, runs.write));

	run_process_write(scheduler, false);
	if (scheduler->runs.unwritten)
		(void)run_process_arm(scheduler, RUN_PROCESS_AGAIN);
}

/* A run of a job that was removed meanwhile is not looked for: its end says all. */
static void run_process_refused(struct store_slot *store, const struct run *row)
{
	struct entry *entry = entry_get(store->scheduler, row->job);

	for (struct run_live *live = entry ? entry->runs : NULL; live; live = live->next_of_job)
		if (live->run.number == row->number && live->store == store) {
			run_process_note(live);
			(void)run_process_arm(store->scheduler, RUN_PROCESS_AGAIN);
			return;
		}
}

void run_process_init(struct schedd_scheduler *scheduler)
{
	timer_init(&scheduler->runs.write, run_process_due);
	scheduler->run_refused = run_process_refused;
}

void run_process_begun(struct run_live *live)
{
	/* The next attempt may be another process before the first was written. */
	run_process_note(live);
	if (!run_process_arm(live->scheduler, RUN_PROCESS_DELAY))
		run_process_write_all(live->scheduler);
}
