/* SPDX-License-Identifier: MIT */
/* What other rooms are told of a run, and what they may change of it. */
#include "core/runs/run_live_state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "executor/adopted.h"
#include "executor/executor.h"
#include "executor/output.h"

/* ---- What it is ---- */

const char *run_live_id(const struct run_live *live)
{
	return live->id;
}

const struct run *run_live_run(const struct run_live *live)
{
	return &live->run;
}

struct schedd_job *run_live_job(const struct run_live *live)
{
	return live->job;
}

struct entry *run_live_entry(const struct run_live *live)
{
	return live->entry;
}

struct schedd_scheduler *run_live_scheduler(const struct run_live *live)
{
	return live->scheduler;
}

struct store_slot *run_live_store(const struct run_live *live)
{
	return live->store;
}

const struct executor_slot *run_live_executor(const struct run_live *live)
{
	return live->executor;
}

struct output *run_live_output(const struct run_live *live)
{
	return live->output;
}

enum run_live_stage run_live_stage(const struct run_live *live)
{
	return live->stage;
}

schedd_time run_live_due_at(const struct run_live *live)
{
	return live->due_at;
}

const char *run_live_secrets(const struct run_live *live)
{
	return live->secrets;
}

bool run_live_is_forced(const struct run_live *live)
{
	return live->forced;
}

bool run_live_is_late(const struct run_live *live)
{
	return live->late;
}

bool run_live_is_left(const struct run_live *live)
{
	return live->held_by_dead;
}

bool run_live_is_stopped(const struct run_live *live)
{
	return live->stop != RUN_LIVE_GOES_ON;
}

bool run_live_can_let_go(const struct run_live *live)
{
	return live->stage == RUN_LIVE_RUNNING && live->task &&
	       executor_can_release(live->executor->executor);
}

struct run_live *run_live_next(const struct run_live *live)
{
	return live->next;
}

struct run_live *run_live_next_of_job(const struct run_live *live)
{
	return live->next_of_job;
}

/* ---- What becomes of it ---- */

void run_live_plan(struct run_live *live, schedd_time scheduled_at, schedd_time due_at)
{
	live->run.scheduled_at = scheduled_at;
	live->due_at = due_at;
}

void run_live_coalesce(struct run_live *live, uint64_t coalesced)
{
	live->run.coalesced = coalesced;
}

void run_live_ask(struct run_live *live, bool forced, struct job_pairs env, char *actor)
{
	live->forced = forced;
	live->extra_env = env;
	live->run.actor = actor;
}

void run_live_begin_anew(struct run_live *live, schedd_time due_at)
{
	live->run.pid = 0;
	live->due_at = due_at;
}

void run_live_hold(struct run_live *live, bool held)
{
	live->held = held;
}

struct run_live *run_live_claimed_next(const struct run_live *live)
{
	return live->next_claimed;
}

void run_live_claimed_link(struct run_live *live, struct run_live *next)
{
	live->next_claimed = next;
}

void run_live_quiet(struct run_live *live)
{
	timers_unset(&live->scheduler->timers, &live->timer);
}

void run_live_tell_late(struct run_live *live)
{
	live->late = true;
}

int run_live_kill(struct run_live *live, struct schedd_error *err)
{
	return live->task ? executor_signal(live->task, SIGKILL, err) : 0;
}

int run_live_adopt(struct run_live *live, const struct run *row, const char *invocation,
    void (*ended)(void *live), struct schedd_error *err)
{
	int rc = run_live_take(live, row);

	if (!rc)
		live->adopted = adopted_new(live->scheduler->loop, row->pid, row->pid_start, live->id,
		    invocation, ended, live, err);
	if (rc || !live->adopted)
		return rc ? rc : err->code;
	invocation_place(live->scheduler, invocation, live->secrets);
	live->held_by_dead = true;
	return 0;
}

static void run_live_close_output(struct run_live *live)
{
	output_finish(live->output);
	if (output_error(live->output))
		log_warn(live->scheduler->log, "run %s: its output is not kept: %s", live->id,
		    output_error(live->output));
	live->run.output_bytes = output_written(live->output);
	live->run.output_dropped = output_dropped(live->output);
}

void run_live_close(struct run_live *live, enum run_state state, const char *reason)
{
	struct run *run = &live->run;

	run->state = state;
	run->ended_at = live->scheduler->seen = scheduler_now(live->scheduler);
	if (run->started_at != SCHEDD_TIME_NONE && run->ended_at < run->started_at)
		run->ended_at = run->started_at; /* the clock was put back meanwhile */
	if (reason) {
		free(run->reason);
		run->reason = strdup(reason);
	}
	if (live->output)
		run_live_close_output(live);
}
