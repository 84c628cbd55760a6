/* SPDX-License-Identifier: MIT */
/* "manual", "on_start", "on_boot": triggers that no clock fires. */
#include "trigger/trigger_ops.h"

static schedd_time trigger_event_next(
    const struct schedd_trigger *trigger, schedd_time from, struct trigger_budget *budget)
{
	(void)trigger;
	(void)from;
	(void)budget;
	return SCHEDD_TIME_NONE;
}

static schedd_time trigger_event_latest(const struct schedd_trigger *trigger, schedd_time from,
    schedd_time until, struct trigger_budget *budget)
{
	(void)until;
	return trigger_event_next(trigger, from, budget);
}

static void trigger_event_write(
    const struct schedd_trigger *trigger, struct arena *arena, struct value *map)
{
	(void)trigger;
	(void)arena;
	(void)map;
}

static void trigger_event_words(const struct schedd_trigger *trigger, struct strbuf *out)
{
	strbuf_add(out, trigger->events & TRIGGER_ON_START ? "When schedd starts"
			: trigger->events & TRIGGER_ON_BOOT
			    ? "When schedd first starts after a boot"
			    : "Only when run by hand");
}

#define TRIGGER_EVENT_OPS(name)                                                                    \
	{                                                                                          \
		.type = name, .next = trigger_event_next, .latest = trigger_event_latest,          \
		.write = trigger_event_write, .words = trigger_event_words,                        \
	}

/* By enum trigger_event; the first is manual. */
static const struct trigger_ops trigger_event_ops[] = {
    [0] = TRIGGER_EVENT_OPS("manual"),
    [TRIGGER_ON_START] = TRIGGER_EVENT_OPS("on_start"),
    [TRIGGER_ON_BOOT] = TRIGGER_EVENT_OPS("on_boot"),
};

struct schedd_trigger *trigger_event_new(const struct zone *zone, unsigned event)
{
	struct schedd_trigger *trigger =
	    trigger_alloc(sizeof(struct schedd_trigger), &trigger_event_ops[event], zone);

	if (trigger) {
		trigger->events = (uint8_t)event;
		trigger->clock = false;
	}
	return trigger;
}
