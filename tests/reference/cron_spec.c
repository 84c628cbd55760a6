/* SPDX-License-Identifier: MIT */
/* What matches a description: the rules once more, as slowly and plainly as they can be put. */
#include "reference/cron_spec.h"

static const int minima[SPEC_FIELDS] = {0, 0, 0, 1, 1, 0, 1970, 1};
static const int maxima[SPEC_FIELDS] = {59, 59, 23, 31, 12, 6, 9999, 53};

int cron_spec_min(enum cron_dialect dialect, enum spec_field field)
{
	return minima[field] + (field == SPEC_WEEKDAY && dialect == CRON_QUARTZ);
}

int cron_spec_max(enum cron_dialect dialect, enum spec_field field)
{
	return maxima[field] + (field == SPEC_WEEKDAY && dialect == CRON_QUARTZ);
}

/* The dialect's number of a weekday; 0 is Sunday. */
static int weekday_number(enum cron_dialect dialect, int weekday)
{
	if (dialect == CRON_QUARTZ)
		return weekday + 1;
	if (dialect == CRON_FIELDS || dialect == CRON_ONCALENDAR)
		return (weekday + 6) % 7;
	return weekday;
}

static bool value_matches(
    const struct cron_spec *spec, enum spec_field field, const struct spec_item *item, int value)
{
	int min = cron_spec_min(spec->dialect, field), max = cron_spec_max(spec->dialect, field);
	int steps = 0;

	switch (item->kind) {
	case SPEC_ALL:
	case SPEC_OPEN:
		return true;
	case SPEC_EVERY:
		return (value - min) % item->step == 0;
	case SPEC_VALUE:
		return value == item->first;
	case SPEC_FROM:
		return value >= item->first && (value - item->first) % item->step == 0;
	case SPEC_RANGE:
		for (int at = item->first;; at = at == max ? min : at + 1, steps++) {
			if (at == value && steps % item->step == 0)
				return true;
			if (at == item->last)
				return false;
		}
	default:
		return false;
	}
}

static int nearest_working_day(int day, const struct wall_day *date)
{
	int weekday = ((date->weekday + day - date->day) % 7 + 7) % 7;

	if (weekday == 6)
		return day > 1 ? day - 1 : 3;
	if (weekday == 0)
		return day < date->length ? day + 1 : day - 2;
	return day;
}

static bool date_item_matches(const struct cron_spec *spec, enum spec_field field,
    const struct spec_item *item, const struct wall_day *date)
{
	int weekday = weekday_number(spec->dialect, date->weekday);
	int from_end = date->length - date->day + 1;

	switch (item->kind) {
	case SPEC_FROM_END:
		return date->day == date->length - item->first;
	case SPEC_END_RANGE:
		return from_end >= item->first && from_end <= item->last &&
		       (from_end - item->first) % item->step == 0;
	case SPEC_END_FROM:
		return from_end <= item->first && (item->first - from_end) % item->step == 0;
	case SPEC_NEAREST:
		return item->first <= date->length &&
		       date->day == nearest_working_day(item->first, date);
	case SPEC_NEAREST_END:
		return date->length > item->first &&
		       date->day == nearest_working_day(date->length - item->first, date);
	case SPEC_NTH:
		return weekday == item->first && date->day > 7 * (item->step - 1) &&
		       date->day <= 7 * item->step;
	case SPEC_LAST_WEEKDAY:
		return weekday == item->first && date->day + 7 > date->length;
	default:
		return value_matches(spec, field, item, field == SPEC_DAY ? date->day : weekday);
	}
}

static bool any_matches(const struct cron_spec *spec, enum spec_field field, int value)
{
	for (int i = 0; i < spec->counts[field]; i++)
		if (value_matches(spec, field, &spec->items[field][i], value))
			return true;
	return false;
}

static bool any_date_matches(
    const struct cron_spec *spec, enum spec_field field, const struct wall_day *date)
{
	for (int i = 0; i < spec->counts[field]; i++)
		if (date_item_matches(spec, field, &spec->items[field][i], date))
			return true;
	return false;
}

static bool starts_with_star(const struct cron_spec *spec, enum spec_field field)
{
	enum spec_kind kind = spec->items[field][0].kind;

	return spec->counts[field] > 0 && (kind == SPEC_ALL || kind == SPEC_EVERY);
}

static bool starts_open(const struct cron_spec *spec, enum spec_field field)
{
	return starts_with_star(spec, field) || spec->items[field][0].kind == SPEC_OPEN;
}

/* Which of the fields that --fields orders was given last? */
static int significance(enum spec_field field)
{
	static const int order[SPEC_FIELDS] = {
	    [SPEC_YEAR] = 0,
	    [SPEC_MONTH] = 1,
	    [SPEC_DAY] = 2,
	    [SPEC_WEEK] = 3,
	    [SPEC_WEEKDAY] = 4,
	    [SPEC_HOUR] = 5,
	    [SPEC_MINUTE] = 6,
	    [SPEC_SECOND] = 7,
	};

	return order[field];
}

/* Is a field that was left out "*", or does it have to be its minimum? */
static bool left_out_is_open(const struct cron_spec *spec, enum spec_field field)
{
	if (field == SPEC_YEAR || field == SPEC_WEEK || field == SPEC_WEEKDAY)
		return true;
	if (spec->dialect != CRON_FIELDS)
		return field == SPEC_DAY || field == SPEC_MONTH;
	for (int other = 0; other < SPEC_FIELDS; other++)
		if (spec->counts[other] > 0 && significance(other) > significance(field))
			return true;
	return false;
}

static bool left_out_matches(const struct cron_spec *spec, enum spec_field field, int value)
{
	return left_out_is_open(spec, field) || value == minima[field];
}

bool cron_spec_value_matches(const struct cron_spec *spec, enum spec_field field, int value)
{
	if (spec->counts[field] == 0)
		return left_out_matches(spec, field, value);
	return any_matches(spec, field, value);
}

bool cron_spec_day_matches(const struct cron_spec *spec, const struct wall_day *date)
{
	bool day = spec->counts[SPEC_DAY] ? any_date_matches(spec, SPEC_DAY, date)
					  : left_out_matches(spec, SPEC_DAY, date->day);
	bool weekday =
	    spec->counts[SPEC_WEEKDAY] ? any_date_matches(spec, SPEC_WEEKDAY, date) : true;
	bool either = spec->dialect == CRON_CRONTAB && !spec->explicit_and &&
		      !starts_open(spec, SPEC_DAY) && !starts_open(spec, SPEC_WEEKDAY);

	return cron_spec_value_matches(spec, SPEC_YEAR, date->year) &&
	       cron_spec_value_matches(spec, SPEC_MONTH, date->month) &&
	       cron_spec_value_matches(spec, SPEC_WEEK, date->week) &&
	       (either ? day || weekday : day && weekday);
}

bool cron_spec_is_wildcard(const struct cron_spec *spec)
{
	if (starts_with_star(spec, SPEC_SECOND) || starts_with_star(spec, SPEC_MINUTE) ||
	    starts_with_star(spec, SPEC_HOUR))
		return true;
	/* --fields: what was left out above a given field is "*". */
	return spec->dialect == CRON_FIELDS &&
	       ((spec->counts[SPEC_HOUR] == 0 && left_out_is_open(spec, SPEC_HOUR)) ||
		   (spec->counts[SPEC_MINUTE] == 0 && left_out_is_open(spec, SPEC_MINUTE)));
}
