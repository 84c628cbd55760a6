/* SPDX-License-Identifier: MIT */
/*
 * A window of time as the C library sees it: what the clock on the wall shows
 * at each minute or second, asked one by one in the process's own TZ.
 */
#ifndef TESTS_REFERENCE_WALL_TABLE_H
#define TESTS_REFERENCE_WALL_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum wall_kind {
	WALL_FIRST, /* the reading's only or first occurrence */
	WALL_AGAIN, /* it was there before: the second pass of a fold */
	WALL_MOVED, /* it is nowhere: a gap, the instant is by the offset before it */
};

struct wall_entry {
	int64_t instant;
	enum wall_kind kind;
	int16_t day; /* index in days */
	int8_t hour; /* of the reading */
	int8_t minute;
	int8_t second;
};

struct wall_day {
	int32_t number; /* since 1970-01-01, to tell it from others */
	int year;       /* 1970.. */
	int month;      /* 1..12 */
	int day;        /* 1..31 */
	int weekday;    /* 0 = Sunday */
	int week;       /* ISO 8601 */
	int length;     /* days of the month */
};

struct wall_table {
	int64_t begin;              /* the first instant covered */
	int64_t end;                /* the first one after it */
	int step;                   /* seconds between two instants: 60 or 1 */
	struct wall_entry *entries; /* in the order of instants */
	size_t count;
	size_t capacity;
	struct wall_day *days;
	size_t day_count;
	size_t day_capacity;
};

/*
 * Asks the C library for every instant from begin on. Falls back to steps of a
 * second, and ten minutes, where an offset is not a whole number of minutes.
 * Exits the program when out of memory.
 */
void wall_table_fill(struct wall_table *table, int64_t begin, int64_t end, int step);
void wall_table_clear(struct wall_table *table);

#endif
