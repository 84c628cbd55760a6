/* SPDX-License-Identifier: MIT */
#include "core/runs/run_process.h"

#include <stddef.h>
#include "core/frame/store_slot.h"
#include "core/runs/run_live_state.h"

void run_process_drop(struct run_live *live)
{
	if (!live->unwritten)
		return;
	*live->unwritten = live->next_unwritten;
	if (live->next_unwritten)
		live->next_unwritten->unwritten = live->unwritten;
	live->unwritten = NULL;
}

void run_process_write_all(struct schedd_scheduler *scheduler)
{
	struct run_live *live;

	while ((live = scheduler->runs.unwritten)) {
		run_process_drop(live);
		store_slot_put_run(live->store, &live->run);
	}
}

static void run_process_due(struct timer *timer)
{
	run_process_write_all((struct schedd_scheduler *)(void *)((char *)timer -
	    offsetof(struct schedd_scheduler, runs.write)));
}

void run_process_init(struct schedd_scheduler *scheduler)
{
	timer_init(&scheduler->runs.write, run_process_due);
}

void run_process_begun(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct runs_room *runs = &scheduler->runs;

	/* The next attempt may be another process before the first was written. */
	run_process_drop(live);
	live->next_unwritten = runs->unwritten;
	if (live->next_unwritten)
		live->next_unwritten->unwritten = &live->next_unwritten;
	live->unwritten = &runs->unwritten;
	runs->unwritten = live;
	if (!timer_is_set(&runs->write) &&
	    timers_set(&scheduler->timers, &runs->write,
		(struct schedd_mono){scheduler_mono(scheduler).us + RUN_PROCESS_DELAY}))
		run_process_write_all(scheduler);
}
