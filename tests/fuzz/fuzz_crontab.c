/* SPDX-License-Identifier: MIT */
/* Every line of any crontab is taken as a job with an id of its own, or skipped with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobfile/crontab.h"
#include "model/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size, bool system)
{
	struct trigger_context context = {.seed = 1, .now = SCHEDD_DAY, .zone = zone_utc()};
	struct diagnostics skipped, notes;
	struct value jobs = value_array();
	struct arena arena;
	int rc;

	arena_init(&arena);
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	rc = crontab_read(
	    "f", (const char *)data, size, system, &context, &arena, &jobs, &skipped, &notes);
	if ((rc != 0) != (skipped.count > 0))
		abort();
	for (uint32_t i = 0; i < jobs.array.count; i++) {
		const char *id = value_get_string(&jobs.array.items[i], "id");

		if (!job_id_valid(id))
			abort();
		for (uint32_t k = 0; k < i && i < 50; k++)
			if (strcmp(id, value_get_string(&jobs.array.items[k], "id")) == 0)
				abort();
	}
	diagnostics_clear(&skipped);
	diagnostics_clear(&notes);
	arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, false);
	check(data, size, true);
	return 0;
}
