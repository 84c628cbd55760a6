/* SPDX-License-Identifier: MIT */
/* Success codes, retries and their delays. */
#include "core/runs/retry.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "core/runs/admission.h"
#include "core/runs/run_live_state.h"

schedd_span retry_delay(const struct job_details *details, uint32_t attempt)
{
	double delay = (double)details->retry_delay;
	double most = details->retry_max_delay != SCHEDD_SPAN_NONE
			  ? (double)details->retry_max_delay
			  : (double)(365 * SCHEDD_DAY);

	for (uint32_t i = 1; i < attempt && delay < most; i++)
		delay *= details->retry_backoff;
	if (delay > most)
		delay = most;
	return delay < 0 ? 0 : (schedd_span)delay;
}

static enum run_state retry_outcome(const struct run_live *live, const struct task_result *result)
{
	const struct job_details *details = job_details(live->job);

	switch (live->stop) {
	case RUN_LIVE_TIMED_OUT:
		return RUN_TIMEOUT;
	case RUN_LIVE_KILLED:
	case RUN_LIVE_REPLACED:
	case RUN_LIVE_SHUTDOWN:
		return RUN_KILLED;
	case RUN_LIVE_GOES_ON:
		break;
	}
	if (result->lost)
		return RUN_LOST;
	if (!result->started || result->signal || result->exit_code < 0)
		return RUN_FAILED;
	if (details->success_codes.given)
		return job_codes_has(&details->success_codes, result->exit_code) ? RUN_SUCCESS
										 : RUN_FAILED;
	return result->exit_code == 0 ? RUN_SUCCESS : RUN_FAILED;
}

static const char *retry_reason(const struct run_live *live, const struct task_result *result,
    enum run_state outcome, char *text, size_t size)
{
	if (live->stop_reason && outcome != RUN_FAILED)
		return live->stop_reason;
	if (result->reason)
		return result->reason;
	if (result->signal) {
		const char *name = sigabbrev_np(result->signal);

		snprintf(
		    text, size, "ended by signal %d (SIG%s)", result->signal, name ? name : "?");
		return text;
	}
	if (outcome == RUN_FAILED && result->started) {
		snprintf(text, size, "exit code %d", result->exit_code);
		return text;
	}
	return NULL;
}

/* Is there a later? Not for a job that was removed. */
static bool retry_possible(const struct run_live *live)
{
	const struct schedd_scheduler *scheduler = live->scheduler;

	/* After a stop the next life makes it. */
	return live->entry &&
	       (scheduler->phase == SCHEDULER_RUNNING ||
		   (scheduler->phase == SCHEDULER_DRAINING && live->store->durable));
}

static bool retry_wanted(
    const struct run_live *live, const struct task_result *result, enum run_state outcome)
{
	const struct job_details *details = job_details(live->job);

	if (outcome != RUN_FAILED && outcome != RUN_TIMEOUT && outcome != RUN_LOST)
		return false;
	if (live->run.attempt > details->retry_limit || !retry_possible(live))
		return false;
	if (!details->retry_on.given)
		return true;
	return outcome == RUN_FAILED && result->exit_code >= 0 &&
	       job_codes_has(&details->retry_on, result->exit_code);
}

/* Adds the attempt that just ended to the run's list. */
static void retry_remember(struct run_live *live, enum run_state outcome, const char *reason)
{
	struct run *run = &live->run;
	struct strbuf text = STRBUF_EMPTY;
	size_t length = run->attempts ? strlen(run->attempts) : 0;

	if (length > 2) {
		strbuf_add_n(&text, run->attempts, length - 1);
		strbuf_add_char(&text, ',');
	} else {
		strbuf_add_char(&text, '[');
	}
	strbuf_printf(&text,
	    "{\"attempt\":%u,\"state\":\"%s\",\"started_at\":%lld,\"ended_at\":%lld,", run->attempt,
	    run_state_name(outcome), (long long)live->run.attempt_started,
	    (long long)scheduler_now(live->scheduler));
	if (run->exit_code >= 0)
		strbuf_printf(&text, "\"exit_code\":%d,", run->exit_code);
	else
		strbuf_add(&text, "\"exit_code\":null,");
	if (run->signal)
		strbuf_printf(&text, "\"signal\":%d,\"reason\":", run->signal);
	else
		strbuf_add(&text, "\"signal\":null,\"reason\":");
	if (reason)
		json_write_string(&text, reason, strlen(reason));
	else
		strbuf_add(&text, "null");
	strbuf_add(&text, "}]");
	if (!strbuf_failed(&text)) {
		free(run->attempts);
		run->attempts = strbuf_take(&text);
	}
	strbuf_clear(&text);
}

static void retry_due(struct timer *timer)
{
	struct run_live *live = run_live_of_timer(timer);

	admission_again(live);
}

int retry_resume(struct run_live *live, struct schedd_mono when)
{
	struct schedd_scheduler *scheduler = live->scheduler;

	run_live_enter(live, RUN_LIVE_RETRYING);
	if (when.us == INT64_MAX)
		when = scheduler_mono(scheduler);
	return timers_turn(&scheduler->timers, &live->timer, retry_due, when);
}

/* When the last of the attempts of a list ended; SCHEDD_TIME_NONE: it does not say. */
static schedd_time retry_ended_at(const char *attempts)
{
	struct schedd_error err;
	struct value list;
	struct arena arena;
	schedd_time ended = SCHEDD_TIME_NONE;

	if (!attempts)
		return SCHEDD_TIME_NONE;
	arena_init(&arena);
	if (json_parse(attempts, strlen(attempts), &arena, &list, &err) == 0 &&
	    list.type == VALUE_ARRAY && list.array.count)
		ended = value_get_int(
		    &list.array.items[list.array.count - 1], "ended_at", SCHEDD_TIME_NONE);
	arena_clear(&arena);
	return ended;
}

int retry_take_up(struct run_live *live)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	schedd_time now = scheduler_now(scheduler), ended = retry_ended_at(live->run.attempts);
	uint32_t before = live->run.attempt > 1 ? live->run.attempt - 1 : 1;
	schedd_span delay = retry_delay(job_details(live->job), before);

	/* A clock that was put back meanwhile lengthens no delay. */
	if (ended == SCHEDD_TIME_NONE || ended > now)
		ended = now;
	delay -= now - ended;
	return retry_resume(live, (struct schedd_mono){
	    scheduler_mono(scheduler).us + (delay > 0 ? delay : 0)});
}

static void retry_wait(struct run_live *live, enum run_state outcome, const char *reason)
{
	struct schedd_scheduler *scheduler = live->scheduler;
	schedd_span delay = retry_delay(job_details(live->job), live->run.attempt);

	retry_remember(live, outcome, reason);
	run_live_event(live, SCHEDD_EVENT_RUN_RETRYING, scheduler_now(scheduler), reason);
	live->stop = RUN_LIVE_GOES_ON;
	free(live->stop_reason);
	live->stop_reason = NULL;
	live->killing = false;
	live->run.attempt++;
	live->run.attempt_started = SCHEDD_TIME_NONE;
	live->run.pid = 0;
	admission_leave_worker(live);
	run_live_enter(live, RUN_LIVE_RETRYING);
	if (live->store->durable) {
		live->marked = false;
		run_live_write(live);
	}
	if (timers_turn(&scheduler->timers, &live->timer, retry_due,
		(struct schedd_mono){scheduler_mono(scheduler).us + delay}))
		run_live_end(live, outcome, "no memory for another attempt");
}

/* Its job was taken over meanwhile, and the run told as lost: this is how it really ended. */
static void retry_end_late(struct run_live *live, enum run_state outcome, const char *reason)
{
	struct strbuf text = STRBUF_EMPTY;

	strbuf_printf(&text, "this node lost its lease; told late: %s", run_state_name(outcome));
	if (reason)
		strbuf_printf(&text, ", %s", reason);
	run_live_end(live, RUN_LOST, strbuf_peek(&text));
	strbuf_clear(&text);
}

void retry_judge(struct run_live *live, const struct task_result *result)
{
	enum run_state outcome = retry_outcome(live, result);
	char text[96];
	const char *reason = retry_reason(live, result, outcome, text, sizeof(text));

	if (live->late) {
		retry_end_late(live, outcome, reason);
		return;
	}
	if (retry_wanted(live, result, outcome)) {
		retry_wait(live, outcome, reason);
		return;
	}
	/* The run's own times are those of all attempts together. */
	if (live->run.attempt > 1)
		retry_remember(live, outcome, reason);
	run_live_end(live, outcome, reason);
}
