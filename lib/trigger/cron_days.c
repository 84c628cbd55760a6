/* SPDX-License-Identifier: MIT */
/*
 * A month at a time: all its matching days are one 32-bit mask, bit d for day
 * d, so that walking costs per month and not per day.
 *
 * The calendar repeats after 400 years of 146,097 days, which are whole weeks:
 * where no date matches in 400 years, none ever does.
 */
#include "trigger/cron_days.h"

#include "base/civil.h"

#define CALENDAR_CYCLE 400 /* years */

/* Days first..31 and 1..last, as masks. */
static uint32_t mask_from(int first)
{
	return first > 31 ? 0 : UINT32_MAX << first;
}

static uint32_t mask_upto(int last)
{
	return last < 1 ? 0 : CRON_ALL_DAYS & (UINT32_MAX >> (31 - last));
}

/* The days of a month that begins on the given weekday which fall on a set of weekdays. */
static uint32_t weekly_mask(unsigned weekdays, int weekday)
{
	uint64_t week = ((weekdays | weekdays << 7) >> weekday) & CRON_ALL_WEEKDAYS;

	return (uint32_t)(week * UINT64_C(0x10204081) << 1);
}

/* The day from Monday to Friday nearest to a day, never in another month. */
static int nearest_working_day(int day, int length, int weekday_of_first)
{
	int weekday = (weekday_of_first + day - 1) % 7;

	if (weekday == 6)
		return day == 1 ? 3 : day - 1;
	if (weekday == 0)
		return day == length ? day - 2 : day + 1;
	return day;
}

static uint32_t from_end_mask(const struct cron_rare *rare, int length, int weekday_of_first)
{
	uint32_t mask = 0;

	for (uint32_t left = rare->from_end; left; left &= left - 1) {
		int day = length - __builtin_ctz(left);

		if (day >= 1)
			mask |= UINT32_C(1) << day;
	}
	for (uint32_t left = rare->near; left; left &= left - 1) {
		int day = __builtin_ctz(left);

		if (day <= length)
			mask |= UINT32_C(1) << nearest_working_day(day, length, weekday_of_first);
	}
	for (uint32_t left = rare->near_end; left; left &= left - 1) {
		int day = length - __builtin_ctz(left);

		if (day >= 1)
			mask |= UINT32_C(1) << nearest_working_day(day, length, weekday_of_first);
	}
	return mask;
}

static uint32_t nth_mask(const struct cron_rare *rare, int length, int weekday_of_first)
{
	uint32_t mask = 0;

	for (int weekday = 0; weekday < 7; weekday++) {
		unsigned nth = rare->nth[weekday];
		int first = 1 + (weekday - weekday_of_first + 7) % 7;

		if (nth == 0)
			continue;
		for (unsigned left = nth & 0x3e; left; left &= left - 1)
			mask |= UINT32_C(1) << first << 7 * (__builtin_ctz(left) - 1);
		if (nth & CRON_NTH_LAST)
			mask |= UINT32_C(1) << (first + (length - first) / 7 * 7);
	}
	return mask;
}

static uint32_t weeks_mask(const struct cron_rare *rare, int length, int32_t first_day)
{
	uint32_t mask = 0;
	int day = 1;

	if (rare->weeks == CRON_ALL_WEEKS)
		return CRON_ALL_DAYS;
	while (day <= length) {
		int32_t number = first_day + day - 1;
		int sunday = day + (7 - civil_weekday(number)) % 7; /* a week's last day */

		if (rare->weeks >> civil_iso_week(number) & 1)
			mask |= mask_from(day) & mask_upto(sunday < 31 ? sunday : 31);
		day = sunday + 1;
	}
	return mask;
}

/* The matching days of a month, whose first day has the number first_day. */
static uint32_t month_mask(const struct cron *cron, int length, int32_t first_day)
{
	const struct cron_rare *rare = cron->rare;
	int weekday = civil_weekday(first_day);
	uint32_t days = cron->days, weekly = weekly_mask(cron->weekdays, weekday);
	uint32_t weeks = CRON_ALL_DAYS;

	if (rare) {
		uint32_t nth = nth_mask(rare, length, weekday);

		days |= from_end_mask(rare, length, weekday);
		if (cron->flags & CRON_NTH_IN_DAY)
			days |= nth;
		else
			weekly |= nth;
		weeks = weeks_mask(rare, length, first_day);
	}
	return (cron->flags & CRON_EITHER ? days | weekly : days & weekly) & weeks &
	       mask_upto(length);
}

/* The first matching year at or after one; there may be none: a year beyond the last one. */
static int32_t year_from(const struct cron *cron, int32_t year)
{
	const struct cron_rare *rare = cron->rare;
	int32_t bit = 0;
	uint64_t word;

	if (!rare || !rare->some_years)
		return year < CRON_FIRST_YEAR ? CRON_FIRST_YEAR : year;
	if (year > rare->year_last)
		return CRON_LAST_YEAR + 1;
	if (year > rare->year_first)
		bit = year - rare->year_first;
	word = rare->years[bit / 64] >> bit % 64 << bit % 64;
	while (word == 0)
		word = rare->years[(bit = bit / 64 * 64 + 64) / 64];
	return rare->year_first + bit / 64 * 64 + __builtin_ctzll(word);
}

/* The last matching year at or before one; there may be none: a year before the first one. */
static int32_t year_upto(const struct cron *cron, int32_t year)
{
	const struct cron_rare *rare = cron->rare;
	int32_t bit;
	uint64_t word;

	if (!rare || !rare->some_years)
		return year > CRON_LAST_YEAR ? CRON_LAST_YEAR : year;
	if (year < rare->year_first)
		return CRON_FIRST_YEAR - 1;
	bit = (year < rare->year_last ? year : rare->year_last) - rare->year_first;
	word = rare->years[bit / 64] & UINT64_MAX >> (63 - bit % 64);
	while (word == 0)
		word = rare->years[(bit = bit / 64 * 64 - 1) / 64];
	return rare->year_first + bit / 64 * 64 + 63 - __builtin_clzll(word);
}

/* The first and the last year in which a search that starts in a year can succeed. */
static int32_t first_year(const struct cron *cron, int32_t year)
{
	if (cron->rare && cron->rare->some_years)
		return cron->rare->year_first;
	return year - CALENDAR_CYCLE > CRON_FIRST_YEAR ? year - CALENDAR_CYCLE : CRON_FIRST_YEAR;
}

static int32_t last_year(const struct cron *cron, int32_t year)
{
	if (cron->rare && cron->rare->some_years)
		return cron->rare->year_last;
	return year + CALENDAR_CYCLE < CRON_LAST_YEAR ? year + CALENDAR_CYCLE : CRON_LAST_YEAR;
}

/* The weekdays as seen from a day: bit n is set if the day n days later matches. */
static unsigned weekdays_after(const struct cron *cron, int32_t day)
{
	unsigned twice = cron->weekdays | (unsigned)cron->weekdays << 7;

	return twice >> civil_weekday(day) & CRON_ALL_WEEKDAYS;
}

static int32_t bounded(int32_t day)
{
	return day >= 0 && day <= CRON_LAST_DAY ? day : CRON_DAYS_NONE;
}

/* The first or the last matching day of a month among those in wanted. */
static int32_t day_in_month(
    const struct cron *cron, int32_t year, int month, uint32_t wanted, bool last)
{
	int length = civil_month_length(year, month);
	int32_t first;
	uint32_t mask;

	/* Most often the date alone says no: 29 February. */
	if (!cron->rare && !(cron->flags & CRON_EITHER) &&
	    (cron->days & wanted & mask_upto(length)) == 0)
		return CRON_DAYS_NONE;
	first = civil_days(year, month, 1);
	mask = month_mask(cron, length, first) & wanted;
	if (mask == 0)
		return CRON_DAYS_NONE;
	return first - 1 + (last ? 31 - __builtin_clz(mask) : __builtin_ctz(mask));
}

int32_t cron_days_next(const struct cron *cron, int32_t day)
{
	struct civil date;
	int32_t end;

	if (cron->flags & CRON_EVERY_DAY)
		return bounded(day);
	if (cron->flags & CRON_EVERY_WEEK)
		return bounded(day + __builtin_ctz(weekdays_after(cron, day)));
	civil_from_days(day, &date);
	end = last_year(cron, date.year);
	for (int32_t year = year_from(cron, date.year); year <= end;
	     year = year_from(cron, year + 1)) {
		unsigned months = cron->months;

		if (year != date.year)
			date.month = date.day = 1;
		for (months &= ~0U << date.month; months; months &= months - 1) {
			int month = __builtin_ctz(months);
			int32_t found = day_in_month(cron, year, month,
			    month == date.month ? mask_from(date.day) : CRON_ALL_DAYS, false);

			if (found != CRON_DAYS_NONE)
				return found;
		}
	}
	return CRON_DAYS_NONE;
}

int32_t cron_days_prev(const struct cron *cron, int32_t day)
{
	struct civil date;
	int32_t end;

	if (cron->flags & CRON_EVERY_DAY)
		return bounded(day);
	if (cron->flags & CRON_EVERY_WEEK)
		return bounded(day - 6 + 31 - __builtin_clz(weekdays_after(cron, day - 6)));
	civil_from_days(day, &date);
	end = first_year(cron, date.year);
	for (int32_t year = year_upto(cron, date.year); year >= end;
	     year = year_upto(cron, year - 1)) {
		unsigned months = cron->months;

		if (year != date.year) {
			date.month = 12;
			date.day = 31;
		}
		for (months &= (2U << date.month) - 1; months;) {
			int month = 31 - __builtin_clz(months);
			int32_t found = day_in_month(cron, year, month,
			    month == date.month ? mask_upto(date.day) : CRON_ALL_DAYS, true);

			if (found != CRON_DAYS_NONE)
				return found;
			months &= ~(1U << month);
		}
	}
	return CRON_DAYS_NONE;
}

static int32_t count_weekdays(const struct cron *cron, int32_t first, int32_t last)
{
	int32_t days = last - first + 1;
	unsigned rest = weekdays_after(cron, first) & ((1U << days % 7) - 1);

	return days / 7 * __builtin_popcount(cron->weekdays) + __builtin_popcount(rest);
}

int32_t cron_days_count(const struct cron *cron, int32_t first, int32_t last)
{
	struct civil from, until;
	int32_t count = 0;

	if (first > last)
		return 0;
	if (cron->flags & CRON_EVERY_DAY)
		return last - first + 1;
	if (cron->flags & CRON_EVERY_WEEK)
		return count_weekdays(cron, first, last);
	civil_from_days(first, &from);
	civil_from_days(last, &until);
	for (int32_t year = year_from(cron, from.year); year <= until.year;
	     year = year_from(cron, year + 1)) {
		for (unsigned months = cron->months; months; months &= months - 1) {
			int month = __builtin_ctz(months);
			int32_t begin = civil_days(year, month, 1);
			int length = civil_month_length(year, month);
			uint32_t mask;

			if (begin > last || begin + length - 1 < first)
				continue;
			mask = month_mask(cron, length, begin);
			if (begin < first)
				mask &= mask_from(first - begin + 1);
			if (begin + length - 1 > last)
				mask &= mask_upto(last - begin + 1);
			count += __builtin_popcount(mask);
		}
	}
	return count;
}
