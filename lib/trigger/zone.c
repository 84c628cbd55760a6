/* SPDX-License-Identifier: MIT */
/* The handle: each question goes to the table that is in place at that moment. */
#include "trigger/zone.h"

#include "trigger/zone_handle.h"

static const struct zone_table zone_utc_table = {
    .size = sizeof(struct zone_table),
    .rule = {.present = true, .standard = {.abbreviation = "UTC"}},
};

static const struct zone zone_utc_handle = {.table = &zone_utc_table, .name = "UTC"};

static const struct zone_table *zone_table(const struct zone *zone)
{
	return atomic_load_explicit(&zone->table, memory_order_acquire);
}

const struct zone *zone_utc(void)
{
	return &zone_utc_handle;
}

const char *zone_name(const struct zone *zone)
{
	return zone->name;
}

bool zone_equal(const struct zone *a, const struct zone *b)
{
	return a == b || zone_table_equal(zone_table(a), zone_table(b));
}

void zone_span_at(const struct zone *zone, int64_t second, struct zone_span *out)
{
	zone_table_span(zone_table(zone), second, out);
}

int32_t zone_offset(const struct zone *zone, int64_t second)
{
	struct zone_span span;

	zone_table_span(zone_table(zone), second, &span);
	return span.offset;
}

void zone_wall(const struct zone *zone, int64_t wall, struct zone_wall *out)
{
	zone_table_wall(zone_table(zone), wall, out);
}
