/* SPDX-License-Identifier: MIT */
/*
 * The proleptic Gregorian calendar as arithmetic: no zones, no clocks.
 */
#ifndef SCHEDD_BASE_CIVIL_H
#define SCHEDD_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/* The years that the arithmetic below is right for. */
#define CIVIL_YEAR_MIN (-32767)
#define CIVIL_YEAR_MAX 32767

/* A wall-clock reading. */
struct civil {
	int32_t year;
	int8_t month;  /* 1..12 */
	int8_t day;    /* 1..31 */
	int8_t hour;   /* 0..23 */
	int8_t minute; /* 0..59 */
	int8_t second; /* 0..59 */
	int32_t micro; /* 0..999999 */
};

/* Days since 1970-01-01. The day may lie outside of the month and counts on. */
int32_t civil_days(int32_t year, int month, int day);
/* The inverse; sets only the date. */
void civil_from_days(int32_t days, struct civil *out);
/* 0 = Sunday .. 6 = Saturday. */
int civil_weekday(int32_t days);
/* 28..31; month 1..12. */
int civil_month_length(int32_t year, int month);
/* Has it a 29 February? */
bool civil_is_leap(int32_t year);
/* ISO 8601 week number, 1..53. */
int civil_iso_week(int32_t days);
/* Seconds since the epoch as if the reading were UTC; micro is left out. */
int64_t civil_seconds(const struct civil *civil);
/* The inverse; micro becomes 0. */
void civil_from_seconds(int64_t seconds, struct civil *out);
/* Is each field in its range, and does the date exist? */
bool civil_valid(const struct civil *civil);

#endif
