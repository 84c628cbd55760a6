/* SPDX-License-Identifier: MIT */
/*
 * Cron schedules: four dialects, parsed into one form of bit sets.
 *
 * A struct cron is immutable once made and knows no zone: the zone is an
 * argument of each question, so equal expressions can share one.
 */
#ifndef SCHEDD_TRIGGER_CRON_H
#define SCHEDD_TRIGGER_CRON_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include "base/strbuf.h"
#include "base/value.h"
#include "trigger/zone.h"

struct cron; /* ≤ 64 bytes; rare parts (year lists, the text, W/L/# sets) out of line */

enum cron_dialect {
	CRON_CRONTAB,    /* --cron: crontab(5) with extensions, 5, 6 or 7 fields, macros */
	CRON_FIELDS,     /* --fields: APScheduler's names and rules */
	CRON_QUARTZ,     /* --quartz */
	CRON_ONCALENDAR, /* --on-calendar: systemd.time(7) */
};

/* What the parts that are not fixed by the text are drawn from. */
struct cron_draw {
	const char *job_id; /* for H; NULL: the empty id */
	uint64_t seed;      /* for a~b; the same seed gives the same draws */
};

/*
 * Reads an expression. FIELDS takes the text of --fields here
 * ('day_of_week=mon-fri hour=5'). An OnCalendar expression may end in a zone
 * name, which is handed back in *zone_name (to free; NULL: none; may be NULL
 * where none is allowed, then a zone is an error). SCHEDD_EINVAL with
 * err->offset in text.
 */
int cron_parse(enum cron_dialect dialect, const char *text, const struct cron_draw *draw,
    struct cron **out, char **zone_name, struct schedd_error *err)
    __attribute__((warn_unused_result));
/* The "fields" map of the JSON form: names to strings or integers. */
int cron_parse_fields(const struct value *fields, const struct cron_draw *draw, struct cron **out,
    struct schedd_error *err) __attribute__((warn_unused_result));
void cron_free(struct cron *cron);

enum cron_dialect cron_dialect(const struct cron *cron);
/* The text as written, blanks folded, without a zone. For FIELDS the text of --fields in canonical
 * order. */
const char *cron_text(const struct cron *cron);
/* FIELDS only: the map of the canonical JSON, only the fields that were given, in the order year …
 * second. */
struct value cron_fields_value(const struct cron *cron, struct arena *arena);
/* Does the text hold a~b, so that its seed must be kept with it? */
bool cron_has_draw(const struct cron *cron);
/* Does the text hold H, so that it depends on the job's id? */
bool cron_has_hash(const struct cron *cron);

/* As trigger_next, trigger_latest, trigger_count and trigger_note_at; no allocation, bounded. */
schedd_time cron_next(const struct cron *cron, const struct zone *zone, schedd_time from);
schedd_time cron_latest(
    const struct cron *cron, const struct zone *zone, schedd_time from, schedd_time until);
uint64_t cron_count(const struct cron *cron, const struct zone *zone, schedd_time from,
    schedd_time until, uint64_t limit);
/* Was the fire time moved out of a gap? */
bool cron_moved(const struct cron *cron, const struct zone *zone, schedd_time fire);
/*
 * Of two fire times that follow each other: is there a day between them of
 * whose readings none exists, because all lie in a gap? The first such day, in
 * days since 1970-01-01.
 */
bool cron_left_out(const struct cron *cron, const struct zone *zone, schedd_time after,
    schedd_time fire, int32_t *day);

/* Plain English without the zone: "At 02:30 on Monday to Friday". Right before pretty. */
void cron_words(const struct cron *cron, struct strbuf *out);
/* What H and ~ were resolved to, and whether day and weekday are joined by either or both. */
void cron_remarks(const struct cron *cron, struct strbuf *out);

#endif
