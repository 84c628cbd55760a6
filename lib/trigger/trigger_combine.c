/* SPDX-License-Identifier: MIT */
/*
 * "or" and "and" over child triggers, which may be combinations themselves.
 *
 * Every child is a pure function of time, so "or" is the least of their
 * answers: children cannot shift each other, and equal times are one time.
 * "and" lets all children step up to the latest of them until they agree; what
 * can be known of intervals beforehand is computed, not searched.
 */
#include <ctype.h>
#include <stdlib.h>
#include "trigger/trigger_interval.h"
#include "trigger/trigger_ops.h"
#include "trigger/trigger_words.h"

struct trigger_combine {
	struct schedd_trigger base;
	uint32_t count;        /* of children */
	uint32_t search_count; /* of search; 0: they never meet */
	/* and: what is searched instead of the children, not held but for grid; or: NULL. */
	struct schedd_trigger **search;
	struct schedd_trigger *grid; /* and: stands for all intervals at once, held; may be NULL */
	struct schedd_trigger *children[]; /* held */
};

static const struct trigger_ops trigger_or_ops, trigger_and_ops;

static const struct trigger_combine *trigger_combine_of(const struct schedd_trigger *trigger)
{
	return (const struct trigger_combine *)trigger;
}

/* One question to a child; false: the budget is used up. */
static bool combine_step(struct trigger_budget *budget)
{
	if (budget->steps == 0)
		return false;
	budget->steps--;
	return true;
}

static schedd_time trigger_or_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);
	schedd_time least = SCHEDD_TIME_NONE, wanted = budget->wanted;

	for (uint32_t i = 0; i < combine->count && least != from; i++) {
		schedd_time fire = trigger_next_within(combine->children[i], from, budget);

		combine_step(budget);
		if (fire != SCHEDD_TIME_NONE && (least == SCHEDD_TIME_NONE || fire < least))
			least = fire;
		if (least != SCHEDD_TIME_NONE && least < budget->wanted)
			budget->wanted = least;
	}
	budget->wanted = wanted;
	return least;
}

static schedd_time trigger_or_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);
	schedd_time latest = SCHEDD_TIME_NONE;

	for (uint32_t i = 0; i < combine->count; i++) {
		schedd_time fire = trigger_latest_within(combine->children[i], from, until, budget);

		combine_step(budget);
		/* SCHEDD_TIME_NONE is less than any time. */
		if (fire > latest)
			latest = from = fire;
	}
	return latest;
}

/* Children in turn step up to the time reached so far, until none of them moves it. */
static schedd_time trigger_and_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);
	uint32_t agreed = 0;

	for (uint32_t i = 0; agreed < combine->search_count; i = (i + 1) % combine->search_count) {
		schedd_time fire;

		if (from > budget->wanted || !combine_step(budget))
			return SCHEDD_TIME_NONE;
		fire = trigger_next_within(combine->search[i], from, budget);
		if (fire == SCHEDD_TIME_NONE)
			return SCHEDD_TIME_NONE;
		agreed = fire == from ? agreed + 1 : 1;
		from = fire;
	}
	return agreed > 0 ? from : SCHEDD_TIME_NONE;
}

/* As trigger_and_next, downwards. */
static schedd_time trigger_and_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);
	uint32_t agreed = 0;

	for (uint32_t i = 0; agreed < combine->search_count; i = (i + 1) % combine->search_count) {
		schedd_time fire;

		if (!combine_step(budget))
			return SCHEDD_TIME_NONE;
		fire = trigger_latest_within(combine->search[i], from, until, budget);
		if (fire == SCHEDD_TIME_NONE)
			return SCHEDD_TIME_NONE;
		agreed = fire == until ? agreed + 1 : 1;
		until = fire;
	}
	return agreed > 0 ? until : SCHEDD_TIME_NONE;
}

static enum trigger_note trigger_combine_note(
    const struct schedd_trigger *trigger, schedd_time fire)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);
	enum trigger_note note = TRIGGER_NOTE_NONE;

	for (uint32_t i = 0; i < combine->count && note == TRIGGER_NOTE_NONE; i++)
		if (trigger_names(combine->children[i], fire))
			note = trigger_note_at(combine->children[i], fire);
	return note;
}

/* The largest jitter of those that name the time. "or" ends with the last of them, "and" with the
 * first. */
static void trigger_combine_delay(
    const struct schedd_trigger *trigger, schedd_time fire, struct trigger_delay *out)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);
	bool all = trigger->ops == &trigger_and_ops, named = false;
	struct trigger_delay delay;

	for (uint32_t i = 0; i < combine->count; i++) {
		if (!trigger_names(combine->children[i], fire))
			continue;
		trigger_delay(combine->children[i], fire, &delay);
		if (delay.jitter > out->jitter)
			out->jitter = delay.jitter;
		if (!named || (all ? delay.until < out->until : delay.until > out->until))
			out->until = delay.until;
		named = true;
	}
}

/* A child's words as part of a sentence; combinations in parentheses. */
static void combine_words(const struct schedd_trigger *child, bool first, struct strbuf *out)
{
	bool nested = child->ops == &trigger_or_ops || child->ops == &trigger_and_ops;
	size_t at;

	if (nested)
		strbuf_add_char(out, '(');
	at = out->length;
	trigger_words(child, out);
	if (!first && out->length > at)
		out->data[at] = (char)tolower((unsigned char)out->data[at]);
	if (nested)
		strbuf_add_char(out, ')');
}

static void trigger_or_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);

	for (uint32_t i = 0; i < combine->count; i++) {
		if (i > 0)
			strbuf_add(out, ", or ");
		combine_words(combine->children[i], i == 0, out);
	}
}

static void trigger_and_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);

	strbuf_add(out, "When all of these meet: ");
	for (uint32_t i = 0; i < combine->count; i++) {
		if (i > 0)
			strbuf_add(out, "; ");
		combine_words(combine->children[i], false, out);
	}
}

static void trigger_combine_remarks(const struct schedd_trigger *trigger, struct strbuf *out)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);

	for (uint32_t i = 0; i < combine->count; i++) {
		if (out->length > 0 && out->data[out->length - 1] != '\n')
			strbuf_add_char(out, '\n');
		trigger_remarks(combine->children[i], out);
	}
}

static void trigger_combine_clear(struct schedd_trigger *trigger)
{
	struct trigger_combine *combine = (struct trigger_combine *)trigger;

	for (uint32_t i = 0; i < combine->count; i++)
		trigger_unref(combine->children[i]);
	trigger_unref(combine->grid);
	free(combine->search);
}

/* The times of an interval as they come out of it; false: not an interval. */
static bool combine_grid(
    const struct schedd_trigger *child, struct trigger_grid *grid, schedd_time *end)
{
	*end = SCHEDD_TIME_NONE;
	if (!trigger_interval_get(child, &grid->anchor, &grid->step))
		return false;
	if (child->bounds) {
		/* The last ones are moved to the end, which is off the grid. */
		if (child->bounds->moved > 0 && child->bounds->last != SCHEDD_TIME_NONE)
			return false;
		grid->anchor += child->bounds->moved;
		*end = child->bounds->last;
	}
	return grid->anchor <= SCHEDD_TIME_MAX;
}

/* What a child's times have in common; false: nothing that is known beforehand. */
static bool combine_common(
    const struct schedd_trigger *child, struct trigger_grid *grid, schedd_time *end)
{
	const struct cron *cron;
	uint64_t seed;

	if (combine_grid(child, grid, end))
		return true;
	/* An expression names whole seconds, unless splay moved them. */
	*grid = (struct trigger_grid){.anchor = 0, .step = SCHEDD_SECOND};
	return trigger_cron_get(child, &cron, &seed) &&
	       (!child->bounds || child->bounds->moved == 0 ||
		   (child->bounds->moved % SCHEDD_SECOND == 0 &&
		       (child->bounds->last == SCHEDD_TIME_NONE ||
			   child->bounds->last % SCHEDD_SECOND == 0)));
}

/* Makes one interval of the common times of all intervals. false: there are none. */
static bool combine_meet(
    const struct trigger_combine *combine, struct trigger_grid *common, schedd_time *end)
{
	*common = (struct trigger_grid){.anchor = 0, .step = 1};
	*end = SCHEDD_TIME_MAX;
	for (uint32_t i = 0; i < combine->count; i++) {
		struct trigger_grid grid;
		schedd_time until;

		if (!combine_common(combine->children[i], &grid, &until))
			continue;
		if (until != SCHEDD_TIME_NONE && until < *end)
			*end = until;
		if (!trigger_interval_meet(common, &grid))
			return false;
	}
	return common->anchor <= *end;
}

/* Sets up the search list of an "and". 0 or SCHEDD_ENOMEM. */
static int combine_prepare(struct trigger_combine *combine)
{
	struct trigger_bounds bounds = {.start = SCHEDD_TIME_NONE, .first = SCHEDD_TIME_NONE};
	struct trigger_grid common;
	bool intervals = false;
	schedd_time end;

	combine->search = calloc(combine->count + 1, sizeof(combine->search[0]));
	if (!combine->search)
		return SCHEDD_ENOMEM;
	for (uint32_t i = 0; i < combine->count; i++) {
		if (combine_grid(combine->children[i], &common, &end))
			intervals = true;
		else
			combine->search[combine->search_count++] = combine->children[i];
	}
	if (!intervals)
		return 0;
	if (!combine_meet(combine, &common, &end)) {
		combine->search_count = 0;
		return 0;
	}
	combine->grid = trigger_interval_new(combine->base.zone, common.anchor, common.step);
	if (!combine->grid)
		return SCHEDD_ENOMEM;
	bounds.end = bounds.last = end < SCHEDD_TIME_MAX ? end : SCHEDD_TIME_NONE;
	combine->search[combine->search_count++] = combine->grid;
	return trigger_bound(combine->grid, &bounds);
}

struct schedd_trigger *trigger_combine_new(
    const struct zone *zone, bool all, struct schedd_trigger *const *children, uint32_t count)
{
	struct trigger_combine *combine =
	    (struct trigger_combine *)trigger_alloc(sizeof(*combine) + count * sizeof(children[0]),
		all ? &trigger_and_ops : &trigger_or_ops, zone);

	if (!combine) {
		for (uint32_t i = 0; i < count; i++)
			trigger_unref(children[i]);
		return NULL;
	}
	combine->count = count;
	combine->base.clock = false;
	for (uint32_t i = 0; i < count; i++) {
		combine->children[i] = children[i];
		combine->base.events |= children[i]->events;
		combine->base.clock |= children[i]->clock;
		combine->base.hashed |= children[i]->hashed;
	}
	if (all && combine_prepare(combine)) {
		trigger_unref(&combine->base);
		return NULL;
	}
	return &combine->base;
}

const struct schedd_trigger *trigger_combine_child(
    const struct schedd_trigger *trigger, bool all, uint32_t index)
{
	const struct trigger_combine *combine = trigger_combine_of(trigger);

	if (trigger->ops != (all ? &trigger_and_ops : &trigger_or_ops) || index >= combine->count)
		return NULL;
	return combine->children[index];
}

static const struct trigger_ops trigger_or_ops = {
    .type = "or",
    .next = trigger_or_next,
    .latest = trigger_or_latest,
    .note = trigger_combine_note,
    .delay = trigger_combine_delay,
    .words = trigger_or_words,
    .remarks = trigger_combine_remarks,
    .clear = trigger_combine_clear,
};

static const struct trigger_ops trigger_and_ops = {
    .type = "and",
    .next = trigger_and_next,
    .latest = trigger_and_latest,
    .note = trigger_combine_note,
    .delay = trigger_combine_delay,
    .words = trigger_and_words,
    .remarks = trigger_combine_remarks,
    .clear = trigger_combine_clear,
};
