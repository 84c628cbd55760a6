/* SPDX-License-Identifier: MIT */
/*
 * Reading triggers from plain data: the table of forms, what they have in
 * common, and the kinds that need little else. Sentences name the key and, inside of
 * combinations, the place ("any[1]").
 */
#include "trigger/trigger_read.h"

#include <string.h>
#include "trigger/trigger_spread.h"
#include "trigger/trigger_text.h"
#include "trigger/trigger_value.h"

static int read_date(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	schedd_time run_at;
	int rc = trigger_read_time(frame, frame->own, frame->form->key, false, &run_at, err);

	if (rc)
		return rc;
	*out = trigger_date_new(frame->zone, run_at);
	return *out ? 0 : schedd_error_nomem(err);
}

static int read_interval(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	const struct value *start = frame->keys[TRIGGER_KEY_START];
	schedd_time anchor = frame->context->now;
	schedd_span step, old;
	int rc = trigger_read_span(frame, frame->own, frame->form->key, &step, err);

	if (rc)
		return rc;
	if (step < TRIGGER_SPAN_MIN)
		return trigger_form_error(
		    frame, err, "'%s' is shorter than 0.001 seconds", frame->form->key);
	/* An end before it is no error: it may be an anchor of ours that is read back. */
	if (start) {
		rc = trigger_read_time(frame, start, "start", false, &anchor, err);
		if (rc)
			return rc;
	} else if (!frame->previous || !trigger_interval_get(frame->previous, &anchor, &old) ||
		   old != step) {
		anchor = frame->context->now + step;
	}
	*out = trigger_interval_new(frame->zone, anchor, step);
	return *out ? 0 : schedd_error_nomem(err);
}

static int read_event(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	if (frame->own && (frame->own->type != VALUE_BOOL || !frame->own->boolean))
		return trigger_form_error(frame, err, "'%s' can only be true", frame->form->key);
	*out = trigger_event_new(frame->zone, (unsigned)frame->form->variant);
	return *out ? 0 : schedd_error_nomem(err);
}

/* What holds at this place: its own bounds, and what a combination around it left to it. */
static void read_effect(struct trigger_frame *frame)
{
	const struct trigger_bounds *around = frame->around;
	struct trigger_bounds *bounds = &frame->bounds;

	bounds->first = bounds->start;
	bounds->last = bounds->end;
	bounds->moved = bounds->offset;
	if (!around)
		return;
	if (around->first > bounds->first)
		bounds->first = around->first;
	if (bounds->last == SCHEDD_TIME_NONE ||
	    (around->last != SCHEDD_TIME_NONE && around->last < bounds->last))
		bounds->last = around->last;
	bounds->moved += around->moved;
}

/* "and" moves what its children agree on, up to where the first of them ends. */
static void read_last(const struct schedd_trigger *trigger, schedd_time *last)
{
	const struct schedd_trigger *child;
	const struct trigger_bounds *bounds = trigger->bounds;

	if (bounds && bounds->last != SCHEDD_TIME_NONE &&
	    (*last == SCHEDD_TIME_NONE || bounds->last < *last))
		*last = bounds->last;
	for (uint32_t i = 0; (child = trigger_combine_child(trigger, true, i)); i++)
		read_last(child, last);
}

/* "or" leaves moving to its children, each of which knows where it ends. */
static void read_moved(
    struct trigger_frame *frame, struct schedd_trigger *const *children, uint32_t count)
{
	struct trigger_bounds *bounds = &frame->bounds;

	if (bounds->moved == 0)
		return;
	if (frame->form->variant) {
		for (uint32_t i = 0; i < count; i++)
			read_last(children[i], &bounds->last);
	} else {
		bounds->first = bounds->last = SCHEDD_TIME_NONE;
		bounds->moved = 0;
	}
}

/* Reads child i of frame's list. */
static int read_child(const struct trigger_frame *frame, uint32_t i, struct schedd_trigger **out,
    struct schedd_error *err)
{
	bool all = frame->form->variant;
	struct trigger_frame child = {
	    .around = !all && frame->bounds.moved > 0 ? &frame->bounds : NULL,
	    .context = frame->context,
	    .zone = frame->zone,
	    .total = frame->total,
	    .depth = frame->depth + 1,
	};
	int rc;

	if (frame->previous)
		child.previous = trigger_combine_child(frame->previous, all, i);
	rc = trigger_read_any(&frame->own->array.items[i], &child, out, err);
	if (!rc && all && (!trigger_has_clock(*out) || trigger_events(*out))) {
		trigger_unref(*out);
		rc = schedd_error_set(err, SCHEDD_EINVAL,
		    "what no clock fires cannot stand in a combination by 'and'");
	}
	if (rc && rc != SCHEDD_ENOMEM)
		schedd_error_prefix(
		    err, "%s%s[%u]", frame->depth == 0 ? "trigger: " : "", frame->form->key, i);
	return rc;
}

static int read_combine(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	struct schedd_trigger *children[TRIGGER_VALUE_LIST_MAX];
	const struct zone *zone = frame->zone;
	uint32_t count = 0;
	int rc = 0;

	if (frame->own->type != VALUE_ARRAY)
		return trigger_form_error(frame, err, "'%s' must be a list, not %s",
		    frame->form->key, value_type_name(frame->own->type));
	if (frame->own->array.count == 0)
		return trigger_form_error(frame, err, "the list '%s' is empty", frame->form->key);
	if (frame->own->array.count > TRIGGER_VALUE_LIST_MAX)
		return trigger_form_error(frame, err,
		    "the list '%s' has %u triggers, at most %d may be", frame->form->key,
		    frame->own->array.count, TRIGGER_VALUE_LIST_MAX);
	while (!rc && count < frame->own->array.count) {
		rc = read_child(frame, count, &children[count], err);
		if (!rc)
			count++;
	}
	if (rc) {
		while (count > 0)
			trigger_unref(children[--count]);
		return rc;
	}
	read_moved(frame, children, count);
	if (!frame->keys[TRIGGER_KEY_TIMEZONE])
		zone = trigger_zone(children[0]);
	*out = trigger_combine_new(zone, frame->form->variant, children, count);
	return *out ? 0 : schedd_error_nomem(err);
}

#define BIT(key) (1u << TRIGGER_KEY_##key)
#define FORM_BOUNDS (BIT(TIMEZONE) | BIT(START) | BIT(END) | BIT(JITTER) | BIT(SPLAY))
#define FORM_CRON (FORM_BOUNDS | BIT(SEED))

static const char *const read_calendar_keys[] = {"years", "months", "weeks", "days", "time", NULL};

/* Forms of one type stand together; the first whose key is there is meant. */
static const struct trigger_form read_forms[] = {
    {"date", "run_at", NULL, FORM_BOUNDS, 0, false, false, read_date},
    {"interval", "seconds", NULL, FORM_BOUNDS, 0, true, false, read_interval},
    {"calendar", NULL, read_calendar_keys, FORM_BOUNDS, 0, true, true, trigger_read_calendar},
    {"cron", "expr", NULL, FORM_CRON, CRON_CRONTAB, false, false, trigger_read_cron},
    {"cron", "fields", NULL, FORM_CRON, CRON_FIELDS, false, false, trigger_read_cron},
    {"cron", "quartz", NULL, FORM_CRON, CRON_QUARTZ, false, false, trigger_read_cron},
    {"cron", "on_calendar", NULL, FORM_CRON, CRON_ONCALENDAR, false, false, trigger_read_cron},
    {"or", "triggers", NULL, FORM_BOUNDS, false, false, false, read_combine},
    {"and", "triggers", NULL, FORM_BOUNDS, true, false, false, read_combine},
    {"manual", NULL, NULL, 0, 0, false, false, read_event},
    {"on_start", NULL, NULL, 0, TRIGGER_ON_START, false, false, read_event},
    {"on_boot", NULL, NULL, 0, TRIGGER_ON_BOOT, false, false, read_event},

    {NULL, "at", NULL, FORM_BOUNDS, 0, false, false, read_date},
    {NULL, "every", NULL, FORM_BOUNDS, 0, true, false, read_interval},
    {NULL, "calendar", NULL, FORM_BOUNDS, 0, true, true, trigger_read_calendar},
    {NULL, "cron", NULL, FORM_CRON, CRON_CRONTAB, false, false, trigger_read_cron},
    {NULL, "fields", NULL, FORM_CRON, CRON_FIELDS, false, false, trigger_read_cron},
    {NULL, "quartz", NULL, FORM_CRON, CRON_QUARTZ, false, false, trigger_read_cron},
    {NULL, "on_calendar", NULL, FORM_CRON, CRON_ONCALENDAR, false, false, trigger_read_cron},
    {NULL, "any", NULL, FORM_BOUNDS, false, false, false, read_combine},
    {NULL, "all", NULL, FORM_BOUNDS, true, false, false, read_combine},
    {NULL, "manual", NULL, 0, 0, false, false, read_event},
    {NULL, "on_start", NULL, 0, TRIGGER_ON_START, false, false, read_event},
    {NULL, "on_boot", NULL, 0, TRIGGER_ON_BOOT, false, false, read_event},
    {.read = NULL},
};

static int read_zone(struct trigger_frame *frame, struct schedd_error *err)
{
	const char *name =
	    trigger_form_text(frame, frame->keys[TRIGGER_KEY_TIMEZONE], "timezone", err);
	int rc;

	if (!name)
		return SCHEDD_EINVAL;
	if (strcmp(name, zone_name(frame->zone)) == 0)
		return 0;
	if (!frame->context->zones) {
		if (strcmp(name, zone_name(zone_utc())) != 0)
			return trigger_form_error(frame, err, "no time zone but UTC is known here");
		frame->zone = zone_utc();
		return 0;
	}
	rc = zone_cache_get(frame->context->zones, name, &frame->zone, err);
	return rc ? trigger_read_error(frame, "timezone", err, rc) : 0;
}

/* Everything that may stand beside any rule. */
static int read_bounds(struct trigger_frame *frame, struct schedd_error *err)
{
	const struct value *start = frame->form->own_start ? NULL : frame->keys[TRIGGER_KEY_START];
	const struct value *end = frame->keys[TRIGGER_KEY_END];
	const struct value *jitter = frame->keys[TRIGGER_KEY_JITTER];
	const struct value *splay = frame->keys[TRIGGER_KEY_SPLAY];
	struct trigger_bounds *bounds = &frame->bounds;
	int rc = 0;

	bounds->start = bounds->end = SCHEDD_TIME_NONE;
	if (start)
		rc = trigger_read_time(frame, start, "start", false, &bounds->start, err);
	if (!rc && end)
		rc = trigger_read_time(
		    frame, end, "end", frame->form->end_is_day, &bounds->end, err);
	if (!rc && jitter)
		rc = trigger_read_span(frame, jitter, "jitter", &bounds->jitter, err);
	if (!rc && splay)
		rc = trigger_read_span(frame, splay, "splay", &bounds->splay, err);
	if (!rc && end && bounds->end < bounds->start)
		rc = trigger_form_error(frame, err, "'end' is before 'start'");
	if (!rc && splay)
		bounds->offset = trigger_spread_splay(
		    bounds->splay, frame->context->host, frame->context->job_id);
	return rc;
}

static int read_map(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	int rc;

	if (frame->depth > TRIGGER_VALUE_DEPTH_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "nested deeper than %d levels", TRIGGER_VALUE_DEPTH_MAX);
	if (++*frame->total > TRIGGER_VALUE_TOTAL_MAX)
		return schedd_error_set(
		    err, SCHEDD_EINVAL, "more than %d triggers in one", TRIGGER_VALUE_TOTAL_MAX);
	frame->forms = read_forms;
	rc = trigger_form_find(frame, err);
	if (!rc)
		rc = trigger_form_sort(frame, err);
	if (!rc && frame->keys[TRIGGER_KEY_TIMEZONE])
		rc = read_zone(frame, err);
	if (!rc)
		rc = read_bounds(frame, err);
	if (rc)
		return rc;
	read_effect(frame);
	rc = frame->form->read(frame, out, err);
	if (rc)
		return rc;
	/* A calendar finds out where it starts while it is read. */
	if (frame->form->read == trigger_read_calendar)
		read_effect(frame);
	if (trigger_bounds_set(&frame->bounds) && trigger_bound(*out, &frame->bounds)) {
		trigger_unref(*out);
		return schedd_error_nomem(err);
	}
	return 0;
}

int trigger_read_any(const struct value *value, struct trigger_frame *frame,
    struct schedd_trigger **out, struct schedd_error *err)
{
	struct arena arena;
	struct value map;
	int rc;

	frame->map = value;
	if (value->type == VALUE_MAP)
		return read_map(frame, out, err);
	if (value->type != VALUE_STRING)
		return trigger_form_error(
		    frame, err, "must be a map or a text, not %s", value_type_name(value->type));
	if (!trigger_form_text(frame, value, "text", err))
		return SCHEDD_EINVAL;
	arena_init(&arena);
	frame->map = &map;
	rc = trigger_text_read(value->string.text, &arena, &map, err);
	if (!rc)
		rc = read_map(frame, out, err);
	arena_clear(&arena);
	return rc;
}
