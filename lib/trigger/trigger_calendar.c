/* SPDX-License-Identifier: MIT */
/*
 * "calendar": the same wall time every so many years, months, weeks and days.
 *
 * From one date to the next: first the years and months, again and again until
 * the date exists, then the weeks and days. Where only one of the two is set,
 * the n-th date follows from n; a mixed rule has to be walked (at least 28 days
 * a step), from its anchor or from a date that an earlier question came by: who
 * searches asks for one date after the other.
 *
 * Fire times never run backwards: a wall time in a gap is moved forward by the
 * gap, at most onto the next date's.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/civil.h"
#include "trigger/trigger_ops.h"
#include "trigger/trigger_value.h"
#include "trigger/trigger_words.h"

/* 9999-12-31, days since the epoch. */
#define CALENDAR_LAST ((int32_t)(SCHEDD_TIME_MAX / SCHEDD_DAY))
/* How far the second date that is kept lies before the one asked for, for who searches backwards. */
#define CALENDAR_BEHIND (30 * 366)

struct trigger_calendar {
	struct schedd_trigger base;
	struct trigger_calendar_spec spec;
	/* Mixed: dates of the rule, where a walk may begin. Any of them are right, so threads may race. */
	_Atomic int32_t near, behind;
};

static const struct trigger_ops trigger_calendar_ops;

static const struct trigger_calendar_spec *trigger_calendar_of(const struct schedd_trigger *trigger)
{
	return &((const struct trigger_calendar *)trigger)->spec;
}

/* What is kept for the next question is no part of the value. */
static struct trigger_calendar *trigger_calendar_kept(const struct trigger_calendar_spec *spec)
{
	return (struct trigger_calendar *)((uintptr_t)spec - offsetof(struct trigger_calendar, spec));
}

static int64_t calendar_months(const struct trigger_calendar_spec *spec)
{
	return (int64_t)spec->years * 12 + spec->months;
}

static int64_t calendar_days(const struct trigger_calendar_spec *spec)
{
	return (int64_t)spec->weeks * 7 + spec->days;
}

static bool calendar_mixed(const struct trigger_calendar_spec *spec)
{
	return calendar_months(spec) > 0 && calendar_days(spec) > 0;
}

static int64_t calendar_month_of(int32_t day, struct civil *date)
{
	civil_from_days(day, date);
	return (int64_t)date->year * 12 + date->month - 1;
}

/* Not mixed: the last n whose date is not after day's month or day; may be negative. */
static int64_t calendar_turn(const struct trigger_calendar_spec *spec, int32_t day)
{
	int64_t step = calendar_days(spec), past = (int64_t)day - spec->anchor;
	struct civil date;

	if (step == 0) {
		step = calendar_months(spec);
		past = calendar_month_of(day, &date) - calendar_month_of(spec->anchor, &date);
	}
	return past >= 0 ? past / step : -1;
}

/* Not mixed: the n-th date; false: it does not exist. n is of a turn up to CALENDAR_LAST. */
static bool calendar_nth(const struct trigger_calendar_spec *spec, int64_t n, int32_t *day)
{
	struct civil date;
	int64_t month;
	int32_t year;

	if (calendar_days(spec) > 0) {
		*day = (int32_t)(spec->anchor + n * calendar_days(spec));
		return true;
	}
	month = calendar_month_of(spec->anchor, &date) + n * calendar_months(spec);
	year = (int32_t)(month / 12);
	month = month % 12 + 1;
	if (date.day > 28 && date.day > civil_month_length(year, (int)month))
		return false;
	*day = civil_days(year, (int)month, date.day);
	return true;
}

/* Mixed: the date after *day; false: there is none up to CALENDAR_LAST. */
static bool calendar_walk(const struct trigger_calendar_spec *spec, int32_t *day)
{
	struct civil date;
	int64_t month = calendar_month_of(*day, &date), next;
	int32_t year;

	do {
		month += calendar_months(spec);
		year = (int32_t)(month / 12);
		if (year > 9999)
			return false;
	} while (date.day > civil_month_length(year, (int)(month % 12) + 1));
	next = civil_days(year, (int)(month % 12) + 1, date.day) + calendar_days(spec);
	if (next > CALENDAR_LAST)
		return false;
	*day = (int32_t)next;
	return true;
}

/* Mixed: the last date before day of those that are known. */
static int32_t calendar_known(const struct trigger_calendar_spec *spec, int32_t day)
{
	const struct trigger_calendar *kept = trigger_calendar_kept(spec);
	int32_t near = atomic_load_explicit(&kept->near, memory_order_relaxed);
	int32_t behind = atomic_load_explicit(&kept->behind, memory_order_relaxed);
	int32_t known = spec->anchor;

	if (near < day && near > known)
		known = near;
	if (behind < day && behind > known)
		known = behind;
	return known;
}

/* Mixed, the anchor is before day: the date before it, and the one after that; false: it is the last. */
static bool calendar_reach(
    const struct trigger_calendar_spec *spec, int32_t day, int32_t *before, int32_t *out)
{
	struct trigger_calendar *kept = trigger_calendar_kept(spec);
	bool found = true;

	for (*out = calendar_known(spec, day); found && *out < day;) {
		*before = *out;
		if (*out < day - CALENDAR_BEHIND)
			atomic_store_explicit(&kept->behind, *out, memory_order_relaxed);
		found = calendar_walk(spec, out);
	}
	atomic_store_explicit(&kept->near, *before, memory_order_relaxed);
	return found;
}

/* The first date of the rule that is not before day. */
static bool calendar_first(const struct trigger_calendar_spec *spec, int32_t day, int32_t *out)
{
	int64_t last, n;
	int32_t before;

	if (calendar_mixed(spec) && spec->anchor < day)
		return calendar_reach(spec, day, &before, out);
	if (calendar_mixed(spec)) {
		*out = spec->anchor;
		return true;
	}
	last = calendar_turn(spec, CALENDAR_LAST);
	n = calendar_turn(spec, day);
	for (n = n < 0 ? 0 : n; n <= last; n++)
		if (calendar_nth(spec, n, out) && *out >= day)
			return true;
	return false;
}

/* The last date of the rule that is not after day. */
static bool calendar_last(const struct trigger_calendar_spec *spec, int32_t day, int32_t *out)
{
	if (calendar_mixed(spec)) {
		int32_t after;

		if (spec->anchor > day)
			return false;
		(void)calendar_reach(spec, day + 1, out, &after);
		return true;
	}
	for (int64_t n = calendar_turn(spec, day); n >= 0; n--)
		if (calendar_nth(spec, n, out) && *out <= day)
			return true;
	return false;
}

/* The date after one of the rule's. */
static bool calendar_following(const struct trigger_calendar_spec *spec, int32_t *day)
{
	return calendar_mixed(spec) ? calendar_walk(spec, day)
				    : calendar_first(spec, *day + 1, day);
}

/* Gaps move forward at the offset before them, folds take the first pass: rules 3 and 4. */
static schedd_time calendar_instant(const struct schedd_trigger *trigger, int32_t day)
{
	struct zone_wall wall;

	zone_wall(trigger->zone, (int64_t)day * 86400 + trigger_calendar_of(trigger)->time, &wall);
	return wall.first * SCHEDD_SECOND;
}

/* The local date of an instant. */
static int32_t calendar_date(const struct zone *zone, schedd_time when)
{
	int64_t second = when / SCHEDD_SECOND;

	second += zone_offset(zone, second);
	return (int32_t)(second / 86400) - (second % 86400 < 0);
}

/* As the operation next; also says of which date the fire time is. */
static schedd_time calendar_next(
    const struct schedd_trigger *trigger, schedd_time from, int32_t *day)
{
	const struct trigger_calendar_spec *spec = trigger_calendar_of(trigger);
	/* Two days back: the length of the longest gap and one. */
	bool found = calendar_first(spec, calendar_date(trigger->zone, from) - 2, day);

	for (; found; found = calendar_following(spec, day)) {
		schedd_time fire = calendar_instant(trigger, *day);

		if (fire >= from)
			return fire > SCHEDD_TIME_MAX ? SCHEDD_TIME_NONE : fire;
	}
	return SCHEDD_TIME_NONE;
}

static schedd_time trigger_calendar_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	int32_t day;

	(void)budget;
	return calendar_next(trigger, from, &day);
}

static schedd_time trigger_calendar_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	const struct trigger_calendar_spec *spec = trigger_calendar_of(trigger);
	int32_t day = calendar_date(trigger->zone, until) + 1;
	bool found = calendar_last(spec, day < CALENDAR_LAST ? day : CALENDAR_LAST, &day);

	(void)budget;
	for (; found; found = calendar_last(spec, day - 1, &day)) {
		schedd_time fire = calendar_instant(trigger, day);

		if (fire <= until)
			return fire < from ? SCHEDD_TIME_NONE : fire;
	}
	return SCHEDD_TIME_NONE;
}

static uint64_t trigger_calendar_count(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit)
{
	int32_t day;
	schedd_time fire = calendar_next(trigger, from, &day), last = SCHEDD_TIME_NONE;
	uint64_t count = 0;

	while (count < limit && fire != SCHEDD_TIME_NONE && fire <= until) {
		/* A date that was skipped as a whole is moved onto the next one. */
		count += fire != last;
		last = fire;
		if (!calendar_following(trigger_calendar_of(trigger), &day))
			break;
		fire = calendar_instant(trigger, day);
	}
	return count;
}

static enum trigger_note trigger_calendar_note(
    const struct schedd_trigger *trigger, schedd_time fire)
{
	const struct trigger_calendar_spec *spec = trigger_calendar_of(trigger);
	int64_t second = fire / SCHEDD_SECOND;
	int32_t day = calendar_date(trigger->zone, fire), found;

	second += zone_offset(trigger->zone, second);
	if (second - (int64_t)day * 86400 != spec->time || !calendar_first(spec, day, &found) ||
	    found != day)
		return TRIGGER_NOTE_MOVED;
	return trigger_fold_note(trigger->zone, fire);
}

static void trigger_calendar_write(
    const struct schedd_trigger *trigger, struct arena *arena, struct value *map)
{
	const struct trigger_calendar_spec *spec = trigger_calendar_of(trigger);

	value_put(arena, map, "years", value_int(spec->years));
	value_put(arena, map, "months", value_int(spec->months));
	value_put(arena, map, "weeks", value_int(spec->weeks));
	value_put(arena, map, "days", value_int(spec->days));
	value_put(arena, map, "time",
	    value_string_ref(arena_printf(arena, "%02d:%02d:%02d", spec->time / 3600,
		spec->time / 60 % 60, spec->time % 60)));
	/* A start that is an instant is written as a bound. */
	if (!trigger->bounds || trigger->bounds->start == SCHEDD_TIME_NONE)
		value_put(arena, map, "start", trigger_value_date(arena, spec->anchor));
}

static void trigger_calendar_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	const struct trigger_calendar_spec *spec = trigger_calendar_of(trigger);
	const struct trigger_words_part parts[] = {
	    {spec->years, "year"},
	    {spec->months, "month"},
	    {spec->weeks, "week"},
	    {spec->days, "day"},
	};
	struct civil date;

	strbuf_add(out, "Every ");
	trigger_words_parts(out, parts, sizeof(parts) / sizeof(parts[0]), true);
	strbuf_printf(out, " at %02d:%02d", spec->time / 3600, spec->time / 60 % 60);
	if (spec->time % 60)
		strbuf_printf(out, ":%02d", spec->time % 60);
	civil_from_days(spec->anchor, &date);
	strbuf_printf(out, ", counted from %04d-%02d-%02d", date.year, date.month, date.day);
	if (calendar_months(spec) > 0 && date.day > 28)
		strbuf_add(out, " without dates that do not exist");
	trigger_words_zone(out, trigger->zone);
}

struct schedd_trigger *trigger_calendar_new(
    const struct zone *zone, const struct trigger_calendar_spec *spec)
{
	struct schedd_trigger *trigger =
	    trigger_alloc(sizeof(struct trigger_calendar), &trigger_calendar_ops, zone);

	if (trigger) {
		struct trigger_calendar *calendar = (struct trigger_calendar *)trigger;

		calendar->spec = *spec;
		atomic_init(&calendar->near, spec->anchor);
		atomic_init(&calendar->behind, spec->anchor);
	}
	return trigger;
}

bool trigger_calendar_get(const struct schedd_trigger *trigger, struct trigger_calendar_spec *spec)
{
	if (trigger->ops != &trigger_calendar_ops)
		return false;
	*spec = *trigger_calendar_of(trigger);
	return true;
}

static const struct trigger_ops trigger_calendar_ops = {
    .type = "calendar",
    .next = trigger_calendar_next,
    .latest = trigger_calendar_latest,
    .count = trigger_calendar_count,
    .note = trigger_calendar_note,
    .write = trigger_calendar_write,
    .words = trigger_calendar_words,
};
