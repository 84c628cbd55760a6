/* SPDX-License-Identifier: MIT */
/* The way in and out: a value to a trigger, and a trigger to its canonical value. */
#include "trigger/trigger_value.h"

#include <string.h>
#include "base/civil.h"
#include "base/duration.h"
#include "trigger/trigger_read.h"
#include "trigger/when.h"

int trigger_value_read(const struct value *value, const struct trigger_context *context,
    struct schedd_trigger **out, struct schedd_error *err)
{
	uint32_t total = 0;
	struct trigger_frame frame = {
	    .context = context,
	    .previous = context->previous,
	    .zone = context->zone ? context->zone : zone_utc(),
	    .total = &total,
	};

	return trigger_read_any(value, &frame, out, err);
}

struct value trigger_value_time(struct arena *arena, schedd_time when, const struct zone *zone)
{
	struct strbuf text = STRBUF_EMPTY;
	struct value value;

	when_format(&text, when, zone);
	value = value_string(arena, strbuf_peek(&text));
	if (strbuf_failed(&text))
		arena->failed = true;
	strbuf_clear(&text);
	return value;
}

struct value trigger_value_date(struct arena *arena, int32_t day)
{
	struct civil date;

	civil_from_days(day, &date);
	return value_string_ref(
	    arena_printf(arena, "%04d-%02d-%02d", date.year, date.month, date.day));
}

/* The end of a calendar as the date whose last microsecond it is, if it is one. */
static struct value value_end(struct arena *arena, const struct schedd_trigger *trigger)
{
	schedd_time end = trigger->bounds->end, again;
	const struct when_context when = {.zone = trigger->zone, .date_is_end = true};
	struct trigger_calendar_spec spec;
	int64_t second = end / SCHEDD_SECOND;
	struct value date;

	if (!trigger_calendar_get(trigger, &spec))
		return trigger_value_time(arena, end, trigger->zone);
	second += zone_offset(trigger->zone, second);
	date = trigger_value_date(arena, (int32_t)(second / 86400));
	if (date.type == VALUE_STRING && when_parse(date.string.text, &when, &again, NULL) == 0 &&
	    again == end)
		return date;
	return trigger_value_time(arena, end, trigger->zone);
}

/* Combinations name a zone only where it is not that of their first child anyway. */
static bool value_has_zone(const struct schedd_trigger *trigger)
{
	const struct schedd_trigger *child = trigger_combine_child(trigger, false, 0);

	if (!child)
		child = trigger_combine_child(trigger, true, 0);
	if (child)
		return strcmp(zone_name(child->zone), zone_name(trigger->zone)) != 0;
	return trigger->clock;
}

struct value trigger_value_write(const struct schedd_trigger *trigger, struct arena *arena)
{
	const struct trigger_bounds *bounds = trigger->bounds;
	struct value map = value_map();

	value_put(arena, &map, "type", value_string_ref(trigger->ops->type));
	trigger->ops->write(trigger, arena, &map);
	if (value_has_zone(trigger))
		value_put(arena, &map, "timezone", value_string(arena, zone_name(trigger->zone)));
	if (!bounds)
		return map;
	if (bounds->start != SCHEDD_TIME_NONE)
		value_put(
		    arena, &map, "start", trigger_value_time(arena, bounds->start, trigger->zone));
	if (bounds->end != SCHEDD_TIME_NONE)
		value_put(arena, &map, "end", value_end(arena, trigger));
	if (bounds->jitter > 0)
		value_put(arena, &map, "jitter", duration_to_value(bounds->jitter));
	if (bounds->splay > 0)
		value_put(arena, &map, "splay", duration_to_value(bounds->splay));
	return map;
}
