/* SPDX-License-Identifier: MIT */
/* What becomes of fire times that are due: runs, rows, and the job's next time. */
#include "core/changes/due.h"

#include <stdio.h>
#include <string.h>
#include "base/duration.h"
#include "core/jobs/downtime.h"
#include "core/jobs/job_plan.h"
#include "core/runs/admission.h"

/* Why fire times up to last could not be run: the daemon was down, the scheduler paused, or busy.
 */
static const char *due_late_reason(struct schedd_scheduler *scheduler, const struct entry *entry,
    const struct misfire_span *span, char *text, size_t size)
{
	struct strbuf reason = STRBUF_EMPTY;

	if (span->first < scheduler->started_at && scheduler->down_since != SCHEDD_TIME_NONE) {
		downtime_reason(
		    scheduler, scheduler->down_since, scheduler->started_at, text, size);
		return text;
	}
	if (scheduler->paused_why && span->last >= scheduler->paused_at) {
		snprintf(text, size, "%s", scheduler->paused_why);
		return text;
	}
	strbuf_add(&reason, "later than its misfire_grace_time ");
	duration_format(&reason, job_plan_grace(scheduler, entry->job));
	snprintf(text, size, "%s", strbuf_peek(&reason));
	strbuf_clear(&reason);
	return text;
}

__attribute__((noinline)) static int due_rows(struct claim *claim, const struct misfire_plan *plan, const char *why)
{
	struct entry *entry = claim->entry;
	struct schedd_scheduler *scheduler = entry->store->scheduler;
	char text[256];
	int rc = 0;

	if (plan->late.count)
		rc = claim_row(claim, RUN_MISSED, &plan->late,
		    why ? why : due_late_reason(scheduler, entry, &plan->late, text, sizeof(text)),
		    SCHEDD_EVENT_JOB_MISSED);
	if (!rc && plan->dropped.count) {
		snprintf(text, sizeof(text), "more than %u runs to catch up",
		    scheduler->settings.catchup_max);
		rc = claim_row(claim, RUN_MISSED, &plan->dropped, text, SCHEDD_EVENT_JOB_MISSED);
	}
	return rc;
}

__attribute__((noinline)) static int due_skip(struct claim *claim, const struct misfire_plan *plan)
{
	char reason[256];

	admission_reason(claim->entry, reason, sizeof(reason));
	return claim_row(
	    claim, RUN_SKIPPED, &plan->due, reason, SCHEDD_EVENT_JOB_MAX_INSTANCES);
}

static int due_runs(
    struct claim *claim, const struct misfire_plan *plan, schedd_span slack, const char *why)
{
	struct entry *entry = claim->entry;
	const struct schedd_scheduler *scheduler = entry->store->scheduler;
	schedd_time fire = plan->fire;

	for (uint32_t i = 0; i < plan->runs; i++) {
		bool catchup = why || fire < scheduler->started_at || i + 1 < plan->runs;
		struct run_live *live = claim_run(
		    claim, catchup ? RUN_BY_CATCHUP : RUN_BY_SCHEDULE, fire, fire + slack);

		if (!live)
			return SCHEDD_ENOMEM;
		if (i == 0)
			run_live_coalesce(live, plan->coalesced);
		claim->run_count++;
		if (i + 1 < plan->runs)
			fire = trigger_next(entry->job->trigger, fire + 1);
	}
	return 0;
}

int due_plan(struct claim_batch *batch, struct entry *entry, schedd_time now, const char *why)
{
	struct schedd_scheduler *scheduler = batch->scheduler;
	const struct schedd_job *job = entry->job;
	const struct job_details *details = job_details(job);
	const struct job_state *state = &entry->state;
	schedd_time fire =
	    state->next_fire != SCHEDD_TIME_NONE ? state->next_fire : state->next_run_time;
	/* Jitter delays a run; lateness counts from where it was moved to. While it was paused nothing
	 * was planned: it was due at its fire time. */
	schedd_span slack = state->next_run_time != SCHEDD_TIME_NONE ? state->next_run_time - fire : 0;
	struct misfire_rules rules = {.grace = job_plan_grace(scheduler, job),
	    .coalesce = (enum job_coalesce)details->coalesce,
	    .catchup_max = scheduler->settings.catchup_max,
	    .runs_left = details->max_runs ? details->max_runs - state->run_count : UINT64_MAX};
	struct claim *claim = claim_add(batch, entry);
	struct misfire_plan plan;
	int rc = 0;

	if (rules.grace != SCHEDD_SPAN_NONE && slack > 0)
		rules.grace += slack;
	misfire_plan(job->trigger, fire, now > fire ? now : fire, &rules, &plan);
	if (plan.late.count || plan.dropped.count)
		rc = due_rows(claim, &plan, why);
	if (!rc && plan.runs)
		rc = admission_judge(entry) == ADMISSION_SKIP
			 ? due_skip(claim, &plan)
			 : due_runs(claim, &plan, slack, why);
	if (details->max_runs && claim->run_count >= details->max_runs)
		plan.next = SCHEDD_TIME_NONE;
	claim->next_fire = plan.next;
	claim->next_run_time = job_plan_run_time(scheduler, job, plan.next, now);
	return rc;
}
