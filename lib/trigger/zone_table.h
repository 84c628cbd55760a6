/* SPDX-License-Identifier: MIT */
/*
 * What is known of one zone: the changes its file lists, and the rule for all
 * times after them. Immutable once made, one block of memory, so that two of
 * them can be compared byte by byte.
 */
#ifndef SCHEDD_TRIGGER_ZONE_TABLE_H
#define SCHEDD_TRIGGER_ZONE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "trigger/zone.h"

/* Every offset is nearer to UTC than this many seconds (26 hours). */
#define ZONE_OFFSET_LIMIT 93600

/* A kind of local time. Unused bytes are 0. */
struct zone_type {
	int32_t offset;       /* seconds east of UTC */
	bool dst;             /* is it called daylight saving? */
	char abbreviation[8]; /* NUL-terminated, cut if longer */
};

/* How a day of change is named in a POSIX TZ string. */
enum zone_day_form {
	ZONE_DAY_JULIAN,  /* Jn: day 1..365, 29 February is never counted */
	ZONE_DAY_ORDINAL, /* n: day 0..365, 29 February is counted */
	ZONE_DAY_WEEKDAY, /* Mm.w.d: the w-th weekday d of month m, 5 = the last */
};

/* One of the two yearly changes. Unused fields are 0. */
struct zone_day {
	enum zone_day_form form;
	int16_t day;  /* JULIAN and ORDINAL: the number; WEEKDAY: 0 = Sunday .. 6 */
	int8_t month; /* WEEKDAY: 1..12 */
	int8_t week;  /* WEEKDAY: 1..5 */
	int32_t time; /* seconds after that day's midnight, -167..167 hours */
};

/* A POSIX TZ string. Unused bytes are 0. */
struct zone_rule {
	bool present;              /* is there a rule at all? */
	bool changes;              /* does it change twice a year? If not, only standard counts */
	struct zone_type standard; /* outside of daylight saving */
	struct zone_type daylight; /* from start to end of each year, or to end of the next */
	struct zone_day start;     /* of daylight saving, in standard time */
	struct zone_day end;       /* of it, in daylight time */
};

/*
 * times is followed in the same block by types (zone_table_types) and by one
 * index into them per stretch (zone_table_kinds).
 */
struct zone_table {
	size_t size;           /* bytes of the whole block */
	struct zone_rule rule; /* holds from the last time on; with count 0 always */
	uint32_t count;        /* changes listed */
	uint32_t type_count;   /* 0..256; 0 only with count 0 and a rule */
	int64_t times[];       /* first second of the stretch after each change, ascending */
};

/* An unfilled table, zeroed, to be freed with free(); NULL: no memory. */
struct zone_table *zone_table_new(uint32_t count, uint32_t type_count);

static inline const struct zone_type *zone_table_types(const struct zone_table *table)
{
	return (const struct zone_type *)(table->times + table->count);
}

/* count + 1 indices: kinds[0] is the type before the first change. */
static inline const uint8_t *zone_table_kinds(const struct zone_table *table)
{
	return (const uint8_t *)(zone_table_types(table) + table->type_count);
}

/* The stretch that holds second. */
void zone_table_span(const struct zone_table *table, int64_t second, struct zone_span *out);
/* As zone_wall. */
void zone_table_wall(const struct zone_table *table, int64_t wall, struct zone_wall *out);
/* Do both say the same of every instant? */
bool zone_table_equal(const struct zone_table *a, const struct zone_table *b);

#endif
