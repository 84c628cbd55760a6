/* SPDX-License-Identifier: MIT */
/*
 * Time: instants, spans and the clock they are read from.
 *
 * A wall-clock instant and a reading of the monotonic clock are different
 * types, so that no delay is ever measured with a clock that can be set.
 */
#ifndef SCHEDD_CLOCK_H
#define SCHEDD_CLOCK_H

#include <stdint.h>
#include <schedd/export.h>

SCHEDD_BEGIN

/* A wall-clock instant: microseconds since 1970-01-01T00:00:00Z, no leap seconds. */
typedef int64_t schedd_time;

/* A length of time in microseconds. */
typedef int64_t schedd_span;

#define SCHEDD_SECOND ((schedd_span)1000000)
#define SCHEDD_MINUTE (60 * SCHEDD_SECOND)
#define SCHEDD_HOUR (60 * SCHEDD_MINUTE)
#define SCHEDD_DAY (24 * SCHEDD_HOUR)

/* "No such instant": a trigger that has ended, a job that is not planned. */
#define SCHEDD_TIME_NONE INT64_MIN
/* "No limit": a misfire grace time or a time-out that is not set. */
#define SCHEDD_SPAN_NONE INT64_MIN

/* The range that every instant is kept in: years 1970 to 9999. */
#define SCHEDD_TIME_MIN ((schedd_time)0)
#define SCHEDD_TIME_MAX ((schedd_time)253402300799999999)

/* A reading of the monotonic clock; only differences mean anything. */
struct schedd_mono {
	int64_t us; /* microseconds since an arbitrary start */
};

/* Where time is read from. Tests pass a clock of their own. */
struct schedd_clock {
	schedd_time (*wall)(void *context);	   /* CLOCK_REALTIME */
	struct schedd_mono (*mono)(void *context); /* CLOCK_BOOTTIME: counts suspend too */
	void *context;				   /* passed back, not owned */
};

/* The machine's clock. */
SCHEDD_API const struct schedd_clock *schedd_clock_system(void);

SCHEDD_END

#endif
