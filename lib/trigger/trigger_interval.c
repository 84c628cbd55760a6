/* SPDX-License-Identifier: MIT */
/*
 * "interval": anchor + n·step for n ≥ 0, in elapsed time. Zones and changes of
 * the clock mean nothing to it; the zone is only for display.
 */
#include "trigger/trigger_interval.h"

#include "base/duration.h"
#include "trigger/trigger_ops.h"
#include "trigger/trigger_value.h"
#include "trigger/trigger_words.h"

struct trigger_interval {
	struct schedd_trigger base;
	schedd_time anchor; /* the first fire time */
	schedd_span step;   /* > 0 */
};

static const struct trigger_ops trigger_interval_ops;

static const struct trigger_interval *trigger_interval_of(const struct schedd_trigger *trigger)
{
	return (const struct trigger_interval *)trigger;
}

static schedd_time trigger_interval_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	const struct trigger_interval *interval = trigger_interval_of(trigger);
	schedd_span past = from - interval->anchor;
	schedd_time fire;

	(void)budget;
	if (past <= 0)
		return interval->anchor;
	fire = interval->anchor + (past + interval->step - 1) / interval->step * interval->step;
	return fire > SCHEDD_TIME_MAX ? SCHEDD_TIME_NONE : fire;
}

static schedd_time trigger_interval_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	const struct trigger_interval *interval = trigger_interval_of(trigger);
	schedd_time fire;

	(void)budget;
	if (until < interval->anchor)
		return SCHEDD_TIME_NONE;
	fire = until - (until - interval->anchor) % interval->step;
	return fire < from ? SCHEDD_TIME_NONE : fire;
}

static uint64_t trigger_interval_count(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit)
{
	schedd_time first = trigger_interval_next(trigger, from, NULL);
	uint64_t count;

	if (first == SCHEDD_TIME_NONE || first > until)
		return 0;
	count = (uint64_t)((until - first) / trigger_interval_of(trigger)->step) + 1;
	return count < limit ? count : limit;
}

static void trigger_interval_write(
    const struct schedd_trigger *trigger, struct arena *arena, struct value *map)
{
	const struct trigger_interval *interval = trigger_interval_of(trigger);

	value_put(arena, map, "seconds", duration_to_value(interval->step));
	value_put(arena, map, "start", trigger_value_time(arena, interval->anchor, trigger->zone));
}

static void trigger_interval_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	strbuf_add(out, "Every ");
	trigger_words_span(out, trigger_interval_of(trigger)->step, true);
}

struct schedd_trigger *trigger_interval_new(
    const struct zone *zone, schedd_time anchor, schedd_span step)
{
	struct trigger_interval *interval = (struct trigger_interval *)trigger_alloc(
	    sizeof(*interval), &trigger_interval_ops, zone);

	if (!interval)
		return NULL;
	interval->anchor = anchor;
	interval->step = step;
	return &interval->base;
}

bool trigger_interval_get(
    const struct schedd_trigger *trigger, schedd_time *anchor, schedd_span *step)
{
	if (trigger->ops != &trigger_interval_ops)
		return false;
	*anchor = trigger_interval_of(trigger)->anchor;
	*step = trigger_interval_of(trigger)->step;
	return true;
}

/* The inverse of a modulo m, for coprime a and m; 0 for m = 1. */
static int64_t trigger_interval_inverse(int64_t a, int64_t m)
{
	int64_t r0 = m, r1 = a % m, t0 = 0, t1 = 1;

	while (r1 > 0) {
		int64_t q = r0 / r1, r2 = r0 - q * r1, t2 = t0 - q * t1;

		r0 = r1;
		r1 = r2;
		t0 = t1;
		t1 = t2;
	}
	return t0 < 0 ? t0 + m : t0;
}

static int64_t trigger_interval_gcd(int64_t a, int64_t b)
{
	while (b > 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

bool trigger_interval_meet(struct trigger_grid *grid, const struct trigger_grid *other)
{
	int64_t common = trigger_interval_gcd(grid->step, other->step);
	int64_t turns = other->step / common; /* after so many steps of grid the pattern repeats */
	int64_t apart = other->anchor - grid->anchor;
	schedd_time least = grid->anchor > other->anchor ? grid->anchor : other->anchor;
	__int128 step = (__int128)grid->step * turns, meet;

	if (apart % common != 0)
		return false;
	/* grid->anchor + k·grid->step ≡ other->anchor (mod other->step), solved for k in 0..turns-1
	 */
	apart = apart / common % turns;
	if (apart < 0)
		apart += turns;
	meet = (__int128)apart * trigger_interval_inverse(grid->step / common, turns) % turns;
	meet = grid->anchor + meet * grid->step;
	if (meet < least)
		meet += (least - meet + step - 1) / step * step;
	if (meet > SCHEDD_TIME_MAX)
		return false;
	grid->anchor = (schedd_time)meet;
	/* A step beyond the range of time means: this one meeting. */
	grid->step = step > SCHEDD_TIME_MAX ? SCHEDD_TIME_MAX + 1 : (schedd_span)step;
	return true;
}

static const struct trigger_ops trigger_interval_ops = {
    .type = "interval",
    .next = trigger_interval_next,
    .latest = trigger_interval_latest,
    .count = trigger_interval_count,
    .write = trigger_interval_write,
    .words = trigger_interval_words,
};
