/* SPDX-License-Identifier: MIT */
/* What must hold between a job and the scheduler it comes to. */
#include "core/jobs/job_plan.h"

#include <stdio.h>
#include <string.h>
#include "core/jobs/after.h"
#include "core/jobs/executors.h"
#include "core/jobs/job_account.h"
#include "core/jobs/notify_target.h"
#include "model/job_check.h"

/* A date that passed while the request was under way still counts as now. */
#define JOB_PLAN_TOLERANCE SCHEDD_SECOND

/* Is there an executor of that name that can do it? */
static bool job_plan_suits(
    struct schedd_scheduler *scheduler, const char *name, const struct schedd_job *job)
{
	const struct executor_slot *slot = executors_find(scheduler, name);

	return slot && executor_accepts(slot->executor, job, NULL) == 0;
}

/* A call of no C function: the only executor that would do it, or fallback. */
static const char *job_plan_worker(
    struct schedd_scheduler *scheduler, const struct schedd_job *job, const char *fallback)
{
	const char *only = NULL;

	for (uint32_t i = 0; i < executors_count(scheduler); i++) {
		const struct executor_slot *slot = executors_at(scheduler, i);

		if (slot->removed || executor_accepts(slot->executor, job, NULL))
			continue;
		if (only)
			return fallback;
		only = slot->name;
	}
	return only ? only : fallback;
}

static int job_plan_executor(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct schedd_error *err)
{
	static const char *const others[] = {
	    [JOB_COMMAND] = NULL, [JOB_SHELL] = NULL, [JOB_CALL] = "function", [JOB_HTTP] = "http"};
	const char *other = others[job->kind];

	struct job_details *details;

	if (!other || !job_has_action(job))
		return 0;
	/* An exported job names the executor that it was given here or elsewhere. */
	if (job_details(job)->executor) {
		if (job->kind == JOB_HTTP && strcmp(job_details(job)->executor, other) == 0)
			(void)executors_http(scheduler);
		return 0;
	}
	if (job_plan_suits(scheduler, "default", job))
		return 0;
	if (job->kind == JOB_CALL && !job_plan_suits(scheduler, other, job))
		other = job_plan_worker(scheduler, job, other);
	if (job->kind == JOB_HTTP ? !executors_http(scheduler)
				  : !executors_find(scheduler, other))
		return 0;
	details = job_details_edit(job);
	if (details)
		details->executor = strdup(other);
	return details && details->executor ? 0 : schedd_error_nomem(err);
}

int job_plan_complete(
    struct schedd_scheduler *scheduler, struct schedd_job *job, struct schedd_error *err)
{
	const struct trigger_context *context = scheduler_trigger_context(scheduler);
	struct arena arena;
	struct value map = value_map();
	int rc;

	rc = job_account_settle(job, err);
	if (!rc)
		rc = job_plan_executor(scheduler, job, err);
	if (rc || job->trigger)
		return rc;
	arena_init(&arena);
	if (job_details(job)->after_count) {
		value_put(&arena, &map, "type", value_string_ref("manual"));
	} else {
		value_put(&arena, &map, "type", value_string_ref("date"));
		value_put(&arena, &map, "run_at", value_int(context->now));
	}
	rc = arena_failed(&arena) ? schedd_error_nomem(err)
				  : trigger_from_value(&map, context, &job->trigger, err);
	arena_clear(&arena);
	return rc;
}

int job_plan_check(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    const struct schedd_job *old, struct schedd_error *err)
{
	const struct executor_slot *executor =
	    executors_find(scheduler, job_executor(job));
	int rc = job_check(job, err);

	if (rc)
		return rc;
	if (!executor || executor->removed)
		return schedd_error_set(
		    err, SCHEDD_ENOTFOUND, "executor '%s': no such executor", job_executor(job));
	rc = executor_accepts(executor->executor, job, err);
	if (!rc)
		rc = notify_target_check(job, old, err);
	return rc ? rc : after_check(scheduler, job, err);
}

static int job_plan_never(const struct schedd_job *job, schedd_time now, struct schedd_error *err)
{
	struct strbuf text = STRBUF_EMPTY;
	schedd_time past = trigger_latest(job->trigger, SCHEDD_TIME_MIN, now);

	trigger_to_text(job->trigger, &text);
	if (past != SCHEDD_TIME_NONE)
		schedd_error_set(err, SCHEDD_EINVAL,
		    "trigger %s has no run times: all of them lie in the past (use allow_past "
		    "to run it at once)",
		    strbuf_peek(&text));
	else
		schedd_error_set(
		    err, SCHEDD_EINVAL, "trigger %s has no run times", strbuf_peek(&text));
	strbuf_clear(&text);
	return SCHEDD_EINVAL;
}

/* A trigger that has ended: may its last time still be run? */
static schedd_time job_plan_past(
    const struct schedd_trigger *trigger, schedd_time now, unsigned flags)
{
	schedd_time from =
	    flags & SCHEDULER_ADD_ALLOW_PAST ? SCHEDD_TIME_MIN : now - JOB_PLAN_TOLERANCE;

	return trigger_latest(trigger, from, now);
}

int job_plan_first(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    schedd_time now, struct job_state *state, bool given, unsigned flags, struct schedd_error *err)
{
	schedd_time fire = trigger_next(job->trigger, now);

	if (given && !state->paused) {
		state->next_fire = state->next_run_time;
		return 0;
	}
	if (fire == SCHEDD_TIME_NONE && trigger_has_clock(job->trigger))
		fire = job_plan_past(job->trigger, now, flags);
	if (fire == SCHEDD_TIME_NONE && trigger_has_clock(job->trigger) &&
	    !trigger_events(job->trigger))
		return job_plan_never(job, now, err);
	state->next_fire = fire;
	state->next_run_time =
	    state->paused ? SCHEDD_TIME_NONE : job_plan_run_time(scheduler, job, fire, now);
	return 0;
}

bool job_plan_ended(const struct entry *entry, const struct schedd_job *job, schedd_time now,
    struct job_state *state)
{
	if (!entry->state.finished || !trigger_equal(entry->job->trigger, job->trigger) ||
	    trigger_next(job->trigger, now) != SCHEDD_TIME_NONE)
		return false;
	state->finished = job_details(job)->keep;
	state->next_fire = state->next_run_time = SCHEDD_TIME_NONE;
	return true;
}

void job_plan_id(
    struct schedd_scheduler *scheduler, const char *before, char *id, size_t size)
{
	/* Digits and letters that cannot be taken for one another. */
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

	do {
		uint64_t random = scheduler_random(scheduler);
		char text[11];

		for (int i = 0; i < 10; i++, random >>= 5)
			text[i] = letters[random & 31];
		text[10] = '\0';
		snprintf(id, size, "%sj-%s", before, text);
	} while (entry_find(scheduler, id));
}

schedd_time job_plan_run_time(struct schedd_scheduler *scheduler, const struct schedd_job *job,
    schedd_time fire, schedd_time now)
{
	if (fire == SCHEDD_TIME_NONE)
		return fire;
	return trigger_jittered(job->trigger, fire, now, scheduler_random(scheduler));
}

schedd_span job_plan_grace(const struct schedd_scheduler *scheduler, const struct schedd_job *job)
{
	schedd_span grace = job_details(job)->misfire_grace_time;

	return grace != SCHEDD_SPAN_NONE ? grace : scheduler->settings.misfire_grace_time;
}
