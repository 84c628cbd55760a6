/* SPDX-License-Identifier: MIT */
/* "date": one instant. */
#include "trigger/trigger_ops.h"
#include "trigger/trigger_value.h"
#include "trigger/trigger_words.h"

struct trigger_date {
	struct schedd_trigger base;
	schedd_time run_at;
};

static const struct trigger_ops trigger_date_ops;

static const struct trigger_date *trigger_date_of(const struct schedd_trigger *trigger)
{
	return (const struct trigger_date *)trigger;
}

static schedd_time trigger_date_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	schedd_time run_at = trigger_date_of(trigger)->run_at;

	(void)budget;
	return from <= run_at ? run_at : SCHEDD_TIME_NONE;
}

static schedd_time trigger_date_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	schedd_time run_at = trigger_date_of(trigger)->run_at;

	(void)budget;
	return from <= run_at && run_at <= until ? run_at : SCHEDD_TIME_NONE;
}

static enum trigger_note trigger_date_note(const struct schedd_trigger *trigger, schedd_time fire)
{
	return trigger_fold_note(trigger->zone, fire);
}

static void trigger_date_write(
    const struct schedd_trigger *trigger, struct arena *arena, struct value *map)
{
	schedd_time run_at = trigger_date_of(trigger)->run_at;

	value_put(arena, map, "run_at", trigger_value_time(arena, run_at, trigger->zone));
}

static void trigger_date_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	strbuf_add(out, "Once at ");
	trigger_words_time(out, trigger_date_of(trigger)->run_at, trigger->zone);
	trigger_words_zone(out, trigger->zone);
}

struct schedd_trigger *trigger_date_new(const struct zone *zone, schedd_time run_at)
{
	struct schedd_trigger *trigger =
	    trigger_alloc(sizeof(struct trigger_date), &trigger_date_ops, zone);

	if (trigger)
		((struct trigger_date *)trigger)->run_at = run_at;
	return trigger;
}

static const struct trigger_ops trigger_date_ops = {
    .type = "date",
    .late = true,
    .next = trigger_date_next,
    .latest = trigger_date_latest,
    .note = trigger_date_note,
    .write = trigger_date_write,
    .words = trigger_date_words,
};
