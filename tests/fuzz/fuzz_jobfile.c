/* SPDX-License-Identifier: MIT */
/* Any file is refused with a place and a reason, or its jobs are written and read back as the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "jobfile/jobfile.h"
#include "jobfile/jobfile_write.h"
#include "model/job_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As jobs: what a text comes to is what counts. */
static struct value export(
    const struct value *map, const struct trigger_context *trigger, struct arena *arena)
{
	struct job_fields_context context = {.trigger = trigger};
	struct schedd_job *job = job_new();
	struct value fields = value_nil();
	struct job_state state;

	job_state_init(&state);
	if (job && job_fields_read(job, &state, map, ~0u, &context, NULL) == 0)
		fields = job_fields_export(job, arena);
	job_state_clear(&state);
	job_unref(job);
	return fields;
}

static void check_back(struct jobfile *set, const struct trigger_context *trigger)
{
	struct strbuf out = STRBUF_EMPTY;
	struct diagnostics diagnostics;
	uint32_t count = set->jobs.array.count;
	struct jobfile again;

	jobfile_init(&again);
	diagnostics_init(&diagnostics);
	jobfile_write_begin(&out, JOBFILE_YAML, set->owner);
	for (uint32_t i = 0; i < count; i++)
		jobfile_write_job(&out, JOBFILE_YAML, &set->jobs.array.items[i], i);
	jobfile_write_end(&out, JOBFILE_YAML, count);
	if (jobfile_read(&again, "f", out.data, out.length, trigger, &diagnostics) ||
	    again.jobs.array.count != count)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		struct value one = export(&set->jobs.array.items[i], trigger, &again.arena);
		struct value two = export(&again.jobs.array.items[i], trigger, &again.arena);

		if (!value_equal(&one, &two))
			abort();
	}
	strbuf_clear(&out);
	jobfile_clear(&again);
	diagnostics_clear(&diagnostics);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone_cache *zones;
	struct trigger_context trigger = {.seed = 1, .now = SCHEDD_DAY, .zone = zone_utc()};
	struct diagnostics diagnostics;
	struct jobfile set;
	int rc;

	if (!zones)
		zones = zone_cache_new("/nonexistent");
	trigger.zones = zones;
	jobfile_init(&set);
	diagnostics_init(&diagnostics);
	rc = jobfile_read(&set, "f", (const char *)data, size, &trigger, &diagnostics);
	if (rc ? diagnostics.count == 0 : diagnostics.count != 0)
		abort();
	if (!rc)
		check_back(&set, &trigger);
	diagnostics_clear(&diagnostics);
	jobfile_clear(&set);
	return 0;
}
