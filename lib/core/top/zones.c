/* SPDX-License-Identifier: MIT */
/* The rules of time zones change under a scheduler that runs. */
#include <stdlib.h>
#include "core/jobs/entry.h"
#include "core/jobs/entry_raw.h"
#include "core/jobs/job_plan.h"

/*
 * Is what is planned the trigger's own next time? What was asked for in its
 * stead stays, and so does what is due or being claimed: its time has come by
 * the old rules.
 */
static bool zones_follow(const struct entry *entry, schedd_time now)
{
	const struct job_state *state = &entry->state;

	return !entry->busy && !entry->hidden && !state->invalid && state->next_fire > now &&
	       trigger_next(entry->job->trigger, now) == state->next_fire;
}

/* Jobs whose trigger names another next time by the new rules are planned anew. */
static void zones_replan(struct schedd_scheduler *scheduler, const bool *follow, schedd_time now)
{
	uint32_t position = 0, index = 0;
	struct entry *entry;

	scheduler_enter(scheduler);
	while ((entry = entry_walk(scheduler, &position))) {
		struct job_state *state = &entry->state;
		schedd_time fire =
		    follow[index++] ? trigger_next(entry->job->trigger, now) : state->next_fire;

		if (fire == state->next_fire)
			continue;
		state->next_fire = fire;
		if (!state->paused)
			state->next_run_time = job_plan_run_time(scheduler, entry->job, fire, now);
		entry_plan(scheduler, entry);
	}
	scheduler_leave(scheduler);
}

int scheduler_refresh_zones(struct schedd_scheduler *scheduler)
{
	const struct zone *old = scheduler->zone.zone;
	bool *follow = calloc(entry_count_all(scheduler) + 1, sizeof(*follow));
	schedd_time now = scheduler_now(scheduler);
	uint32_t position = 0, index = 0;
	struct entry *entry;
	int changed;

	while (follow && (entry = entry_walk(scheduler, &position)))
		follow[index++] = zones_follow(entry, now);
	changed = zone_cache_refresh(scheduler->zones);
	if (zone_local_find(scheduler->zones, scheduler->timezone, getenv("TZ"), "",
		&scheduler->zone, NULL) == 0 &&
	    scheduler->zone.zone != old)
		changed++;
	scheduler_trigger_context(scheduler);
	if (changed && follow)
		zones_replan(scheduler, follow, now);
	free(follow);
	/* A zone that was missing may be there now. */
	entry_raw_retry(scheduler);
	return changed;
}
