/* SPDX-License-Identifier: MIT */
/*
 * First what is too late is set apart, then what is left is coalesced: so a
 * run never stands for a time that its grace time had already given up.
 */
#include "core/jobs/misfire.h"

#include <string.h>

static schedd_time misfire_next(const struct schedd_trigger *trigger, schedd_time after)
{
	if (!trigger || after >= SCHEDD_TIME_MAX)
		return SCHEDD_TIME_NONE;
	return trigger_next(trigger, after + 1);
}

/* The fire times from first (which need not be the trigger's) to until. */
static struct misfire_span misfire_span_of(
    const struct schedd_trigger *trigger, schedd_time first, schedd_time until)
{
	struct misfire_span span = {1, first, first};

	if (trigger && first < until) {
		span.count += trigger_count(trigger, first + 1, until, UINT64_MAX - 1);
		if (span.count > 1)
			span.last = trigger_latest(trigger, first + 1, until);
	}
	return span;
}

/* Steps back from the last due time to where max runs begin; the older ones are dropped. */
static void misfire_cap(
    const struct schedd_trigger *trigger, struct misfire_plan *plan, uint32_t max)
{
	schedd_time fire = plan->due.last;

	for (uint32_t i = 1; i < max; i++)
		fire = trigger_latest(trigger, plan->due.first, fire - 1);
	plan->dropped.count = plan->due.count - max;
	plan->dropped.first = plan->due.first;
	plan->dropped.last = trigger_latest(trigger, plan->due.first, fire - 1);
	if (plan->dropped.last == SCHEDD_TIME_NONE)
		plan->dropped.last = plan->due.first;
	plan->due.count = max;
	plan->due.first = fire;
	plan->fire = fire;
	plan->runs = max;
}

static void misfire_coalesce(const struct schedd_trigger *trigger,
    const struct misfire_rules *rules, struct misfire_plan *plan)
{
	uint32_t max = rules->catchup_max ? rules->catchup_max : 1;

	plan->runs = 1;
	plan->fire = plan->due.first;
	if (plan->due.count == 1)
		return;
	if (rules->coalesce != JOB_COALESCE_ALL) {
		plan->coalesced = plan->due.count - 1;
		if (rules->coalesce == JOB_COALESCE_LATEST)
			plan->fire = plan->due.last;
	} else if (rules->runs_left < plan->due.count) {
		/* The job ends with these; what comes later is no fire time of it any more. */
		plan->runs = (uint32_t)(rules->runs_left < max ? rules->runs_left : max);
		plan->due.count = plan->runs;
	} else if (plan->due.count > max) {
		misfire_cap(trigger, plan, max);
	} else {
		plan->runs = (uint32_t)plan->due.count;
	}
}

void misfire_plan(const struct schedd_trigger *trigger, schedd_time fire, schedd_time now,
    const struct misfire_rules *rules, struct misfire_plan *plan)
{
	schedd_time cut = SCHEDD_TIME_MIN;

	memset(plan, 0, sizeof(*plan));
	plan->next = misfire_next(trigger, fire);
	if (rules->grace != SCHEDD_SPAN_NONE && rules->grace < now)
		cut = now - rules->grace;
	if (fire >= cut && (plan->next == SCHEDD_TIME_NONE || plan->next > now)) {
		plan->due = (struct misfire_span){1, fire, fire};
		plan->fire = fire;
		plan->runs = 1;
		return;
	}
	if (fire < cut) {
		plan->late = misfire_span_of(trigger, fire, cut - 1);
		fire = trigger ? trigger_next(trigger, cut) : SCHEDD_TIME_NONE;
	}
	plan->next = misfire_next(trigger, now);
	if (fire == SCHEDD_TIME_NONE || fire > now)
		return;
	plan->due = misfire_span_of(trigger, fire, now);
	misfire_coalesce(trigger, rules, plan);
}
