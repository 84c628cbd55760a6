/* SPDX-License-Identifier: MIT */
/* From the request to stop until no run is left and all rows are stored. */
#include "core/top/drain.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include "core/frame/store_await.h"
#include "core/frame/store_slot.h"
#include "core/keep/notify.h"
#include "core/share/share.h"
#include "core/runs/mark.h"
#include "core/runs/run_live.h"
#include "core/runs/run_process.h"
#include "core/runs/run_stop.h"
#include "core/top/handover.h"

/* How long a freed scheduler waits for processes it has killed: turns of milliseconds. */
#define DRAIN_ABANDON_TURNS 100
#define DRAIN_ABANDON_WAIT 50

static struct schedd_scheduler *drain_owner(struct timer *timer)
{
	return (struct schedd_scheduler *)(void *)((char *)timer -
						   offsetof(struct schedd_scheduler, top.drain.limit));
}

/* Does it stay when all is done? */
static bool drain_leaves(const struct schedd_scheduler *scheduler, const struct run_live *live)
{
	if (run_live_is_left(live) || run_live_survives(live))
		return true;
	if (scheduler->top.drain.how == SCHEDULER_DRAIN_DETACH)
		return run_live_stage(live) != RUN_LIVE_CLAIMING && run_live_stage(live) != RUN_LIVE_STARTING;
	return scheduler->top.drain.how == SCHEDULER_DRAIN_HAND_OVER && handover_can(live);
}

/* The limit is over: whatever still runs gets its kill_signal, then SIGKILL. */
static void drain_end_runs(struct timer *timer)
{
	struct schedd_scheduler *scheduler = drain_owner(timer);
	struct run_live *live, *next;
	struct schedd_error err;

	scheduler->top.drain.ending = true;
	for (live = run_live_first(scheduler); live; live = next) {
		next = run_live_next(live);
		if (drain_leaves(scheduler, live) || run_live_waits(live) ||
		    run_live_stage(live) == RUN_LIVE_ENDED)
			continue;
		if (run_stop(live, RUN_LIVE_SHUTDOWN, 0, "schedd was stopped", &err))
			log_warn(scheduler->log, "run %s: %s", run_live_id(live), err.message);
	}
}

void drain_init(struct schedd_scheduler *scheduler)
{
	timer_init(&scheduler->top.drain.limit, drain_end_runs);
}

/*
 * Runs that wait for their turn will not get it here; claims under way settle
 * first. The next life takes up those that a durable store has.
 */
static void drain_cancel_waiting(struct schedd_scheduler *scheduler)
{
	struct run_live *live, *next;

	for (live = run_live_first(scheduler); live; live = next) {
		next = run_live_next(live);
		if (!run_live_waits(live) || run_live_survives(live))
			continue;
		if (run_live_stage(live) == RUN_LIVE_RETRYING)
			run_live_end(
			    live, RUN_FAILED, "schedd was stopped before the next attempt");
		else
			run_live_end(live, RUN_CANCELLED, "schedd was stopped before it began");
		next = run_live_first(scheduler);
	}
}

static bool drain_done(const struct schedd_scheduler *scheduler)
{
	for (const struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		if (!drain_leaves(scheduler, live))
			return false;
	/* Within the limit the last ends are still told. */
	return scheduler->top.drain.ending || !notify_busy(scheduler);
}

/* How long servers are waited for, all together, when all is over. */
#define DRAIN_STORE_LIMIT (5 * SCHEDD_SECOND)

static void drain_save(struct schedd_scheduler *scheduler)
{
	struct store_slot *slot = store_slot_find(scheduler, "default");
	struct store_batch *batch = slot ? store_batch_new(slot->store) : NULL;
	const struct schedd_clock *clock = schedd_clock_system();
	int64_t end = clock->mono(clock->context).us + DRAIN_STORE_LIMIT, left;

	share_close_all(scheduler);
	run_process_write_all(scheduler);
	store_slot_flush_all(scheduler);
	share_leave(scheduler);
	if (batch) {
		event_ring_say(scheduler, SCHEDD_EVENT_SCHEDULER_SHUTDOWN, NULL, NULL, NULL);
		event_ring_save(scheduler, batch);
		store_batch_ends(batch);
		store_batch_put_number(batch, STORE_SLOT_ALIVE_KEY, scheduler_now(scheduler));
		store_commit(slot->store, batch, NULL, NULL);
	}
	for (uint32_t i = 0; i < scheduler->store_count; i++) {
		struct store_slot *each = scheduler->stores[i];

		store_slot_again(each);
		left = end - clock->mono(clock->context).us;
		(void)store_flush(each->store,
		    !store_remote(each->store) ? SCHEDD_SPAN_NONE : left > 0 ? left : 0);
		/* Who waits for an end is told of it before all is over. */
		store_await_give_up(each);
	}
}

void drain_review(struct schedd_scheduler *scheduler)
{
	struct scheduler_reply reply = scheduler->top.drain.reply;

	if (scheduler->phase != SCHEDULER_DRAINING)
		return;
	mark_undo_all(scheduler);
	drain_cancel_waiting(scheduler);
	share_drain(scheduler);
	if (!drain_done(scheduler))
		return;
	scheduler->phase = SCHEDULER_STOPPED;
	timers_unset(&scheduler->timers, &scheduler->top.drain.limit);
	drain_save(scheduler);
	scheduler->top.drain.reply = (struct scheduler_reply){NULL, NULL};
	scheduler_answer(reply, 0, NULL, NULL);
}

static void drain_set_limit(struct schedd_scheduler *scheduler, schedd_span limit)
{
	struct schedd_mono when = {scheduler_mono(scheduler).us + limit};

	if (scheduler->top.drain.ending)
		return;
	if (limit == SCHEDD_SPAN_NONE) {
		timers_unset(&scheduler->timers, &scheduler->top.drain.limit);
	} else if (limit <= 0) {
		timers_unset(&scheduler->timers, &scheduler->top.drain.limit);
		drain_end_runs(&scheduler->top.drain.limit);
	} else if (timers_set(&scheduler->timers, &scheduler->top.drain.limit, when)) {
		log_error(scheduler->log, "no memory for the limit of the stop");
	}
}

void scheduler_drain(struct schedd_scheduler *scheduler, schedd_span limit,
    enum scheduler_drain_how how, struct scheduler_reply reply)
{
	struct scheduler_reply earlier = scheduler->top.drain.reply;

	if (scheduler->phase == SCHEDULER_STOPPED || scheduler->phase == SCHEDULER_NEW) {
		scheduler_answer(reply, 0, NULL, NULL);
		return;
	}
	scheduler_enter(scheduler);
	scheduler->phase = SCHEDULER_DRAINING;
	scheduler->top.drain.how = how;
	scheduler->handing_over = how == SCHEDULER_DRAIN_HAND_OVER;
	scheduler->top.drain.reply = reply;
	/* A second request replaces the first one's limit; both are answered. */
	scheduler_answer(earlier, 0, NULL, NULL);
	if (how != SCHEDULER_DRAIN_DETACH)
		drain_set_limit(scheduler, limit);
	scheduler_leave(scheduler);
}

/* Processes go on without us; nobody reads what they write. */
static void drain_let_go(struct schedd_scheduler *scheduler)
{
	struct arena arena;

	arena_init(&arena);
	for (struct run_live *live = run_live_first(scheduler); live; live = run_live_next(live))
		if (run_live_can_let_go(live))
			run_live_let_go(live, &arena);
	arena_clear(&arena);
}

void drain_abandon(struct schedd_scheduler *scheduler)
{
	struct run_live *live, *next;
	struct schedd_error err;

	if (!run_live_attempts(scheduler))
		return;
	if (scheduler->phase == SCHEDULER_STOPPED &&
	    scheduler->top.drain.how == SCHEDULER_DRAIN_DETACH) {
		drain_let_go(scheduler);
		return;
	}
	scheduler->phase = SCHEDULER_DRAINING;
	for (live = run_live_first(scheduler); live; live = next) {
		next = run_live_next(live);
		if (run_live_kill(live, &err))
			log_warn(scheduler->log, "run %s: %s", run_live_id(live), err.message);
	}
	for (int i = 0; i < DRAIN_ABANDON_TURNS && run_live_attempts(scheduler); i++)
		if (!scheduler->loop_owned ||
		    schedd_loop_dispatch(scheduler->loop, DRAIN_ABANDON_WAIT) < 0)
			return;
}
