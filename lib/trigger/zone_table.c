/* SPDX-License-Identifier: MIT */
/*
 * The two questions a zone is asked: which stretch holds an instant, and which
 * instants show a wall-clock reading. Both are answered from the table alone.
 */
#include "trigger/zone_table.h"

#include <stdlib.h>
#include <string.h>

#include "trigger/zone_rule.h"

struct zone_table *zone_table_new(uint32_t count, uint32_t type_count)
{
	size_t size = sizeof(struct zone_table) + count * sizeof(int64_t) +
		      type_count * sizeof(struct zone_type) + (type_count > 0 ? count + 1 : 0);
	struct zone_table *table = calloc(1, size);

	if (!table)
		return NULL;
	table->size = size;
	table->count = count;
	table->type_count = type_count;
	return table;
}

/* How many changes lie at or before second? */
static uint32_t table_position(const struct zone_table *table, int64_t second)
{
	const int64_t *base = table->times;
	uint32_t left = table->count;

	/* The halves differ by an addition, not by a branch that is guessed wrong half the time. */
	while (left > 1) {
		uint32_t half = left / 2;

		base += base[half - 1] <= second ? half : 0;
		left -= half;
	}
	return (uint32_t)(base - table->times) + (left == 1 && *base <= second);
}

void zone_table_span(const struct zone_table *table, int64_t second, struct zone_span *out)
{
	uint32_t position = table_position(table, second);
	const struct zone_type *type;

	if (position == table->count && table->rule.present) {
		zone_rule_span(&table->rule, second, out);
		if (position > 0 && out->begin < table->times[position - 1])
			out->begin = table->times[position - 1];
		return;
	}
	type = &zone_table_types(table)[zone_table_kinds(table)[position]];
	out->begin = position > 0 ? table->times[position - 1] : INT64_MIN;
	out->end = position < table->count ? table->times[position] : INT64_MAX;
	out->offset = type->offset;
	out->dst = type->dst;
	memcpy(out->abbreviation, type->abbreviation, sizeof(out->abbreviation));
}

/* Walks the stretches that could show the reading, from the earliest offset to the latest. */
static void table_wall_search(
    const struct zone_table *table, int64_t wall, struct zone_span *span, struct zone_wall *out)
{
	int64_t gap = INT64_MIN, fold = INT64_MIN;
	int64_t gap_first = wall, gap_second = wall;
	unsigned found = 0;

	zone_table_span(table, wall - ZONE_OFFSET_LIMIT, span);
	for (;;) {
		int64_t instant = wall - span->offset, change = span->end;
		int32_t before = span->offset;

		if (instant >= span->begin && instant < span->end) {
			if (found == 0)
				out->first = instant;
			out->second = instant;
			found++;
		}
		if (change > wall + ZONE_OFFSET_LIMIT)
			break;
		zone_table_span(table, change, span);
		if (gap == INT64_MIN && change + before <= wall && wall < change + span->offset) {
			gap = change;
			gap_first = wall - before;
			gap_second = wall - span->offset;
		}
		if (found > 0 && fold == INT64_MIN && change + span->offset <= wall &&
		    wall < change + before)
			fold = change;
	}
	out->kind = found == 0 ? ZONE_GAP : found == 1 ? ZONE_UNIQUE : ZONE_FOLD;
	out->change = found == 0 ? gap : found == 1 ? out->first : fold;
	if (found == 0) {
		out->first = gap_first;
		out->second = gap_second;
	}
}

void zone_table_wall(const struct zone_table *table, int64_t wall, struct zone_wall *out)
{
	struct zone_span span;

	zone_table_span(table, wall, &span);
	if (span.begin > wall - ZONE_OFFSET_LIMIT || span.end < wall + ZONE_OFFSET_LIMIT) {
		table_wall_search(table, wall, &span, out);
		return;
	}
	/* No change is near: whatever the offset, the instant lies in this stretch. */
	out->kind = ZONE_UNIQUE;
	out->first = out->second = out->change = wall - span.offset;
}

bool zone_table_equal(const struct zone_table *a, const struct zone_table *b)
{
	return a == b || (a->size == b->size && memcmp(a, b, a->size) == 0);
}
