/* SPDX-License-Identifier: MIT */
/* A timer and, behind a NUL, its service: one job that a daemon would take, or a report why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobfile/import_job.h"
#include "jobfile/systemd_timer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone_cache *zones;
	struct trigger_context trigger = {.seed = 1, .now = SCHEDD_DAY, .zone = zone_utc()};
	const char *timer = (const char *)data;
	const char *end = size ? memchr(timer, '\0', size) : NULL;
	size_t timer_length = end ? (size_t)(end - timer) : size;
	const char *service = end ? end + 1 : "";
	struct diagnostics skipped, notes;
	struct value jobs = value_array();
	struct arena arena;
	struct import_job import = {.file = "f",
	    .context = &trigger,
	    .arena = &arena,
	    .jobs = &jobs,
	    .skipped = &skipped,
	    .notes = &notes};
	int rc;

	if (!zones)
		zones = zone_cache_new("/nonexistent");
	trigger.zones = zones;
	arena_init(&arena);
	diagnostics_init(&skipped);
	diagnostics_init(&notes);
	rc = systemd_timer_read(
	    &import, "a.timer", timer, timer_length, service, end ? size - timer_length - 1 : 0);
	if (rc ? skipped.count == 0 : jobs.array.count + skipped.count == 0)
		abort();
	diagnostics_clear(&skipped);
	diagnostics_clear(&notes);
	arena_clear(&arena);
	return 0;
}
