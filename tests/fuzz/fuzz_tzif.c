/* SPDX-License-Identifier: MIT */
/* Whatever is read as a time zone answers each question, and its stretches follow each other. */
#include <stdint.h>
#include <stdlib.h>

#include "trigger/zone_tzif.h"

#define STRETCHES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stretches(const struct zone_table *table, int64_t from)
{
	struct zone_span span;
	struct zone_wall wall;

	zone_table_span(table, from, &span);
	for (int i = 0; i < STRETCHES_MAX; i++) {
		int64_t end = span.end;

		if (span.begin >= end || span.offset <= -ZONE_OFFSET_LIMIT ||
		    span.offset >= ZONE_OFFSET_LIMIT)
			abort();
		if (end > INT64_C(1) << 50 || end < -(INT64_C(1) << 50))
			return;
		zone_table_wall(table, end + span.offset, &wall);
		if (wall.first > wall.second && wall.kind != ZONE_GAP)
			abort();
		zone_table_wall(table, end + span.offset - 1, &wall);
		if (wall.kind == ZONE_GAP)
			abort();
		zone_table_span(table, end, &span);
		if (span.end <= end)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t starts[] = {
	    INT64_MIN, -(INT64_C(1) << 40), 0, INT64_C(1767225600), INT64_C(253402300799)};
	struct schedd_error err = {.message = ""};
	struct zone_table *table;

	if (zone_tzif_parse(data, size, &table, &err) < 0) {
		if (!err.message[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		check_stretches(table, starts[i]);
	free(table);
	return 0;
}
