/* SPDX-License-Identifier: MIT */
/* Every zone of the system's database against the C library's own conversion. */
#include "trigger/zone_table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trigger/zone_names.h"

#define DATABASE "/usr/share/zoneinfo"
#define YEAR_2200 INT64_C(7258118400)
#define YEAR_10000 INT64_C(253402300800)
#define STEP (11 * 86400 + 3607)
#define RANDOM_INSTANTS 2000

/* What is compared, and how much of it there was. */
struct comparison {
	struct zone_cache *cache; /* where zones come from */
	unsigned part, parts;     /* every parts-th zone, from part on */
	unsigned zones;           /* seen so far */
	unsigned seed;            /* of the random instants */
};

static void compare_at(const struct zone *zone, int64_t second)
{
	time_t when = second;
	struct zone_span span;
	struct tm tm;

	cr_assert(localtime_r(&when, &tm));
	zone_span_at(zone, second, &span);
	if (span.begin > second || span.end <= second || span.offset != tm.tm_gmtoff ||
	    span.dst != (tm.tm_isdst > 0) || strncmp(span.abbreviation, tm.tm_zone, 7) != 0)
		cr_assert_fail("%s at %lld: %d %s %d, the C library: %ld %s %d", zone_name(zone),
		    (long long)second, span.offset, span.abbreviation, span.dst, tm.tm_gmtoff,
		    tm.tm_zone, tm.tm_isdst);
}

/* The reading of an instant must lead back to it. */
static void check_reading(const struct zone *zone, int64_t second)
{
	struct zone_wall wall;

	zone_wall(zone, second + zone_offset(zone, second), &wall);
	if (wall.kind == ZONE_GAP || (wall.first != second && wall.second != second) ||
	    (wall.kind == ZONE_FOLD) != (wall.first != wall.second) || wall.first > wall.second)
		cr_assert_fail("%s: the reading of %lld leads to %lld and %lld", zone_name(zone),
		    (long long)second, (long long)wall.first, (long long)wall.second);
}

static void compare_changes(const struct zone *zone)
{
	static const int64_t beside[] = {-86400, -3600, -1800, -2, -1, 0, 1, 2, 1799, 3600, 86400};
	struct zone_span span;

	zone_span_at(zone, 0, &span);
	while (span.end < YEAR_2200) {
		int64_t change = span.end;

		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
			if (change + beside[i] < 0)
				continue;
			compare_at(zone, change + beside[i]);
			check_reading(zone, change + beside[i]);
		}
		zone_span_at(zone, change, &span);
		cr_assert_eq(span.begin, change);
	}
}

static bool compare_zone(void *context, const char *name)
{
	struct comparison *comparison = context;
	const struct zone *zone;
	char tz[ZONE_NAME_MAX + 2];

	if (comparison->zones++ % comparison->parts != comparison->part)
		return false;
	cr_assert_eq(zone_cache_get(comparison->cache, name, &zone, NULL), 0, "%s", name);
	snprintf(tz, sizeof(tz), ":%s", name);
	setenv("TZ", tz, 1);
	tzset();
	compare_changes(zone);
	/* Strides that know nothing of our changes find those that we would miss. */
	for (int64_t second = 0; second < YEAR_2200; second += STEP)
		compare_at(zone, second);
	for (int i = 0; i < RANDOM_INSTANTS; i++) {
		uint64_t random =
		    (uint64_t)rand_r(&comparison->seed) << 31 ^ (uint64_t)rand_r(&comparison->seed);

		compare_at(zone, (int64_t)(random % YEAR_10000));
		check_reading(zone, (int64_t)(random % YEAR_10000));
	}
	return false;
}

static void compare_part(unsigned part)
{
	struct comparison comparison = {
	    .cache = zone_cache_new(DATABASE), .part = part, .parts = 2, .seed = part + 1};

	cr_assert(comparison.cache);
	zone_names_walk(DATABASE, compare_zone, &comparison);
	cr_assert_gt(comparison.zones, 300);
	zone_cache_free(comparison.cache);
}

Test(zone_table, agrees_with_the_c_library_in_every_other_zone)
{
	compare_part(0);
}

Test(zone_table, agrees_with_the_c_library_in_the_rest_of_the_zones)
{
	compare_part(1);
}

/* A table whose offsets, in minutes, follow each other at the given instants. */
static struct zone_table *table_of(const int64_t *times, const int *minutes, uint32_t count)
{
	struct zone_table *table = zone_table_new(count, count + 1);

	cr_assert(table);
	memcpy(table->times, times, count * sizeof(*times));
	for (uint32_t i = 0; i <= count; i++) {
		((struct zone_type *)zone_table_types(table))[i].offset = minutes[i] * 60;
		((uint8_t *)zone_table_kinds(table))[i] = (uint8_t)i;
	}
	return table;
}

/* Looks at every instant of the window instead of at changes. */
static void expect_wall(const struct zone_table *table, int64_t wall)
{
	int64_t first = INT64_MIN, last = INT64_MIN, passed = INT64_MIN;
	struct zone_span span;
	struct zone_wall out;

	for (int64_t at = wall - 42000; at < wall + 42000; at += 60) {
		zone_table_span(table, at, &span);
		if (at + span.offset > wall && passed == INT64_MIN)
			passed = at;
		if (at + span.offset != wall)
			continue;
		first = first == INT64_MIN ? at : first;
		last = at;
	}
	zone_table_wall(table, wall, &out);
	if (first == INT64_MIN) {
		cr_assert_eq(out.kind, ZONE_GAP);
		cr_assert_eq(out.change, passed);
		zone_table_span(table, passed - 1, &span);
		cr_assert_eq(out.first, wall - span.offset);
		return;
	}
	cr_assert_eq(out.kind, first == last ? ZONE_UNIQUE : ZONE_FOLD);
	cr_assert_eq(out.first, first);
	cr_assert_eq(out.second, last);
	cr_assert(out.kind == ZONE_UNIQUE || (out.change > first && out.change <= last));
}

Test(zone_table, reads_walls_where_changes_crowd)
{
	unsigned seed = 5;

	for (int round = 0; round < 100; round++) {
		int64_t times[6];
		int minutes[7];
		struct zone_table *table;

		for (int i = 0; i < 7; i++)
			minutes[i] = rand_r(&seed) % 25 * 10 - 120;
		times[0] = 0;
		for (int i = 1; i < 6; i++)
			times[i] = times[i - 1] + 600 * (1 + rand_r(&seed) % 20);
		table = table_of(times, minutes, 6);
		for (int64_t wall = -12000; wall < times[5] + 12000; wall += 600)
			expect_wall(table, wall);
		free(table);
	}
}
