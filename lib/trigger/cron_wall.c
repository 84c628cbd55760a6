/* SPDX-License-Identifier: MIT */
/*
 * A reading is a day and a time of day; the times are the same on each day,
 * the product of three bit sets.
 */
#include "trigger/cron_wall.h"

#include "trigger/cron_days.h"

#define NO_TIME (-1)

static int32_t time_of(int hour, int minute, int second)
{
	return hour * 3600 + minute * 60 + second;
}

static int lowest(uint64_t bits)
{
	return __builtin_ctzll(bits);
}

static int highest(uint64_t bits)
{
	return 63 - __builtin_clzll(bits);
}

static int32_t first_time(const struct cron *cron)
{
	return time_of(lowest(cron->hours), lowest(cron->minutes), lowest(cron->seconds));
}

static int32_t last_time(const struct cron *cron)
{
	return time_of(highest(cron->hours), highest(cron->minutes), highest(cron->seconds));
}

/* The first time of day at or after one, NO_TIME if it is over for that day. */
static int32_t next_time(const struct cron *cron, int32_t time)
{
	int hour = time / 3600, minute = time / 60 % 60, second = time % 60;
	uint64_t later;

	if (cron->hours >> hour & 1) {
		if (cron->minutes >> minute & 1) {
			later = cron->seconds & UINT64_MAX << second;
			if (later)
				return time_of(hour, minute, lowest(later));
		}
		later = cron->minutes & UINT64_MAX << (minute + 1);
		if (later)
			return time_of(hour, lowest(later), lowest(cron->seconds));
	}
	later = cron->hours & UINT64_MAX << (hour + 1);
	if (later)
		return time_of(lowest(later), lowest(cron->minutes), lowest(cron->seconds));
	return NO_TIME;
}

/* The last time of day at or before one, NO_TIME if the first one is later. */
static int32_t prev_time(const struct cron *cron, int32_t time)
{
	int hour = time / 3600, minute = time / 60 % 60, second = time % 60;
	uint64_t earlier;

	if (cron->hours >> hour & 1) {
		if (cron->minutes >> minute & 1) {
			earlier = cron->seconds & ((UINT64_C(2) << second) - 1);
			if (earlier)
				return time_of(hour, minute, highest(earlier));
		}
		earlier = cron->minutes & ((UINT64_C(1) << minute) - 1);
		if (earlier)
			return time_of(hour, highest(earlier), highest(cron->seconds));
	}
	earlier = cron->hours & ((UINT64_C(1) << hour) - 1);
	if (earlier)
		return time_of(highest(earlier), highest(cron->minutes), highest(cron->seconds));
	return NO_TIME;
}

int64_t cron_wall_next(const struct cron *cron, int64_t wall)
{
	int32_t day, time, found;

	if (wall > CRON_LAST_SECOND)
		return CRON_WALL_NEVER;
	if (wall < 0)
		wall = 0;
	day = (int32_t)((uint64_t)wall / CRON_DAY_SECONDS);
	time = next_time(cron, (int32_t)(wall - (int64_t)day * CRON_DAY_SECONDS));
	if (time == NO_TIME) {
		day++;
		time = first_time(cron);
	}
	found = cron_days_next(cron, day);
	if (found == CRON_DAYS_NONE)
		return CRON_WALL_NEVER;
	if (found != day)
		time = first_time(cron);
	return (int64_t)found * CRON_DAY_SECONDS + time;
}

int64_t cron_wall_prev(const struct cron *cron, int64_t wall)
{
	int32_t day, time, found;

	if (wall < 0)
		return CRON_WALL_BEFORE;
	if (wall > CRON_LAST_SECOND)
		wall = CRON_LAST_SECOND;
	day = (int32_t)((uint64_t)wall / CRON_DAY_SECONDS);
	time = prev_time(cron, (int32_t)(wall - (int64_t)day * CRON_DAY_SECONDS));
	if (time == NO_TIME) {
		day--;
		time = last_time(cron);
	}
	found = cron_days_prev(cron, day);
	if (found == CRON_DAYS_NONE)
		return CRON_WALL_BEFORE;
	if (found != day)
		time = last_time(cron);
	return (int64_t)found * CRON_DAY_SECONDS + time;
}

/* How many times of day there are up to and including one. */
static uint64_t times_upto(const struct cron *cron, int32_t time)
{
	int hour = time / 3600, minute = time / 60 % 60, second = time % 60;
	uint64_t seconds = (uint64_t)__builtin_popcountll(cron->seconds);
	uint64_t minutes = (uint64_t)__builtin_popcountll(cron->minutes);
	uint64_t count;

	if (time < 0)
		return 0;
	count = (uint64_t)__builtin_popcount(cron->hours & ((UINT32_C(1) << hour) - 1)) * minutes *
		seconds;
	if (!(cron->hours >> hour & 1))
		return count;
	count +=
	    (uint64_t)__builtin_popcountll(cron->minutes & ((UINT64_C(1) << minute) - 1)) * seconds;
	if (!(cron->minutes >> minute & 1))
		return count;
	return count +
	       (uint64_t)__builtin_popcountll(cron->seconds & ((UINT64_C(2) << second) - 1));
}

uint64_t cron_wall_count(const struct cron *cron, int64_t first, int64_t last)
{
	int32_t first_day, last_day, begin, end;
	uint64_t count;

	if (first < 0)
		first = 0;
	if (last > CRON_LAST_SECOND)
		last = CRON_LAST_SECOND;
	if (first > last)
		return 0;
	first_day = (int32_t)(first / CRON_DAY_SECONDS);
	last_day = (int32_t)(last / CRON_DAY_SECONDS);
	begin = (int32_t)(first % CRON_DAY_SECONDS);
	end = (int32_t)(last % CRON_DAY_SECONDS);
	/* Whole days, without what lies before the first and after the last reading. */
	count = (uint64_t)cron_days_count(cron, first_day, last_day) *
		times_upto(cron, CRON_DAY_SECONDS - 1);
	if (cron_days_count(cron, first_day, first_day))
		count -= times_upto(cron, begin - 1);
	if (cron_days_count(cron, last_day, last_day))
		count -= times_upto(cron, CRON_DAY_SECONDS - 1) - times_upto(cron, end);
	return count;
}
