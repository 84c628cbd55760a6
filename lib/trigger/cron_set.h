/* SPDX-License-Identifier: MIT */
/*
 * The compiled form of a cron schedule: one bit per value of each field.
 *
 * Shared by the files cron*.c and nobody else. Weekdays count from 0 = Sunday
 * here, whatever the dialect counts from. A "wall" is a wall-clock reading in
 * seconds as if it were UTC, a "day" the number of days since 1970-01-01.
 */
#ifndef SCHEDD_TRIGGER_CRON_SET_H
#define SCHEDD_TRIGGER_CRON_SET_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include "trigger/cron.h"

#define CRON_TEXT_MAX 1024 /* bytes of an expression */

#define CRON_DAY_SECONDS 86400
/* The last second of 9999, as an instant and as a wall-clock reading. */
#define CRON_LAST_SECOND (SCHEDD_TIME_MAX / SCHEDD_SECOND)
#define CRON_LAST_DAY ((int32_t)(CRON_LAST_SECOND / CRON_DAY_SECONDS))

#define CRON_FIRST_YEAR 1970
#define CRON_LAST_YEAR 9999

#define CRON_ALL_SIXTY ((UINT64_C(1) << 60) - 1)        /* seconds, minutes: bits 0..59 */
#define CRON_ALL_HOURS ((UINT32_C(1) << 24) - 1)        /* bits 0..23 */
#define CRON_ALL_DAYS UINT32_C(0xfffffffe)              /* bits 1..31 */
#define CRON_ALL_MONTHS 0x1ffeU                         /* bits 1..12 */
#define CRON_ALL_WEEKDAYS 0x7fU                         /* bits 0..6 */
#define CRON_ALL_WEEKS (((UINT64_C(1) << 53) - 1) << 1) /* bits 1..53 */

enum cron_field {
	CRON_SECOND,
	CRON_MINUTE,
	CRON_HOUR,
	CRON_DAY,
	CRON_MONTH,
	CRON_WEEKDAY,
	CRON_YEAR,
	CRON_WEEK,
	CRON_FIELD_COUNT,
};

enum cron_flag {
	CRON_WILDCARD = 1 << 0,   /* follows real time through gaps and folds */
	CRON_EITHER = 1 << 1,     /* a day matches by date or by weekday; otherwise by both */
	CRON_PLUS = 1 << 2,       /* "+mon": both was asked for */
	CRON_NTH_IN_DAY = 1 << 3, /* "2nd fri" stands in the day field (--fields) */
	CRON_DRAWN = 1 << 4,      /* the text holds a~b */
	CRON_HASHED = 1 << 5,     /* the text holds H */
	CRON_EVERY_DAY = 1 << 6,  /* every date matches */
	CRON_EVERY_WEEK = 1 << 7, /* nothing but the weekday decides */
};

#define CRON_NTH_LAST 0x01 /* in cron_rare.nth; bits 1..5 are the first to the fifth */

/* What few schedules have. */
struct cron_rare {
	uint64_t weeks;      /* ISO 8601 weeks, bits 1..53 */
	uint32_t from_end;   /* bit n: the day n days before the last of the month */
	uint32_t near;       /* bit d: the day from Monday to Friday nearest to day d */
	uint32_t near_end;   /* bit n: likewise, nearest to n days before the last */
	uint8_t nth[7];      /* of each weekday: CRON_NTH_LAST, bits 1..5 */
	bool some_years;     /* years and year_* count; otherwise every year */
	uint16_t year_first; /* the first year in the set */
	uint16_t year_last;  /* the last one */
	char *notes;         /* what H and ~ came to, one line each; NULL: nothing */
	uint64_t years[];    /* bit y - year_first */
};

struct cron {
	uint64_t seconds;       /* bits 0..59 */
	uint64_t minutes;       /* bits 0..59 */
	uint32_t hours;         /* bits 0..23 */
	uint32_t days;          /* bits 1..31 */
	uint16_t months;        /* bits 1..12 */
	uint16_t flags;         /* enum cron_flag */
	uint8_t weekdays;       /* bits 0..6 */
	uint8_t dialect;        /* enum cron_dialect */
	struct cron_rare *rare; /* owned; NULL: there is none */
	char text[];            /* as cron_text gives it */
};

static_assert(sizeof(struct cron) <= 64, "a compiled cron schedule fits a cache line");

#endif
