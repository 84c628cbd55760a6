/* SPDX-License-Identifier: MIT */
/*
 * Reading triggers from plain data: what every form has in common, and the
 * kinds that need little else. Sentences name the key and, inside of
 * combinations, the place ("any[1]").
 */
#include "trigger/trigger_read.h"

#include <string.h>
#include "base/duration.h"
#include "base/iso8601.h"
#include "trigger/trigger_spread.h"
#include "trigger/trigger_text.h"
#include "trigger/trigger_value.h"
#include "trigger/when.h"

/* Puts key and place before a sentence that knows neither. */
static int read_error(
    const struct trigger_frame *frame, const char *key, struct schedd_error *err, int rc)
{
	if (rc == SCHEDD_ENOMEM)
		return rc;
	schedd_error_prefix(err, frame->depth == 0 ? "trigger: '%s'" : "'%s'", key);
	return rc;
}

/* RFC 3339 in full, as everything that was written by us: most of what is ever read. */
static bool read_instant(const struct value *value, schedd_time *out)
{
	struct iso8601 iso;
	int64_t second;

	if (value->type != VALUE_STRING || value->string.length == 0 ||
	    iso8601_scan(value->string.text, &iso) != value->string.length || !iso.has_time ||
	    !iso.has_offset)
		return false;
	second = civil_seconds(&iso.civil) - iso.offset;
	if (second < 0 || second > SCHEDD_TIME_MAX / SCHEDD_SECOND)
		return false;
	*out = second * SCHEDD_SECOND + iso.civil.micro;
	return true;
}

int trigger_read_time(const struct trigger_frame *frame, const struct value *value, const char *key,
    bool date_is_end, schedd_time *out, struct schedd_error *err)
{
	struct when_context when = {
	    .zones = frame->context->zones,
	    .zone = frame->zone,
	    .now = frame->context->now,
	    .strict = frame->context->strict,
	    .date_is_end = date_is_end,
	};
	int rc;

	if (read_instant(value, out))
		return 0;
	if (value->type == VALUE_STRING && !trigger_form_text(frame, value, key, err))
		return SCHEDD_EINVAL;
	rc = when_from_value(value, &when, out, err);
	return rc ? read_error(frame, key, err, rc) : 0;
}

int trigger_read_span(const struct trigger_frame *frame, const struct value *value, const char *key,
    schedd_span *out, struct schedd_error *err)
{
	int rc;

	if (value->type == VALUE_STRING && !trigger_form_text(frame, value, key, err))
		return SCHEDD_EINVAL;
	rc = duration_from_value(value, out, err);
	if (rc)
		return read_error(frame, key, err, rc);
	if (*out > TRIGGER_SPAN_MAX)
		return trigger_form_error(frame, err, "'%s' is longer than 100000 days", key);
	return 0;
}

int trigger_read_date(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	schedd_time run_at;
	int rc = trigger_read_time(frame, frame->own, frame->form->key, false, &run_at, err);

	if (rc)
		return rc;
	*out = trigger_date_new(frame->zone, run_at);
	return *out ? 0 : schedd_error_nomem(err);
}

int trigger_read_interval(
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

int trigger_read_event(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	if (frame->own && (frame->own->type != VALUE_BOOL || !frame->own->boolean))
		return trigger_form_error(frame, err, "'%s' can only be true", frame->form->key);
	*out = trigger_event_new(frame->zone, (unsigned)frame->form->variant);
	return *out ? 0 : schedd_error_nomem(err);
}

/* Reads child i of frame's list. */
static int read_child(const struct trigger_frame *frame, uint32_t i, struct schedd_trigger **out,
    struct schedd_error *err)
{
	bool all = frame->form->variant;
	struct trigger_frame child = {
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

int trigger_read_combine(
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
	if (!frame->keys[TRIGGER_KEY_TIMEZONE])
		zone = trigger_zone(children[0]);
	*out = trigger_combine_new(zone, frame->form->variant, children, count);
	return *out ? 0 : schedd_error_nomem(err);
}

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
	return rc ? read_error(frame, "timezone", err, rc) : 0;
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
	rc = trigger_form_find(frame, err);
	if (!rc)
		rc = trigger_form_sort(frame, err);
	if (!rc && frame->keys[TRIGGER_KEY_TIMEZONE])
		rc = read_zone(frame, err);
	if (!rc)
		rc = read_bounds(frame, err);
	if (!rc)
		rc = frame->form->read(frame, out, err);
	if (rc)
		return rc;
	if (trigger_form_bounded(frame) && trigger_bound(*out, &frame->bounds)) {
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
