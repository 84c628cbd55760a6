/* SPDX-License-Identifier: MIT */
/*
 * The ground of every kind: its head, and what is the same for all of them. Bounds hold for the
 * times that a rule names and for what moves them: splay delays a time up to the end and no
 * further, so that those which would come after it come at the end, as one.
 */
#include "trigger/trigger.h"

#include <stdlib.h>
#include "trigger/trigger_ops.h"
#include "trigger/trigger_spread.h"

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

bool trigger_bounds_set(const struct trigger_bounds *bounds)
{
	return bounds->start != SCHEDD_TIME_NONE || bounds->end != SCHEDD_TIME_NONE ||
	       bounds->jitter > 0 || bounds->splay > 0 || bounds->moved > 0;
}

int trigger_bound(struct schedd_trigger *trigger, const struct trigger_bounds *bounds)
{
	if (!trigger_bounds_set(bounds))
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

/* A time of the rule, not after the end, moved by the splay. */
static schedd_time trigger_moved(const struct trigger_bounds *bounds, schedd_time fire)
{
	schedd_time most = bounds->last != SCHEDD_TIME_NONE ? bounds->last : SCHEDD_TIME_MAX;

	return fire > most - bounds->moved ? most : fire + bounds->moved;
}

/* The first time of the rule that was moved to here. */
static schedd_time trigger_named(const struct schedd_trigger *trigger, schedd_time moved)
{
	const struct trigger_bounds *bounds = trigger->bounds;
	struct trigger_budget budget = TRIGGER_BUDGET;
	schedd_time from;

	if (!bounds || bounds->moved == 0)
		return moved;
	from = moved > bounds->moved ? moved - bounds->moved : SCHEDD_TIME_MIN;
	return moved == bounds->last ? trigger->ops->next(trigger, from, &budget) : from;
}

schedd_time trigger_next_within(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	const struct trigger_bounds *bounds = trigger->bounds;
	schedd_time fire, wanted;

	if (from < SCHEDD_TIME_MIN)
		from = SCHEDD_TIME_MIN;
	if (from > SCHEDD_TIME_MAX)
		return SCHEDD_TIME_NONE;
	if (!bounds)
		return trigger->ops->next(trigger, from, budget);
	if (bounds->last != SCHEDD_TIME_NONE && from > bounds->last)
		return SCHEDD_TIME_NONE;
	from = from > bounds->moved ? from - bounds->moved : SCHEDD_TIME_MIN;
	if (from < bounds->first)
		from = bounds->first;
	wanted = budget->wanted;
	budget->wanted = wanted > bounds->moved ? wanted - bounds->moved : SCHEDD_TIME_MIN;
	/* What is moved to the end may come from anywhere before it. */
	if (bounds->moved > 0 && wanted >= bounds->last && bounds->last != SCHEDD_TIME_NONE)
		budget->wanted = bounds->last;
	fire = trigger->ops->next(trigger, from, budget);
	budget->wanted = wanted;
	if (fire == SCHEDD_TIME_NONE || (bounds->last != SCHEDD_TIME_NONE && fire > bounds->last))
		return SCHEDD_TIME_NONE;
	return trigger_moved(bounds, fire);
}

schedd_time trigger_next(const struct schedd_trigger *trigger, schedd_time from)
{
	struct trigger_budget budget = TRIGGER_BUDGET;

	return trigger_next_within(trigger, from, &budget);
}

schedd_time trigger_first(const struct schedd_trigger *trigger, schedd_time now)
{
	return trigger_next(trigger, trigger->ops->late ? SCHEDD_TIME_MIN : now);
}

/* Turns a window of fire times into one of the rule's times; false: nothing is left of it. */
static bool trigger_window(
    const struct schedd_trigger *trigger, schedd_time *from, schedd_time *until)
{
	const struct trigger_bounds *bounds = trigger->bounds;

	if (*from < SCHEDD_TIME_MIN)
		*from = SCHEDD_TIME_MIN;
	if (*until > SCHEDD_TIME_MAX)
		*until = SCHEDD_TIME_MAX;
	if (!bounds || *from > *until)
		return *from <= *until;
	if (bounds->last != SCHEDD_TIME_NONE && *from > bounds->last)
		return false;
	*from = *from > bounds->moved ? *from - bounds->moved : SCHEDD_TIME_MIN;
	if (*from < bounds->first)
		*from = bounds->first;
	if (bounds->last != SCHEDD_TIME_NONE && *until >= bounds->last)
		*until = bounds->last;
	else if (*until < SCHEDD_TIME_MAX)
		*until -= bounds->moved;
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
	struct trigger_budget budget = TRIGGER_BUDGET;

	return trigger_latest_within(trigger, from, until, &budget);
}

bool trigger_names(const struct schedd_trigger *trigger, schedd_time fire)
{
	return trigger_latest(trigger, fire, fire) == fire;
}

/* Times of the rule in [from, until]. */
static uint64_t trigger_count_named(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit)
{
	uint64_t count = 0;

	if (from > until)
		return 0;
	if (trigger->ops->count)
		return trigger->ops->count(trigger, from, until, limit);
	while (count < limit && from <= until) {
		struct trigger_budget budget = TRIGGER_BUDGET;
		schedd_time fire = trigger->ops->next(trigger, from, &budget);

		if (fire == SCHEDD_TIME_NONE || fire > until)
			break;
		count++;
		from = fire + 1;
	}
	return count;
}

uint64_t trigger_count(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit)
{
	const struct trigger_bounds *bounds = trigger->bounds;
	schedd_time most, gather;
	uint64_t count;

	if (!trigger_window(trigger, &from, &until))
		return 0;
	most = bounds && bounds->last != SCHEDD_TIME_NONE ? bounds->last : SCHEDD_TIME_MAX;
	if (!bounds || bounds->moved == 0 || until < most)
		return trigger_count_named(trigger, from, until, limit);
	/* From there on all are moved to the end. */
	gather = most - bounds->moved;
	count = trigger_count_named(trigger, from, gather - 1, limit);
	if (count < limit)
		count += trigger_count_named(trigger, from > gather ? from : gather, until, 1);
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
	return trigger->ops->note ? trigger->ops->note(trigger, trigger_named(trigger, fire))
				  : TRIGGER_NOTE_NONE;
}

bool trigger_left_out(
    const struct schedd_trigger *trigger, schedd_time after, schedd_time fire, int32_t *day)
{
	const struct trigger_bounds *bounds = trigger->bounds;

	if (!trigger->ops->left_out)
		return false;
	if (bounds && bounds->first > after)
		after = bounds->first;
	return after < fire &&
	       trigger->ops->left_out(trigger, after, trigger_named(trigger, fire), day);
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

void trigger_delay(
    const struct schedd_trigger *trigger, schedd_time fire, struct trigger_delay *out)
{
	const struct trigger_bounds *bounds = trigger->bounds;

	*out = (struct trigger_delay){.jitter = 0, .until = SCHEDD_TIME_MAX};
	if (trigger->ops->delay)
		trigger->ops->delay(trigger, trigger_named(trigger, fire), out);
	if (!bounds)
		return;
	if (bounds->jitter > 0)
		out->jitter = bounds->jitter;
	if (bounds->last != SCHEDD_TIME_NONE && bounds->last < out->until)
		out->until = bounds->last;
}

schedd_time trigger_jittered(
    const struct schedd_trigger *trigger, schedd_time fire, schedd_time now, uint64_t random)
{
	struct trigger_delay delay;
	schedd_time moved;

	if (!trigger->ops->delay && !trigger->bounds)
		return fire < now ? now : fire;
	trigger_delay(trigger, fire, &delay);
	moved = fire + trigger_spread_jitter(delay.jitter, random);
	if (moved > delay.until)
		moved = delay.until;
	return moved < now ? now : moved;
}
