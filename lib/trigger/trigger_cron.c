/* SPDX-License-Identifier: MIT */
/*
 * "cron": an expression of any dialect in a zone. Triggers with equal
 * expressions may share one compiled form, which then belongs to one of them.
 */
#include "trigger/trigger_ops.h"
#include "trigger/trigger_words.h"

struct trigger_cron {
	struct schedd_trigger base;
	struct cron *cron;            /* owned unless owner is set */
	struct schedd_trigger *owner; /* whose cron it is, held; NULL: ours */
	uint64_t seed;                /* what a~b was drawn from */
};

static const struct trigger_ops trigger_cron_ops;

static const struct trigger_cron *trigger_cron_of(const struct schedd_trigger *trigger)
{
	return (const struct trigger_cron *)trigger;
}

static schedd_time trigger_cron_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	(void)budget;
	return cron_next(trigger_cron_of(trigger)->cron, trigger->zone, from);
}

static schedd_time trigger_cron_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	(void)budget;
	return cron_latest(trigger_cron_of(trigger)->cron, trigger->zone, from, until);
}

static uint64_t trigger_cron_count(
    const struct schedd_trigger *trigger, schedd_time from, schedd_time until, uint64_t limit)
{
	return cron_count(trigger_cron_of(trigger)->cron, trigger->zone, from, until, limit);
}

static enum trigger_note trigger_cron_note(const struct schedd_trigger *trigger, schedd_time fire)
{
	if (cron_moved(trigger_cron_of(trigger)->cron, trigger->zone, fire))
		return TRIGGER_NOTE_MOVED;
	return trigger_fold_note(trigger->zone, fire);
}

static void trigger_cron_write(
    const struct schedd_trigger *trigger, struct arena *arena, struct value *map)
{
	static const char *const keys[] = {
	    [CRON_CRONTAB] = "expr",
	    [CRON_FIELDS] = "fields",
	    [CRON_QUARTZ] = "quartz",
	    [CRON_ONCALENDAR] = "on_calendar",
	};
	const struct trigger_cron *cron = trigger_cron_of(trigger);
	enum cron_dialect dialect = cron_dialect(cron->cron);

	value_put(arena, map, keys[dialect],
	    dialect == CRON_FIELDS ? cron_fields_value(cron->cron, arena)
				   : value_string(arena, cron_text(cron->cron)));
	if (cron_has_draw(cron->cron))
		value_put(arena, map, "seed", value_int((int64_t)cron->seed));
}

static bool trigger_cron_left_out(
    const struct schedd_trigger *trigger, schedd_time after, schedd_time fire, int32_t *day)
{
	return cron_left_out(trigger_cron_of(trigger)->cron, trigger->zone, after, fire, day);
}

static void trigger_cron_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	cron_words(trigger_cron_of(trigger)->cron, out);
	trigger_words_zone(out, trigger->zone);
}

static void trigger_cron_remarks(const struct schedd_trigger *trigger, struct strbuf *out)
{
	cron_remarks(trigger_cron_of(trigger)->cron, out);
}

static void trigger_cron_clear(struct schedd_trigger *trigger)
{
	struct trigger_cron *cron = (struct trigger_cron *)trigger;

	if (!cron->owner)
		cron_free(cron->cron);
	trigger_unref(cron->owner);
}

struct schedd_trigger *trigger_cron_new(const struct zone *zone, struct cron *cron, uint64_t seed)
{
	struct trigger_cron *trigger =
	    (struct trigger_cron *)trigger_alloc(sizeof(*trigger), &trigger_cron_ops, zone);

	if (!trigger) {
		cron_free(cron);
		return NULL;
	}
	trigger->cron = cron;
	trigger->seed = seed;
	trigger->base.hashed = cron_has_hash(cron);
	return &trigger->base;
}

struct schedd_trigger *trigger_cron_share(struct schedd_trigger *owner)
{
	struct trigger_cron *trigger =
	    (struct trigger_cron *)trigger_alloc(sizeof(*trigger), &trigger_cron_ops, owner->zone);

	if (!trigger)
		return NULL;
	trigger->cron = trigger_cron_of(owner)->cron;
	trigger->seed = trigger_cron_of(owner)->seed;
	trigger->owner = trigger_ref(owner);
	return &trigger->base;
}

bool trigger_cron_get(
    const struct schedd_trigger *trigger, const struct cron **cron, uint64_t *seed)
{
	if (trigger->ops != &trigger_cron_ops)
		return false;
	*cron = trigger_cron_of(trigger)->cron;
	*seed = trigger_cron_of(trigger)->seed;
	return true;
}

static const struct trigger_ops trigger_cron_ops = {
    .type = "cron",
    .next = trigger_cron_next,
    .latest = trigger_cron_latest,
    .count = trigger_cron_count,
    .note = trigger_cron_note,
    .left_out = trigger_cron_left_out,
    .write = trigger_cron_write,
    .words = trigger_cron_words,
    .remarks = trigger_cron_remarks,
    .clear = trigger_cron_clear,
};
