/* SPDX-License-Identifier: MIT */
/*
 * Daylight saving of a year is an interval from its start in that year to its
 * end in the same year or, south of the equator, in the next one. Intervals
 * that touch or overlap are one; what lies between them is standard time.
 */
#include "trigger/zone_rule.h"

#include <string.h>

#include "base/civil.h"

#define DAY_SECONDS 86400
/* Years beyond these are taken to be as the last ones; the calendar's arithmetic ends soon after.
 */
#define RULE_YEAR_MIN (-32000)
#define RULE_YEAR_MAX 32000
#define GREGORIAN_CYCLE 400

/* Daylight saving from begin to before end. Empty if they are equal. */
struct rule_interval {
	int64_t begin;
	int64_t end;
};

static int32_t rule_days(const struct zone_day *day, int32_t year)
{
	int32_t first, forward;

	if (day->form == ZONE_DAY_ORDINAL)
		return civil_days(year, 1, 1) + day->day;
	if (day->form == ZONE_DAY_JULIAN)
		return civil_days(year, 1, 1) + day->day - 1 +
		       (day->day >= 60 && civil_is_leap(year));
	first = civil_days(year, day->month, 1);
	forward = (day->day - civil_weekday(first) + 7) % 7 + (day->week - 1) * 7;
	if (forward >= civil_month_length(year, day->month))
		forward -= 7;
	return first + forward;
}

static int64_t rule_instant(const struct zone_day *day, int32_t year, int32_t offset)
{
	return (int64_t)rule_days(day, year) * DAY_SECONDS + day->time - offset;
}

static struct rule_interval rule_interval(const struct zone_rule *rule, int32_t year)
{
	struct rule_interval interval;

	interval.begin = rule_instant(&rule->start, year, rule->standard.offset);
	interval.end = rule_instant(&rule->end, year, rule->daylight.offset);
	if (interval.end < interval.begin)
		interval.end = rule_instant(&rule->end, year + 1, rule->daylight.offset);
	return interval;
}

static void rule_answer(
    const struct zone_type *type, int64_t begin, int64_t end, struct zone_span *out)
{
	out->begin = begin;
	out->end = end;
	out->offset = type->offset;
	out->dst = type->dst;
	memcpy(out->abbreviation, type->abbreviation, sizeof(out->abbreviation));
}

void zone_rule_span(const struct zone_rule *rule, int64_t second, struct zone_span *out)
{
	const int64_t first = (int64_t)civil_days(RULE_YEAR_MIN, 1, 1) * DAY_SECONDS;
	const int64_t last = (int64_t)civil_days(RULE_YEAR_MAX, 1, 1) * DAY_SECONDS;
	struct rule_interval daylight, next;
	struct civil civil;

	if (!rule->changes) {
		rule_answer(&rule->standard, INT64_MIN, INT64_MAX, out);
		return;
	}
	if (second < first || second >= last) {
		rule_answer(&rule->standard, second < first ? INT64_MIN : last,
		    second < first ? first : INT64_MAX, out);
		return;
	}
	civil_from_seconds(second, &civil);
	daylight = rule_interval(rule, civil.year - 2);
	for (int32_t year = civil.year - 1; year <= civil.year + 2; year++) {
		next = rule_interval(rule, year);
		if (next.begin <= daylight.end) {
			if (next.end > daylight.end)
				daylight.end = next.end;
			continue;
		}
		if (second < daylight.end)
			break;
		if (second < next.begin) {
			rule_answer(&rule->standard, daylight.end, next.begin, out);
			return;
		}
		daylight = next;
	}
	if (second < daylight.end)
		rule_answer(&rule->daylight, daylight.begin, daylight.end, out);
	else
		rule_answer(&rule->standard, daylight.end, second + DAY_SECONDS, out);
}

void zone_rule_settle(struct zone_rule *rule)
{
	bool daylight = false, standard = false;

	for (int32_t year = 2000; year < 2000 + GREGORIAN_CYCLE && !(daylight && standard);
	     year++) {
		struct rule_interval interval = rule_interval(rule, year);

		daylight |= interval.begin < interval.end;
		standard |= interval.end < rule_interval(rule, year + 1).begin;
	}
	if (!rule->changes || (daylight && standard))
		return;
	if (daylight)
		memcpy(&rule->standard, &rule->daylight, sizeof(rule->standard));
	rule->changes = false;
	memset(&rule->daylight, 0, sizeof(rule->daylight));
	memset(&rule->start, 0, sizeof(rule->start));
	memset(&rule->end, 0, sizeof(rule->end));
}
