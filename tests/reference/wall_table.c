/* SPDX-License-Identifier: MIT */
#include "reference/wall_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REACH 97200      /* seconds from which a change of offset can still matter: 27 hours */
#define SHORT_WINDOW 600 /* of steps of one second */
#define CHANGES_MAX 16   /* in a window and its surroundings */

struct change {
	int64_t instant; /* the first second after it */
	int64_t before;  /* seconds east */
	int64_t after;
};

static void *grown(void *memory, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return memory;
	*capacity = *capacity ? *capacity * 2 : 64;
	memory = realloc(memory, *capacity * size);
	if (!memory) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

/* The reading at an instant, in seconds as if it were UTC. */
static int64_t reading_at(int64_t instant)
{
	time_t when = (time_t)instant;
	struct tm tm;

	localtime_r(&when, &tm);
	return instant + tm.tm_gmtoff;
}

static int16_t find_day(struct wall_table *table, const struct tm *tm, int64_t reading)
{
	int32_t number = (int32_t)((reading - (((reading % 86400) + 86400) % 86400)) / 86400);
	struct wall_day *day;
	struct tm next_month = {.tm_year = tm->tm_year, .tm_mon = tm->tm_mon + 1, .tm_mday = 0};
	char week[4];

	for (size_t i = table->day_count; i-- > 0;)
		if (table->days[i].number == number)
			return (int16_t)i;
	table->days =
	    grown(table->days, table->day_count, &table->day_capacity, sizeof(*table->days));
	strftime(week, sizeof(week), "%V", tm);
	timegm(&next_month); /* day 0 of the next month is the last of this one */
	day = &table->days[table->day_count];
	*day = (struct wall_day){number, tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
	    tm->tm_wday, atoi(week), next_month.tm_mday};
	return (int16_t)table->day_count++;
}

static void add_entry(struct wall_table *table, int64_t instant, const struct tm *tm,
    int64_t reading, enum wall_kind kind)
{
	table->entries =
	    grown(table->entries, table->count, &table->capacity, sizeof(*table->entries));
	table->entries[table->count++] =
	    (struct wall_entry){instant, kind, find_day(table, tm, reading), (int8_t)tm->tm_hour,
		(int8_t)tm->tm_min, (int8_t)tm->tm_sec};
}

/* Was the reading there before the instant? With instant INT64_MAX: is it anywhere? */
static int seen_before(int64_t reading, int64_t instant, const struct change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int64_t offsets[] = {changes[i].before, changes[i].after};

		for (int j = 0; j < 2; j++) {
			int64_t other = reading - offsets[j];

			if (other < instant && reading_at(other) == reading)
				return 1;
		}
	}
	return 0;
}

static void add_instant(
    struct wall_table *table, int64_t instant, const struct change *changes, size_t count)
{
	time_t when = (time_t)instant;
	int64_t reading;
	struct tm tm;

	localtime_r(&when, &tm);
	reading = instant + tm.tm_gmtoff;
	add_entry(table, instant, &tm, reading,
	    seen_before(reading, instant, changes, count) ? WALL_AGAIN : WALL_FIRST);
}

/* A reading that no instant has. */
static void add_missing(struct wall_table *table, int64_t instant, int64_t reading)
{
	time_t as_utc = (time_t)reading;
	struct tm tm;

	gmtime_r(&as_utc, &tm);
	add_entry(table, instant, &tm, reading, WALL_MOVED);
}

/* Looks at every minute around the window, then for the very second. */
static size_t find_changes(int64_t begin, int64_t end, struct change *changes)
{
	size_t count = 0;
	int64_t offset = reading_at(begin - REACH) - (begin - REACH);

	for (int64_t at = begin - REACH; at < end + REACH; at += 60) {
		int64_t second = at - 59;

		if (reading_at(at) - at == offset)
			continue;
		while (reading_at(second) - second == offset)
			second++;
		if (count == CHANGES_MAX)
			return count;
		changes[count++] = (struct change){second, offset, reading_at(second) - second};
		offset = reading_at(at) - at;
	}
	return count;
}

static int by_instant(const void *a, const void *b)
{
	int64_t left = ((const struct wall_entry *)a)->instant;
	int64_t right = ((const struct wall_entry *)b)->instant;

	return left < right ? -1 : left > right;
}

static int needs_seconds(int64_t begin, const struct change *changes, size_t count)
{
	if ((reading_at(begin) - begin) % 60 != 0)
		return 1;
	for (size_t i = 0; i < count; i++)
		if (changes[i].before % 60 || changes[i].after % 60 || changes[i].instant % 60)
			return 1;
	return 0;
}

void wall_table_fill(struct wall_table *table, int64_t begin, int64_t end, int step)
{
	struct change changes[CHANGES_MAX];
	size_t count = find_changes(begin, end, changes);

	if (step != 1 && needs_seconds(begin, changes, count))
		step = 1;
	if (step == 1 && end > begin + SHORT_WINDOW)
		end = begin + SHORT_WINDOW;
	table->begin = begin;
	table->end = end;
	table->step = step;
	table->count = table->day_count = 0;
	for (int64_t at = begin; at < end; at += step)
		add_instant(table, at, changes, count);
	for (size_t i = 0; i < count; i++) {
		const struct change *change = &changes[i];
		int64_t first = change->instant + change->before;

		for (int64_t reading = first; reading < change->instant + change->after;
		     reading += step) {
			int64_t instant = reading - change->before;

			if (instant >= begin && instant < end &&
			    !seen_before(reading, INT64_MAX, changes, count))
				add_missing(table, instant, reading);
		}
	}
	qsort(table->entries, table->count, sizeof(*table->entries), by_instant);
}

void wall_table_clear(struct wall_table *table)
{
	free(table->entries);
	free(table->days);
	memset(table, 0, sizeof(*table));
}
