/* SPDX-License-Identifier: MIT */
/* The way in and out: values and texts to triggers, and triggers to their canonical forms. */
#include <string.h>
#include "base/duration.h"
#include "trigger/trigger_ops.h"
#include "trigger/trigger_read.h"
#include "trigger/trigger_text.h"
#include "trigger/trigger_value.h"
#include "trigger/when.h"

int trigger_from_value(const struct value *value, const struct trigger_context *context,
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

/* The end of a calendar as the date whose last microsecond it is, if it is one. */
static struct value io_end(struct arena *arena, const struct schedd_trigger *trigger)
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

/* A child of a combination of either kind; NULL: none, or not a combination. */
static const struct schedd_trigger *io_child(const struct schedd_trigger *trigger, uint32_t index)
{
	const struct schedd_trigger *child = trigger_combine_child(trigger, false, index);

	return child ? child : trigger_combine_child(trigger, true, index);
}

static void io_children(
    const struct schedd_trigger *trigger, struct arena *arena, struct value *map)
{
	const struct schedd_trigger *child;
	struct value list = value_array();

	for (uint32_t i = 0; (child = io_child(trigger, i)); i++)
		value_append(arena, &list, trigger_to_value(child, arena));
	value_put(arena, map, "triggers", list);
}

/* Combinations name a zone only where it is not that of their first child anyway. */
static bool io_has_zone(const struct schedd_trigger *trigger)
{
	const struct schedd_trigger *child = io_child(trigger, 0);

	if (child)
		return strcmp(zone_name(child->zone), zone_name(trigger->zone)) != 0;
	return trigger->clock;
}

struct value trigger_to_value(const struct schedd_trigger *trigger, struct arena *arena)
{
	const struct trigger_bounds *bounds = trigger->bounds;
	struct value map = value_map();

	value_put(arena, &map, "type", value_string_ref(trigger->ops->type));
	if (trigger->ops->write)
		trigger->ops->write(trigger, arena, &map);
	else
		io_children(trigger, arena, &map);
	if (io_has_zone(trigger))
		value_put(arena, &map, "timezone", value_string(arena, zone_name(trigger->zone)));
	if (!bounds)
		return map;
	if (bounds->start != SCHEDD_TIME_NONE)
		value_put(
		    arena, &map, "start", trigger_value_time(arena, bounds->start, trigger->zone));
	if (bounds->end != SCHEDD_TIME_NONE)
		value_put(arena, &map, "end", io_end(arena, trigger));
	if (bounds->jitter > 0)
		value_put(arena, &map, "jitter", duration_to_value(bounds->jitter));
	if (bounds->splay > 0)
		value_put(arena, &map, "splay", duration_to_value(bounds->splay));
	return map;
}

bool trigger_equal(const struct schedd_trigger *a, const struct schedd_trigger *b)
{
	struct arena arena;
	struct value left, right;
	bool equal;

	if (a == b)
		return true;
	if (a->ops != b->ops)
		return false;
	arena_init(&arena);
	left = trigger_to_value(a, &arena);
	right = trigger_to_value(b, &arena);
	equal = !arena_failed(&arena) && value_equal(&left, &right);
	arena_clear(&arena);
	return equal;
}

int trigger_from_text(const char *text, const struct trigger_context *context,
    struct schedd_trigger **out, struct schedd_error *err)
{
	struct value value = value_string_ref(text);

	return trigger_from_value(&value, context, out, err);
}

void trigger_to_text(const struct schedd_trigger *trigger, struct strbuf *out)
{
	struct arena arena;
	struct value map;

	arena_init(&arena);
	map = trigger_to_value(trigger, &arena);
	if (arena_failed(&arena))
		out->failed = true;
	else
		trigger_text_write(&map, out);
	arena_clear(&arena);
}
