/* SPDX-License-Identifier: MIT */
/* A cron schedule while it is being read: plain sets, made into a struct cron at the end. */
#ifndef SCHEDD_TRIGGER_CRON_DRAFT_H
#define SCHEDD_TRIGGER_CRON_DRAFT_H

#include "trigger/cron_reader.h"

struct cron_draft {
	uint64_t sets[CRON_FIELD_COUNT]; /* a bit per value, all fields but the year; the weekday's
					    0 is Sunday */
	uint64_t
	    years[(CRON_LAST_YEAR - CRON_FIRST_YEAR) / 64 + 1]; /* set up by the first year added */
	bool some_years;   /* years counts; otherwise every year */
	uint32_t from_end; /* as in cron_rare, likewise the next three */
	uint32_t near;
	uint32_t near_end;
	uint8_t nth[7];
	uint16_t flags;               /* enum cron_flag */
	unsigned draws;               /* a~b so far */
	struct strbuf notes;          /* a line for each H and ~ */
	const struct cron_draw *draw; /* what H and ~ come from */
};

/* Every field empty, every year. draw may be NULL: the empty id, seed 0. */
void cron_draft_init(struct cron_draft *draft, const struct cron_draw *draw);
void cron_draft_clear(struct cron_draft *draft);

/* Adds a value. Weekdays: 0..6, and 7 is Sunday too. */
void cron_draft_add(struct cron_draft *draft, enum cron_field field, int value);
/* Adds every value of the field. */
void cron_draft_add_all(struct cron_draft *draft, enum cron_field field);
/*
 * Adds first, first + step, ... up to last. Where last is before first the range
 * goes on through the field's end (a wrap-around; not for years).
 */
void cron_draft_add_range(
    struct cron_draft *draft, enum cron_field field, int first, int last, int step);
/* The nth weekday of the month, n 1..5 or 0 for the last. */
void cron_draft_add_nth(struct cron_draft *draft, int weekday, int n);

/* The hash behind H: of the job's id and the field, the same for ever. */
uint64_t cron_draft_hash(const struct cron_draft *draft, enum cron_field field);
/* The draw behind the index-th a~b of the expression, counted from 0. */
uint64_t cron_draft_random(const struct cron_draft *draft, unsigned index);

/* Remembers what became of an H or ~: "H/15 in the minute field begins at 7". */
void cron_draft_note(struct cron_draft *draft, enum cron_field field, struct cron_slice text,
    const char *verb, int value);

/*
 * Makes the schedule and empties the draft, also when it fails. A week field
 * that was left empty means every week. text is what cron_text will give.
 * SCHEDD_ENOMEM.
 */
int cron_draft_finish(struct cron_draft *draft, enum cron_dialect dialect, const char *text,
    size_t length, struct cron **out, struct schedd_error *err) __attribute__((warn_unused_result));

#endif
