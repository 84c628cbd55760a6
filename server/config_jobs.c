/* SPDX-License-Identifier: MIT */
#include "server/config_jobs.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "server/config_defaults.h"
#include "trigger/zone_local.h"

/* ---- Reading ---- */

static int config_jobs_read(const struct config *config, struct jobfile *set,
    struct zone_cache *zones, struct diagnostics *diagnostics, struct schedd_error *err)
{
	const struct schedd_clock *clock = schedd_clock_system();
	struct zone_local local;
	int rc = zone_local_find(zones, config->timezone, getenv("TZ"), "", &local, err);

	for (const char *const *path = config->jobs; !rc && path && *path; path++) {
		const struct trigger_context context = {
		    .zones = zones, .zone = local.zone, .now = clock->wall(clock->context)};

		if (jobfile_load(set, *path, &context, diagnostics) == SCHEDD_ENOMEM)
			rc = schedd_error_nomem(err);
	}
	return rc ? rc : diagnostics_error(diagnostics, err);
}

int config_jobs_load(const struct config *config, struct jobfile *set, struct schedd_error *err)
{
	struct zone_cache *zones = zone_cache_new(NULL);
	struct diagnostics diagnostics;
	int rc;

	jobfile_init(set);
	set->guarded = true;
	diagnostics_init(&diagnostics);
	rc = zones ? config_jobs_read(config, set, zones, &diagnostics, err)
		   : schedd_error_nomem(err);
	for (uint32_t i = 0; !rc && i < set->jobs.array.count; i++)
		config_defaults_fill(config, &set->jobs.array.items[i], &set->arena);
	diagnostics_clear(&diagnostics);
	zone_cache_free(zones);
	return rc;
}

/* ---- Applying ---- */

struct config_jobs {
	const struct schedd_log *log;
	config_jobs_fn done;
	void *context;
	uint32_t counts[3]; /* of config_jobs_actions */
};

static const char *const config_jobs_actions[] = {"added", "changed", "removed"};

static void config_jobs_done(
    struct config_jobs *jobs, int rc, const struct schedd_error *err, uint32_t changes)
{
	jobs->done(rc, err, changes, jobs->context);
	free(jobs);
}

static bool config_jobs_row(struct value *row, void *context)
{
	struct config_jobs *jobs = context;
	const char *error = value_get_string(row, "error");

	if (error)
		log_warn(jobs->log, "job %s of the config is left out: %s",
		    value_get_string(row, "id"), error);
	for (int k = 0; k < 3; k++)
		jobs->counts[k] += value_is_text(value_get(row, "action"), config_jobs_actions[k]);
	return true;
}

/* Says what came of the jobs; how many have changed. */
static uint32_t config_jobs_say(const struct config_jobs *jobs)
{
	const uint32_t *counts = jobs->counts;

	if (counts[0] + counts[1] + counts[2] > 0)
		log_info(jobs->log, "jobs of the config: %u added, %u changed, %u removed",
		    counts[0], counts[1], counts[2]);
	return counts[0] + counts[1] + counts[2];
}

static void config_jobs_replied(
    int rc, const struct schedd_error *err, const struct value *result, void *context)
{
	struct config_jobs *jobs = context;

	(void)result;
	if (rc) {
		log_error(jobs->log, "the jobs of the config are as they were: %s", err->message);
		config_jobs_done(jobs, rc, err, 0);
	} else {
		config_jobs_done(jobs, 0, NULL, config_jobs_say(jobs));
	}
}

void config_jobs_apply(struct schedd_scheduler *scheduler, const struct schedd_log *log,
    const struct jobfile *set, const struct scheduler_actor *actor, config_jobs_fn done,
    void *context)
{
	struct config_jobs *jobs = malloc(sizeof(*jobs));
	const struct scheduler_apply apply = {.jobs = &set->jobs,
	    .owner = CONFIG_JOBS_OWNER,
	    .prune = true,
	    .skip = true,
	    .row = config_jobs_row,
	    .each_context = jobs};
	struct schedd_error err;

	if (!jobs) {
		schedd_error_nomem(&err);
		done(SCHEDD_ENOMEM, &err, 0, context);
		return;
	}
	*jobs = (struct config_jobs){.log = log, .done = done, .context = context};
	scheduler_apply(scheduler, &apply, actor,
	    (struct scheduler_reply){.call = config_jobs_replied, .context = jobs});
}
