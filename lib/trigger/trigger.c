/* SPDX-License-Identifier: MIT */
/*
 * The ground of every kind: its head, and what is the same for all of them. Bounds hold for the
 * times that a rule names; splay moves what is left of them, so that a host with a large offset
 * makes as many runs as one with a small one.
 */
#include "trigger/trigger.h"

#include <stdlib.h>
#include "trigger/trigger_ops.h"
#include "trigger/trigger_spread.h"

/* Some milliseconds of searching: a century ahead even for combinations of daily rules. */
#define TRIGGER_STEPS_MAX 100000

struct schedd_trigger *trigger_alloc(
    size_t size, const struct trigger_ops *ops, const struct zone *zone)
{
	struct schedd_trigger *trigger = calloc(1, size);

	if (!trigger)
		return NULL;
	trigger->ops = ops;
	trigger->zone = zone;
	trigger->clock = true;
	atomic_init(&trigger->refs, 1);
	return trigger;
}

int trigger_bound(struct schedd_trigger *trigger, const struct trigger_bounds *bounds)
{
	if (bounds->start == SCHEDD_TIME_NONE && bounds->end == SCHEDD_TIME_NONE &&
	    bounds->jitter == 0 && bounds->splay == 0)
		return 0;
	trigger->bounds = malloc(sizeof(*trigger->bounds));
	if (!trigger->bounds)
		return SCHEDD_ENOMEM;
	*trigger->bounds = *bounds;
	trigger->hashed |= bounds->splay > 0;
	return 0;
}

struct schedd_trigger *trigger_ref(struct schedd_trigger *trigger)
{
	atomic_fetch_add_explicit(&trigger->refs, 1, memory_order_relaxed);
	return trigger;
}

void trigger_unref(struct schedd_trigger *trigger)
{
	if (!trigger || atomic_fetch_sub_explicit(&trigger->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (trigger->ops->clear)
		trigger->ops->clear(trigger);
	if (trigger->bounds)
		zone_cache_free(trigger->bounds->zones);
	free(trigger->bounds);
	free(trigger);
}

/* A fire time of the rule, moved by the splay. */
static schedd_time trigger_moved(const struct trigger_bounds *bounds, schedd_time fire)
{
	return fire > SCHEDD_TIME_MAX - bounds->offset ? SCHEDD_TIME_NONE : fire + bounds->offset;
}

schedd_time trigger_next_within(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	const struct trigger_bounds *bounds = trigger->bounds;
	schedd_time fire;

	if (from < SCHEDD_TIME_MIN)
		from = SCHEDD_TIME_MIN;
	if (from > SCHEDD_TIME_MAX)
		return SCHEDD_TIME_NONE;
	if (!bounds)
		return trigger->ops->next(trigger, from, budget);
	from = from > bounds->offset ? from - bounds->offset : SCHEDD_TIME_MIN;
	if (from < bounds->start)
		from = bounds->start;
	if (bounds->end != SCHEDD_TIME_NONE && from > bounds->end)
		return SCHEDD_TIME_NONE;
	fire = trigger->ops->next(trigger, from, budget);
	if (fire == SCHEDD_TIME_NONE || (bounds->end != SCHEDD_TIME_NONE && fire > bounds->end))
		return SCHEDD_TIME_NONE;
	return trigger_moved(bounds, fire);
}

schedd_time trigger_next(const struct schedd_trigger *trigger, schedd_time from)
{
	struct trigger_budget budget = {TRIGGER_STEPS_MAX};

	return trigger_next_within(trigger, from, &budget);
}

schedd_time trigger_first(const struct schedd_trigger *trigger, schedd_time now)
{
	return trigger_next(trigger, trigger->ops->late ? SCHEDD_TIME_MIN : now);
}

/* Cuts a window to what the rule is asked for; false: nothing is left of it. */
static bool trigger_window(
    const struct schedd_trigger *trigger, schedd_time *from, schedd_time *until)
{
	const struct trigger_bounds *bounds = trigger->bounds;

	if (*from < SCHEDD_TIME_MIN)
		*from = SCHEDD_TIME_MIN;
	if (*until > SCHEDD_TIME_MAX)
		*until = SCHEDD_TIME_MAX;
	if (bounds && *from <= *until) {
		*from = *from > bounds->offset ? *from - bounds->offset : SCHEDD_TIME_MIN;
		*until -= bounds->offset;
		if (*from < bounds->start)
			*from = bounds->start;
		if (bounds->end != SCHEDD_TIME_NONE && *until > bounds->end)
			*until = bounds->end;
	}
	return *from <= *until;
}

schedd_time trigger_latest_within(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	schedd_time fire;

	if (!trigger_window(trigger, &from, &until))
		return SCHEDD_TIME_NONE;
	fire = trigger->ops->latest(trigger, from, until, budget);
	if (fire == SCHEDD_TIME_NONE || !trigger->bounds)
		return fire;
	return trigger_moved(trigger->bounds, fire);
}

schedd_time trigger_latest(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until)
{
	struct trigger_budget budget = {TRIGGER_STEPS_MAX};

	return trigger_latest_within(trigger, from, until, &budget);
}

uint64_t trigger_count(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit)
{
	uint64_t count = 0;

	if (!trigger_window(trigger, &from, &until))
		return 0;
	if (trigger->ops->count)
		return trigger->ops->count(trigger, from, until, limit);
	while (count < limit && from <= until) {
		struct trigger_budget budget = {TRIGGER_STEPS_MAX};
		schedd_time fire = trigger->ops->next(trigger, from, &budget);

		if (fire == SCHEDD_TIME_NONE || fire > until)
			break;
		count++;
		from = fire + 1;
	}
	return count;
}

bool trigger_has_clock(const struct schedd_trigger *trigger)
{
	return trigger->clock;
}

bool trigger_has_hash(const struct schedd_trigger *trigger)
{
	return trigger->hashed;
}

unsigned trigger_events(const struct schedd_trigger *trigger)
{
	return trigger->events;
}

const struct zone *trigger_zone(const struct schedd_trigger *trigger)
{
	return trigger->zone;
}

enum trigger_note trigger_note_at(const struct schedd_trigger *trigger, schedd_time fire)
{
	if (!trigger->ops->note)
		return TRIGGER_NOTE_NONE;
	if (trigger->bounds)
		fire -= trigger->bounds->offset;
	return trigger->ops->note(trigger, fire);
}

enum trigger_note trigger_fold_note(const struct zone *zone, schedd_time when)
{
	int64_t second = when / SCHEDD_SECOND;
	struct zone_wall wall;

	zone_wall(zone, second + zone_offset(zone, second), &wall);
	if (wall.kind != ZONE_FOLD)
		return TRIGGER_NOTE_NONE;
	return second == wall.first ? TRIGGER_NOTE_FOLD_FIRST : TRIGGER_NOTE_FOLD_SECOND;
}

void trigger_remarks(const struct schedd_trigger *trigger, struct strbuf *out)
{
	if (trigger->ops->remarks)
		trigger->ops->remarks(trigger, out);
}

schedd_span trigger_jitter(const struct schedd_trigger *trigger, schedd_time fire)
{
	const struct trigger_bounds *bounds = trigger->bounds;

	if (bounds && bounds->jitter > 0)
		return bounds->jitter;
	if (!trigger->ops->jitter)
		return 0;
	return trigger->ops->jitter(trigger, bounds ? fire - bounds->offset : fire);
}

schedd_time trigger_jittered(
    const struct schedd_trigger *trigger, schedd_time fire, schedd_time now, uint64_t random)
{
	schedd_time moved = fire + trigger_spread_jitter(trigger_jitter(trigger, fire), random);

	if (moved < now)
		moved = now;
	return moved > SCHEDD_TIME_MAX ? SCHEDD_TIME_MAX : moved;
}
