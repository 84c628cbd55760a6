/* SPDX-License-Identifier: MIT */
/*
 * A random cron schedule as a description: what each field was meant to say.
 * The text for our reader is written from it, and the reference decides from it
 * what matches, so neither depends on the other.
 */
#ifndef TESTS_REFERENCE_CRON_SPEC_H
#define TESTS_REFERENCE_CRON_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include "reference/random.h"
#include "reference/wall_table.h"
#include "trigger/cron.h"

#define SPEC_ITEMS_MAX 3
#define SPEC_TEXT_MAX 1024

enum spec_field {
	SPEC_SECOND,
	SPEC_MINUTE,
	SPEC_HOUR,
	SPEC_DAY,
	SPEC_MONTH,
	SPEC_WEEKDAY,
	SPEC_YEAR,
	SPEC_WEEK,
	SPEC_FIELDS,
};

enum spec_kind {
	SPEC_ALL,          /* every value */
	SPEC_OPEN,         /* '?' of the crontab and Quartz: every value */
	SPEC_EVERY,        /* from the field's minimum by step */
	SPEC_VALUE,        /* first */
	SPEC_RANGE,        /* first to last by step, through the field's end if last is lower */
	SPEC_FROM,         /* first to the field's end by step */
	SPEC_FROM_END,     /* the day first days before the last; "L-n", "last" */
	SPEC_END_RANGE,    /* days from the end, 1 = the last: first to last by step */
	SPEC_END_FROM,     /* likewise: first, then nearer to the end by step */
	SPEC_NEAREST,      /* the working day nearest to day first */
	SPEC_NEAREST_END,  /* likewise to first days before the last */
	SPEC_NTH,          /* the step-th weekday first of the month */
	SPEC_LAST_WEEKDAY, /* the last weekday first of the month */
};

struct spec_item {
	enum spec_kind kind;
	int first; /* in the dialect's own numbers */
	int last;
	int step;
};

struct cron_spec {
	enum cron_dialect dialect;
	struct spec_item items[SPEC_FIELDS][SPEC_ITEMS_MAX];
	int counts[SPEC_FIELDS]; /* items of each field; 0: the field is left out */
	bool explicit_and;       /* "+" before the weekdays of a crontab */
	char text[SPEC_TEXT_MAX];
};

/*
 * A schedule that has something to do with the given day, so that it fires
 * there often enough. seconds: it may say something about seconds.
 */
void cron_spec_make(
    struct cron_spec *spec, struct random *random, const struct wall_day *day, bool seconds);

/* Writes the text of a description that is complete otherwise. */
void cron_spec_write(struct cron_spec *spec, struct random *random);

/* The lowest and the highest value of a field in a dialect. */
int cron_spec_min(enum cron_dialect dialect, enum spec_field field);
int cron_spec_max(enum cron_dialect dialect, enum spec_field field);

/* Does the value of a field match that is neither day nor weekday? */
bool cron_spec_value_matches(const struct cron_spec *spec, enum spec_field field, int value);
bool cron_spec_day_matches(const struct cron_spec *spec, const struct wall_day *day);
/* Does it follow real time (rule 2 of daylight saving)? */
bool cron_spec_is_wildcard(const struct cron_spec *spec);

#endif
