/* SPDX-License-Identifier: MIT */
/*
 * The way into the executor and back. Here the grace time is measured: it
 * counts until the run really starts, waiting in queues included.
 */
#include "core/runs/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/duration.h"
#include "core/frame/store_slot.h"
#include "core/jobs/executors.h"
#include "core/jobs/job_plan.h"
#include "core/runs/account_hold.h"
#include "core/runs/admission.h"
#include "core/runs/mark.h"
#include "core/runs/invocation.h"
#include "core/runs/output_place.h"
#include "core/runs/retry.h"
#include "core/runs/run_live_state.h"
#include "core/runs/run_process.h"
#include "core/runs/run_stop.h"
#include "store/store_share.h"

/* Starting goes on so long before the loop has its turn: a thousand processes take a second. */
#define DISPATCH_SLICE (20 * (schedd_span)1000)
/* Starts between two looks at the clock, which costs as much as calling a C function. */
#define DISPATCH_STRIDE 8
/* True: it is too late, and the run is over. */
static bool dispatch_too_late(struct run_live *live, schedd_time now)
{
	schedd_span grace = job_plan_grace(live->scheduler, live->job);
	struct strbuf reason = STRBUF_EMPTY;

	if (grace == SCHEDD_SPAN_NONE || live->due_at == SCHEDD_TIME_NONE ||
	    live->run.attempt > 1 || now - live->due_at <= grace)
		return false;
	strbuf_add(&reason, "waited ");
	duration_format(&reason, now - live->due_at);
	strbuf_add(&reason, " for its turn, misfire_grace_time is ");
	duration_format(&reason, grace);
	run_live_end(live, RUN_MISSED, strbuf_peek(&reason));
	strbuf_clear(&reason);
	return true;
}

/* The attempt's time is over. */
static void dispatch_timed_out(struct timer *timer)
{
	struct run_live *live = run_live_of_timer(timer);
	struct strbuf reason = STRBUF_EMPTY;
	struct schedd_error err;

	strbuf_add(&reason, "timeout after ");
	duration_format(&reason, job_details(live->job)->timeout);
	if (run_stop(live, RUN_LIVE_TIMED_OUT, 0, strbuf_peek(&reason), &err))
		log_warn(live->scheduler->log, "run %s: %s", live->id, err.message);
	strbuf_clear(&reason);
}

static void dispatch_arm(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	schedd_span timeout = job_details(live->job)->timeout;

	if (timeout == SCHEDD_SPAN_NONE || live->stop != RUN_LIVE_GOES_ON)
		return;
	if (timers_turn(&scheduler->timers, &live->timer, dispatch_timed_out,
		(struct schedd_mono){scheduler_mono(scheduler).us + timeout}))
		log_error(scheduler->log, "run %s: no memory for its timeout", live->id);
}

static void dispatch_started(pid_t pid, uint64_t pid_start, void *context)
{
	struct run_live *live = context;
	struct schedd_scheduler *scheduler = live->scheduler;

	scheduler_enter(scheduler);
	live->run.pid = pid;
	live->run.pid_start = pid_start;
	run_live_enter(live, RUN_LIVE_RUNNING);
	if (executor_can_restart(live->executor->executor))
		dispatch_arm(live);
	if (!live->announced) {
		live->announced = true;
		run_live_event(live, SCHEDD_EVENT_RUN_STARTED, live->run.attempt_started, NULL);
	}
	if (pid > 0 && live->store->durable)
		run_process_begun(live);
	scheduler_leave(scheduler);
}

/* It is at its executor and has not begun: it is queued as any other, on disk too. */
static void dispatch_waits(void *context)
{
	struct run_live *live = context;
	struct schedd_scheduler *scheduler = live->scheduler;

	scheduler_enter(scheduler);
	scheduler->runs.running_count--;
	scheduler->counts.started--;
	if (live->run.attempt <= 1)
		live->run.started_at = SCHEDD_TIME_NONE;
	live->run.attempt_started = SCHEDD_TIME_NONE;
	live->in_time = true;
	run_live_enter(live, RUN_LIVE_WAIT_WORKER);
	admission_unmark(live);
	scheduler_leave(scheduler);
}

/* One that was queued meanwhile is started anew, behind its mark. */
static bool dispatch_begins(void *context)
{
	struct run_live *live = context;
	struct schedd_scheduler *scheduler = live->scheduler;

	if (live->stage != RUN_LIVE_WAIT_WORKER)
		return true;
	scheduler_enter(scheduler);
	run_live_withdraw(live);
	admission_return(live);
	scheduler_leave(scheduler);
	return false;
}

static void dispatch_measure(struct run_live *live, const struct task_result *result)
{
	struct run *run = &live->run;

	run->exit_code = result->exit_code;
	run->signal = result->signal;
	run->cpu_us += result->cpu_us;
	free(run->result);
	run->result = result->value ? strdup(result->value) : NULL;
	if (result->value && !run->result)
		log_error(live->scheduler->log, "no memory for what %s/%u returned", run->job, run->number);
	if (result->max_rss > run->max_rss)
		run->max_rss = result->max_rss;
	if (live->output) {
		run->output_bytes = output_written(live->output);
		run->output_dropped = output_dropped(live->output);
	}
}

static void dispatch_done(const struct task_result *result, void *context)
{
	struct run_live *live = context;
	struct schedd_scheduler *scheduler = live->scheduler;

	scheduler_enter(scheduler);
	live->task = NULL;
	scheduler->runs.running_count -= live->stage != RUN_LIVE_WAIT_WORKER;
	timers_unset(&scheduler->timers, &live->timer);
	dispatch_measure(live, result);
	if (!account_hold_take(live, result))
		retry_judge(live, result);
	scheduler_leave(scheduler);
}

/* Until when it may still begin: its grace time counts until it does. */
static schedd_time dispatch_start_by(const struct run_live *live)
{
	schedd_span grace = job_plan_grace(live->scheduler, live->job);

	if (grace == SCHEDD_SPAN_NONE || live->due_at == SCHEDD_TIME_NONE || live->run.attempt > 1)
		return SCHEDD_TIME_NONE;
	return live->due_at + grace;
}

static void dispatch_request(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;

	if (live->job->kind == JOB_COMMAND || live->job->kind == JOB_SHELL)
		invocation_make(scheduler, live->id, live->run.scheduled_at, live->invocation);
	if (job_details(live->job)->secrets.count)
		invocation_place(scheduler, live->invocation, live->secrets);
	live->request = (struct task_request){.job = live->job,
	    .run_id = live->id,
	    .scheduled_at = live->run.scheduled_at,
	    .attempt = live->run.attempt,
	    .extra_env = live->extra_env.count ? &live->extra_env : NULL,
	    .socket = scheduler->socket,
	    .invocation = live->invocation[0] ? live->invocation : NULL,
	    .epoch = live->store->shared ? live->store->epoch : 0,
	    .secrets = live->secrets[0] ? live->secrets : NULL,
	    .output = live->output,
	    .start_by = dispatch_start_by(live),
	    .time = &scheduler->trigger,
	    .started = dispatch_started,
	    .waits = dispatch_waits,
	    .begins = dispatch_begins,
	    .done = dispatch_done,
	    .context = live};
}

static void dispatch_prepare(struct run_live *live, schedd_time now)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct run *run = &live->run;

	live->run.attempt_started = now;
	if (run->started_at == SCHEDD_TIME_NONE) {
		run->started_at = now;
		if (live->due_at != SCHEDD_TIME_NONE && now > live->due_at) {
			scheduler->counts.lateness_sum += now - live->due_at;
			histogram_add(&scheduler->counts.delays, now - live->due_at);
			if (now - live->due_at > scheduler->counts.lateness_max)
				scheduler->counts.lateness_max = now - live->due_at;
		}
	}
	run->exit_code = -1;
	run->signal = 0;
	run->pid = 0;
	if (!live->output &&
	    (live->job->kind != JOB_CALL || executor_has_output(live->executor->executor)))
		live->output = output_place_open(live);
	dispatch_request(live);
}

/* True: the attempt is over already. */
static bool dispatch_start_at(struct run_live *live, schedd_time now)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	struct task *task;

	if (!live->in_time && dispatch_too_late(live, now))
		return false;
	dispatch_prepare(live, now);
	run_live_enter(live, RUN_LIVE_STARTING);
	scheduler->counts.started++;
	scheduler->runs.running_count++;
	live->announced = live->run.attempt > 1;
	/* A call may wait for its worker to start, which is not the function's time. */
	if (!executor_can_restart(live->executor->executor))
		dispatch_arm(live);
	/* NULL: done() was called already and the run may be gone. */
	task = executor_start(live->executor->executor, &live->request);
	if (task)
		live->task = task;
	return !task;
}

void dispatch_start(struct run_live *live)
{
	(void)dispatch_start_at(live, scheduler_now(live->scheduler));
}

int dispatch_resume(struct run_live *live, const struct value *from, struct schedd_mono timer,
    struct schedd_error *err)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	int rc = 0;

	if (!live->executor)
		return schedd_error_set(err, SCHEDD_ENOTFOUND, "executor %s: no such executor",
		    job_executor(live->job));
	dispatch_request(live);
	live->task = executor_resume(live->executor->executor, &live->request, from, err);
	if (!live->task)
		return err->code;
	scheduler->runs.running_count++;
	admission_resume(live, true);
	run_live_enter(live, RUN_LIVE_RUNNING);
	if (timer.us == INT64_MAX)
		return 0;
	if (live->stop != RUN_LIVE_GOES_ON) {
		rc = run_stop_kill_later(live, timer);
	} else {
		rc = timers_turn(&scheduler->timers, &live->timer, dispatch_timed_out, timer);
	}
	if (rc)
		log_error(scheduler->log, "run %s: no memory for its timeout", live->id);
	return 0;
}

static bool dispatch_worker_free(const struct executor_slot *slot)
{
	uint32_t max = executor_max_workers(slot->executor);

	return !max || executor_busy(slot->executor) + slot->marking < max;
}

/* Starts of one turn of the loop. */
struct dispatch_slice {
	struct schedd_scheduler *scheduler;
	schedd_span end; /* 0: none was made yet */
	uint32_t started;
	bool over; /* the one before ended at once: scheduler.seen is when this one begins */
};

/*
 * A look at the clock costs as much as a short function: the end of one is the begin of the next,
 * unless somebody was told in between, which may take any time.
 */
static void dispatch_next(struct dispatch_slice *slice, struct executor_slot *slot)
{
	struct schedd_scheduler *scheduler = slice->scheduler;
	bool known = slice->over && !scheduler->events.wanted;
	schedd_time now = known ? scheduler->seen : scheduler_now(scheduler);

	scheduler->seen = SCHEDD_TIME_NONE;
	slice->over = dispatch_start_at(admission_next(slot), now) &&
		      scheduler->seen != SCHEDD_TIME_NONE;
}

/* The next one is to be marked first: false if it has to wait for those before it. */
static bool dispatch_mark(struct executor_slot *slot, struct marks **marks)
{
	struct run_live *live;

	if (slot->marking >= MARKS_MAX)
		return false;
	live = admission_next(slot);
	if (store_slot_ready(live->store, scheduler_mono(live->scheduler)))
		mark_take(live, marks);
	else
		mark_stall(live);
	return true;
}

static bool dispatch_leased(const struct run_live *live)
{
	return store_leased(live->store->store, live->store->epoch);
}

/* What of one executor has its turn; false: that is enough for now. */
static bool dispatch_slot(
    struct executor_slot *slot, struct dispatch_slice *slice, struct marks **marks)
{
	struct schedd_scheduler *scheduler = slice->scheduler;
	struct heap_node *node;

	while ((node = heap_peek(&slot->ready, NULL)) && dispatch_worker_free(slot)) {
		/* The last look before it begins: another node may have its job by now. */
		if (!dispatch_leased(run_live_of_queue(node))) {
			mark_stall(admission_next(slot));
			continue;
		}
		if (!run_live_of_queue(node)->marked) {
			if (!dispatch_mark(slot, marks))
				return true;
			continue;
		}
		if (slice->started++ % DISPATCH_STRIDE == 0) {
			schedd_span now = scheduler_mono(scheduler).us;

			scheduler->start_again = slice->end && now >= slice->end;
			if (scheduler->start_again)
				return false;
			slice->end = slice->end ? slice->end : now + DISPATCH_SLICE;
		}
		dispatch_next(slice, slot);
		if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused)
			return false;
	}
	return true;
}

void dispatch_start_ready(struct schedd_scheduler *scheduler)
{
	struct dispatch_slice slice = {.scheduler = scheduler};
	struct marks *marks = NULL;

	if (scheduler->phase != SCHEDULER_RUNNING || scheduler->paused || scheduler->start_again)
		return;
	mark_unstall(scheduler);
	for (uint32_t i = 0; i < executors_count(scheduler); i++)
		if (!dispatch_slot(executors_at(scheduler, i), &slice, &marks))
			break;
	mark_commit(&marks);
}
