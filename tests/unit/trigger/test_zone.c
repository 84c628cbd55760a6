/* SPDX-License-Identifier: MIT */
#include "trigger/zone.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/civil.h"

static struct zone_cache *cache;

static void open_cache(void)
{
	cache = zone_cache_new(NULL);
	cr_assert(cache);
}

static void close_cache(void)
{
	zone_cache_free(cache);
}

TestSuite(zone, .init = open_cache, .fini = close_cache);

static const struct zone *zone_of(const char *name)
{
	const struct zone *zone = NULL;
	struct schedd_error err = {.message = ""};

	cr_assert_eq(zone_cache_get(cache, name, &zone, &err), 0, "%s: %s", name, err.message);
	return zone;
}

static int64_t wall_of(int year, int month, int day, int hour, int minute)
{
	struct civil civil = {.year = year,
	    .month = (int8_t)month,
	    .day = (int8_t)day,
	    .hour = (int8_t)hour,
	    .minute = (int8_t)minute};

	return civil_seconds(&civil);
}

/* A wall-clock reading, and what a zone makes of it. */
struct wall_case {
	const char *zone;         /* its name */
	int year, month, day;     /* the reading */
	int hour, minute;         /* the reading's time */
	enum zone_wall_kind kind; /* what it is */
	int first, second;        /* offsets in minutes at which the two instants are counted */
};

static const struct wall_case wall_cases[] = {
    {"Europe/Berlin", 2026, 3, 29, 2, 30, ZONE_GAP, 60, 120},
    {"Europe/Berlin", 2026, 3, 29, 3, 0, ZONE_UNIQUE, 120, 120},
    {"Europe/Berlin", 2026, 10, 25, 2, 30, ZONE_FOLD, 120, 60},
    {"Europe/Berlin", 2026, 10, 25, 3, 0, ZONE_UNIQUE, 60, 60},
    {"Europe/Berlin", 2126, 3, 31, 2, 0, ZONE_GAP, 60, 120},
    {"Europe/Berlin", 9998, 10, 25, 2, 0, ZONE_FOLD, 120, 60},
    {"Australia/Lord_Howe", 2026, 4, 5, 1, 45, ZONE_FOLD, 660, 630},
    {"Australia/Lord_Howe", 2026, 10, 4, 2, 15, ZONE_GAP, 630, 660},
    {"Australia/Lord_Howe", 2026, 10, 4, 2, 30, ZONE_UNIQUE, 660, 660},
    {"Europe/Dublin", 2026, 3, 29, 1, 30, ZONE_GAP, 0, 60},
    {"Europe/Dublin", 2026, 10, 25, 1, 30, ZONE_FOLD, 60, 0},
    {"America/Sao_Paulo", 2018, 11, 4, 0, 0, ZONE_GAP, -180, -120},
    {"America/Sao_Paulo", 2018, 2, 17, 23, 30, ZONE_FOLD, -120, -180},
    {"Asia/Beirut", 2026, 3, 29, 0, 0, ZONE_GAP, 120, 180},
    {"Pacific/Apia", 2011, 12, 30, 12, 0, ZONE_GAP, -600, 840},
    {"Pacific/Apia", 2011, 12, 31, 0, 0, ZONE_UNIQUE, 840, 840},
    {"Pacific/Kwajalein", 1993, 8, 21, 12, 0, ZONE_GAP, -720, 720},
    {"America/New_York", 2026, 11, 1, 1, 0, ZONE_FOLD, -240, -300},
    {"UTC", 2026, 3, 29, 2, 30, ZONE_UNIQUE, 0, 0},
};

Test(zone, tells_gaps_and_folds_from_plain_readings)
{
	for (size_t i = 0; i < sizeof(wall_cases) / sizeof(wall_cases[0]); i++) {
		const struct wall_case *c = &wall_cases[i];
		int64_t wall = wall_of(c->year, c->month, c->day, c->hour, c->minute);
		struct zone_wall out;

		zone_wall(zone_of(c->zone), wall, &out);
		cr_expect_eq(out.kind, c->kind, "%s case %zu: kind %d", c->zone, i, out.kind);
		cr_expect_eq(out.first, wall - c->first * 60, "%s case %zu", c->zone, i);
		cr_expect_eq(out.second, wall - c->second * 60, "%s case %zu", c->zone, i);
	}
}

/* Every reading is right if it is so at each stretch's ends and beside them. */
static void check_stretches(const struct zone *zone, int64_t from, int64_t until)
{
	struct zone_span span, next;

	zone_span_at(zone, from, &span);
	while (span.end < until) {
		zone_span_at(zone, span.end, &next);
		cr_assert_eq(next.begin, span.end, "%s", zone_name(zone));
		cr_assert_gt(next.end, next.begin);
		for (int64_t at = span.end - 2; at <= span.end + 2; at++) {
			int32_t offset = at < span.end ? span.offset : next.offset;
			struct zone_wall wall;

			cr_assert_eq(zone_offset(zone, at), offset);
			zone_wall(zone, at + offset, &wall);
			cr_assert_neq(wall.kind, ZONE_GAP);
			cr_assert(wall.first == at || (wall.kind == ZONE_FOLD && wall.second == at),
			    "%s at %ld", zone_name(zone), at);
		}
		span = next;
	}
}

Test(zone, gives_back_the_instant_on_both_sides_of_each_change)
{
	for (size_t i = 0; i < sizeof(wall_cases) / sizeof(wall_cases[0]); i++)
		check_stretches(zone_of(wall_cases[i].zone), INT64_MIN / 4, INT64_C(253402300799));
}

Test(zone, knows_names_in_any_case_and_guesses_the_mistyped)
{
	static const char *const bad[][2] = {
	    {"Europe/Berln", "'Europe/Berlin'"},
	    {"Berlin", "'Europe/Berlin'"},
	    {"new york", "'America/New_York'"},
	    {"../../etc/passwd", "unknown"},
	    {"/etc/localtime", "unknown"},
	    {"Europe", "unknown"},
	    {"zone.tab", "TZif"},
	    {"", "empty"},
	    {"UTC+2", "Etc/GMT-2"},
	};
	const struct zone *zone;
	struct schedd_error err;

	cr_assert_str_eq(zone_name(zone_of("europe/BERLIN")), "Europe/Berlin");
	cr_assert_eq(zone_of("europe/BERLIN"), zone_of("Europe/Berlin"));
	cr_assert_eq(zone_of("utc"), zone_utc());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(zone_cache_get(cache, bad[i][0], &zone, &err), SCHEDD_EINVAL);
		cr_expect(strstr(err.message, bad[i][1]), "%s: %s", bad[i][0], err.message);
	}
}

/* The changes that are listed up to 2100 and those of the rule behind them are the same. */
Test(zone, far_years_follow_the_rule_of_the_file)
{
	static const char *const rules[][2] = {
	    {"Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"},
	    {"America/New_York", "EST5EDT,M3.2.0,M11.1.0"},
	    {"Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1"},
	    {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct zone *named = zone_of(rules[i][0]), *rule = zone_of(rules[i][1]);
		struct zone_span a, b;

		for (int64_t at = wall_of(2038, 1, 1, 0, 0); at < wall_of(2120, 1, 1, 0, 0);
		     at = a.end) {
			zone_span_at(named, at, &a);
			zone_span_at(rule, at, &b);
			cr_assert(a.begin == b.begin && a.end == b.end && a.offset == b.offset &&
				      a.dst == b.dst,
			    "%s at %lld: %lld..%lld %d %d, %lld..%lld %d %d", rules[i][0],
			    (long long)at, (long long)a.begin, (long long)a.end, a.offset, a.dst,
			    (long long)b.begin, (long long)b.end, b.offset, b.dst);
			cr_assert_str_eq(a.abbreviation, b.abbreviation);
		}
	}
}
