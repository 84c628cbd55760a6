/* SPDX-License-Identifier: MIT */
/*
 * Triggers: when a job is due.
 *
 * A trigger is immutable, reference-counted and a pure function of time: what
 * could vary (an interval's anchor, a random draw, a hash of the job's id) is
 * settled when it is made and written out again with it. So any number of jobs
 * and threads may share one, asking costs no allocation, and a restarted
 * daemon continues exactly where it stopped.
 *
 * Start and end are inclusive. Splay is a fixed delay within 0..splay, hashed
 * from host and job id, that all fire times contain. Jitter is a delay within
 * 0..jitter, drawn anew for each run and not in them. Neither goes beyond end.
 *
 * An interval without start is anchored one interval after context.now, which
 * is written out as its start; a calendar without start begins today. Both are
 * taken over from context.previous as long as what repeats is the same, and so
 * is the seed of an expression with a~b.
 *
 * Nothing here knows of jobs, stores, loops or clocks: time is an argument.
 */
#ifndef SCHEDD_TRIGGER_TRIGGER_H
#define SCHEDD_TRIGGER_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>
#include <schedd/clock.h>
#include <schedd/error.h>
#include <schedd/trigger.h>
#include "base/strbuf.h"
#include "base/value.h"
#include "trigger/zone.h"

struct schedd_trigger;
struct trigger_cache;

/* What a trigger is made with. */
struct trigger_context {
	struct zone_cache *zones; /* for zones the trigger names */
	const struct zone *zone;  /* for those that name none */
	schedd_time now;          /* anchors intervals without start; base of relative phrases */
	const char *job_id;       /* hashed by H and splay; NULL: the empty id */
	const char *host;         /* hashed by splay; NULL: the empty name */
	uint64_t seed;            /* draws of a~b; 0: from the kernel's random numbers */
	/* Keeps its anchors and draws where the text is unchanged; NULL: none. */
	const struct schedd_trigger *previous;
	/* Shares equal triggers; NULL: none. Not to be used by two threads at once. */
	struct trigger_cache *cache;
	bool strict; /* gaps and folds in typed times are errors (see when.h) */
};

/* What makes a trigger fire besides the clock; a set, as children of "or" may differ. */
enum trigger_event {
	TRIGGER_ON_START = 1, /* schedd starts */
	TRIGGER_ON_BOOT = 2,  /* schedd's first start after a boot */
};

/*
 * Reads any JSON form of a trigger (schedd-time(7)), canonical or short. A string is taken as
 * canonical text. The new trigger has one reference. Errors: SCHEDD_EINVAL with
 * a sentence that names the dialect, the text and the place.
 */
int trigger_from_value(const struct value *value, const struct trigger_context *context,
    struct schedd_trigger **out, struct schedd_error *err) __attribute__((warn_unused_result));
/* The canonical JSON form, which reads back to an equal trigger. Check arena_failed() after. */
struct value trigger_to_value(const struct schedd_trigger *trigger, struct arena *arena);

/* The canonical text ("cron '30 2 * * *' tz Europe/Berlin"), one line. */
void trigger_to_text(const struct schedd_trigger *trigger, struct strbuf *out);
int trigger_from_text(const char *text, const struct trigger_context *context,
    struct schedd_trigger **out, struct schedd_error *err) __attribute__((warn_unused_result));

/* Plain English: "At 02:30 on weekdays, Europe/Berlin". */
void trigger_words(const struct schedd_trigger *trigger, struct strbuf *out);
/* What H, ~ and the either/both rule came to, one remark a line; nothing if there is none. */
void trigger_remarks(const struct schedd_trigger *trigger, struct strbuf *out);

struct schedd_trigger *trigger_ref(struct schedd_trigger *trigger);
/* NULL is fine. Thread-safe. */
void trigger_unref(struct schedd_trigger *trigger);
/* Same canonical form. */
bool trigger_equal(const struct schedd_trigger *a, const struct schedd_trigger *b);

/* The earliest fire time ≥ from; SCHEDD_TIME_NONE: there is none. Splay is in, jitter is not. */
schedd_time trigger_next(const struct schedd_trigger *trigger, schedd_time from);
/*
 * The first fire time of a job that is new at now: as trigger_next, but a date
 * is given even when it has passed, so that it runs late rather than never.
 */
schedd_time trigger_first(const struct schedd_trigger *trigger, schedd_time now);
/* The latest fire time in [from, until], else SCHEDD_TIME_NONE. O(1), not O(fire times). */
schedd_time trigger_latest(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until);
/*
 * How many fire times lie in [from, until]. Exact up to limit, more than limit
 * is answered as limit. Bounded by the days in between, not by the fire times,
 * except for "or" and "and", which step.
 */
uint64_t trigger_count(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit);
/*
 * When a fire time is really run: a jittered trigger delays each by a draw of
 * its own (random: 64 fresh random bits), evenly from 0 to jitter, to no later
 * than the trigger's end and never earlier than now. The next fire time is to be
 * asked for from fire on, not from the delayed time: none may be passed over.
 */
schedd_time trigger_jittered(
    const struct schedd_trigger *trigger, schedd_time fire, schedd_time now, uint64_t random);

/* Does it ever fire by the clock? False for manual, on-start and on-boot alone. */
bool trigger_has_clock(const struct schedd_trigger *trigger);
/* Do its times depend on the job's id (H, splay), so that it is made anew with another id? */
bool trigger_has_hash(const struct schedd_trigger *trigger);
/* Set of enum trigger_event. */
unsigned trigger_events(const struct schedd_trigger *trigger);
/* The zone its times are shown in. */
const struct zone *trigger_zone(const struct schedd_trigger *trigger);

/* How a fire time came about, for notes in listings. */
enum trigger_note {
	TRIGGER_NOTE_NONE,
	TRIGGER_NOTE_MOVED,      /* its wall time is in a gap: moved to after it */
	TRIGGER_NOTE_FOLD_FIRST, /* its wall time comes twice, this is the first */
	TRIGGER_NOTE_FOLD_SECOND,
};
enum trigger_note trigger_note_at(const struct schedd_trigger *trigger, schedd_time fire);
/*
 * Does a whole day's share of a rule fall into a gap between after and fire, a fire time and the
 * next (or where looking began)? Then that day (since 1970-01-01) goes without a run.
 */
bool trigger_left_out(
    const struct schedd_trigger *trigger, schedd_time after, schedd_time fire, int32_t *day);

#endif
