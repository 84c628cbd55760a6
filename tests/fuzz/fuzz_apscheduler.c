/* SPDX-License-Identifier: MIT */
/* Any text is refused, or each of its jobs is taken or reported; those taken have ids of their own.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobfile/apscheduler.h"
#include "model/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ids(const struct value *jobs)
{
	for (uint32_t i = 0; i < jobs->array.count; i++) {
		const char *id = value_get_string(&jobs->array.items[i], "id");

		if (!id || !job_id_valid(id))
			abort();
		for (uint32_t k = 0; k < i; k++)
			if (value_is_text(value_get(&jobs->array.items[k], "id"), id))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone_cache *zones;
	struct trigger_context trigger = {.seed = 1, .now = SCHEDD_DAY, .zone = zone_utc()};
	struct diagnostics skipped, notes;
	struct value jobs = value_array();
	struct arena arena;
	int rc;

	if (!zones)
		zones = zone_cache_new("/nonexistent");
	trigger.zones = zones;
	arena_init(&arena);
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	rc = apscheduler_read(
	    "f", (const char *)data, size, &trigger, &arena, &jobs, &skipped, &notes);
	if (rc && skipped.count == 0)
		abort();
	check_ids(&jobs);
	diagnostics_clear(&skipped);
	diagnostics_clear(&notes);
	arena_clear(&arena);
	return 0;
}
