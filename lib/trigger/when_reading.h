/* SPDX-License-Identifier: MIT */
/* What a time phrase says, before it is known which instant that is. */
#ifndef SCHEDD_TRIGGER_WHEN_READING_H
#define SCHEDD_TRIGGER_WHEN_READING_H

#include "base/civil.h"
#include "trigger/when.h"

/* The forms a phrase can have. */
enum when_form {
	WHEN_INSTANT, /* "now", "in 5 minutes", "@1764576000": known at once */
	WHEN_DATE,    /* "2026-12-01 9:30" */
	WHEN_YEARLY,  /* "Dec 24 18:00", the coming one */
	WHEN_DAY,     /* "tomorrow 9am" */
	WHEN_WEEKDAY, /* "next monday 9am" */
	WHEN_CLOCK,   /* "14:00", the next one */
};

struct when_reading {
	enum when_form form;
	schedd_time instant; /* INSTANT */
	struct civil civil;  /* its date for DATE, YEARLY; its time if has_time, else midnight */
	int days;            /* DAY: from today, -1..1 */
	int weekday;         /* WEEKDAY: 0 = Sunday .. 6 */
	int turn;            /* WEEKDAY: 1 "next" stood before it, so today is not meant; -1
				"last", the one before today */
	bool has_weekday;    /* DATE, YEARLY: weekday stood before it, and has to be right */
	int32_t months, days_on; /* calendar months and days from there on */
	schedd_span span_on;     /* and elapsed time */
	bool has_time;           /* was a time of day given? */
	bool has_offset;         /* was an offset given? */
	bool utc;                /* it was Z: what zone it came from is not known */
	int32_t offset;          /* seconds east of UTC, if has_offset */
	bool has_zone;           /* was a zone named? */
	const struct zone *zone; /* the one named, else the context's */
};

/* Reads the whole text. SCHEDD_EINVAL with a sentence and err->offset. */
int when_reading_parse(const char *text, const struct when_context *context,
    struct when_reading *out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
