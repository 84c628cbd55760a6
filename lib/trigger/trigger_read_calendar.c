/* SPDX-License-Identifier: MIT */
/* Reading calendar triggers: a map of counts, or the text 'months=1 time=08:00:00'. */
#include "trigger/trigger_read.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include "base/civil.h"
#include "base/iso8601.h"
#include "base/suggest.h"

/* No count may reach beyond the range of time. */
#define CALENDAR_YEARS_MAX 8029

/* What can be counted; the place in the spec, and how many there are in all of time. */
static const struct {
	const char *key;
	size_t offset;
	int32_t most;
} calendar_counts[] = {
    {"years", offsetof(struct trigger_calendar_spec, years), CALENDAR_YEARS_MAX},
    {"months", offsetof(struct trigger_calendar_spec, months), CALENDAR_YEARS_MAX * 12},
    {"weeks", offsetof(struct trigger_calendar_spec, weeks), CALENDAR_YEARS_MAX * 53},
    {"days", offsetof(struct trigger_calendar_spec, days), CALENDAR_YEARS_MAX * 366},
};

#define CALENDAR_COUNTS (sizeof(calendar_counts) / sizeof(calendar_counts[0]))

/* Up to two digits. Returns how many, 0: none. */
static size_t calendar_digits(const char *text, int32_t *out)
{
	size_t length = 0;

	for (*out = 0; length < 2 && isdigit((unsigned char)text[length]); length++)
		*out = *out * 10 + (text[length] - '0');
	return length;
}

/* H:MM or H:MM:SS */
static int calendar_time(const struct trigger_frame *frame, const char *text,
    struct trigger_calendar_spec *spec, struct schedd_error *err)
{
	int32_t part[3] = {0, 0, 0};
	const char *at = text;
	size_t count, length;

	for (count = 0; count < 3; count++) {
		if (count > 0 && *at++ != ':')
			break;
		length = calendar_digits(at, &part[count]);
		if (length == 0 || (count > 0 && length != 2))
			break;
		at += length;
		if (*at == '\0' && count > 0) {
			if (part[0] > 23 || part[1] > 59 || part[2] > 59)
				break;
			spec->time = part[0] * 3600 + part[1] * 60 + part[2];
			return 0;
		}
	}
	return trigger_form_error(
	    frame, err, "'time' must be written as 08:00 or 08:00:00, not '%.60s'", text);
}

static int calendar_count(const struct trigger_frame *frame, size_t row, int64_t count,
    struct trigger_calendar_spec *spec, struct schedd_error *err)
{
	if (count < 0 || count > calendar_counts[row].most)
		return trigger_form_error(frame, err, "'%s' must be between 0 and %d",
		    calendar_counts[row].key, (int)calendar_counts[row].most);
	*(int32_t *)((char *)spec + calendar_counts[row].offset) = (int32_t)count;
	return 0;
}

static int calendar_unknown(
    const struct trigger_frame *frame, const char *key, struct schedd_error *err)
{
	const char *const names[] = {"years", "months", "weeks", "days", "time"};
	const char *near = suggest_closest(key, names, sizeof(names) / sizeof(names[0]));

	if (near)
		return trigger_form_error(frame, err,
		    "unknown word '%.60s' in a calendar, did you mean '%s'?", key, near);
	return trigger_form_error(frame, err,
	    "unknown word '%.60s' in a calendar; there are years, months, weeks, days and time",
	    key);
}

static int calendar_member(const struct trigger_frame *frame, const char *key,
    const struct value *value, struct trigger_calendar_spec *spec, struct schedd_error *err)
{
	if (value->type == VALUE_NIL)
		return 0;
	for (size_t i = 0; i < CALENDAR_COUNTS; i++) {
		if (strcmp(key, calendar_counts[i].key) != 0)
			continue;
		if (value->type != VALUE_INT)
			return trigger_form_error(frame, err, "'%s' must be an integer, not %s",
			    key, value_type_name(value->type));
		return calendar_count(frame, i, value->integer, spec, err);
	}
	if (strcmp(key, "time") == 0) {
		const char *text = trigger_form_text(frame, value, key, err);

		return text ? calendar_time(frame, text, spec, err) : SCHEDD_EINVAL;
	}
	return calendar_unknown(frame, key, err);
}

/* One "key=value" of a text. */
static int calendar_pair(const struct trigger_frame *frame, const char *pair, size_t length,
    struct trigger_calendar_spec *spec, unsigned *seen, struct schedd_error *err)
{
	const char *equals = memchr(pair, '=', length);
	size_t key_length = equals ? (size_t)(equals - pair) : length;
	char key[16], text[16];
	size_t row = 0;
	int64_t count = 0;

	if (!equals || key_length >= sizeof(key) || length - key_length - 1 >= sizeof(text))
		return trigger_form_error(frame, err,
		    "a calendar is written as 'months=1 time=08:00:00', not with '%.*s'",
		    (int)(length < 60 ? length : 60), pair);
	memcpy(key, pair, key_length);
	key[key_length] = '\0';
	memcpy(text, equals + 1, length - key_length - 1);
	text[length - key_length - 1] = '\0';
	while (row < CALENDAR_COUNTS && strcmp(key, calendar_counts[row].key) != 0)
		row++;
	if (row == CALENDAR_COUNTS && strcmp(key, "time") != 0)
		return calendar_unknown(frame, key, err);
	if (*seen & (1u << row))
		return trigger_form_error(frame, err, "'%s' is given twice", key);
	*seen |= 1u << row;
	if (row == CALENDAR_COUNTS)
		return calendar_time(frame, text, spec, err);
	if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
		return trigger_form_error(
		    frame, err, "'%s' must be a whole number, not '%s'", key, text);
	for (const char *digit = text; *digit; digit++)
		count = count * 10 + (*digit - '0');
	return calendar_count(frame, row, count, spec, err);
}

static int calendar_text(const struct trigger_frame *frame, const char *text,
    struct trigger_calendar_spec *spec, struct schedd_error *err)
{
	unsigned seen = 0;
	int rc = 0;

	while (!rc) {
		size_t length;

		text += strspn(text, " \t;");
		length = strcspn(text, " \t;");
		if (length == 0)
			return 0;
		rc = calendar_pair(frame, text, length, spec, &seen, err);
		text += length;
	}
	return rc;
}

static int calendar_spec(
    const struct trigger_frame *frame, struct trigger_calendar_spec *spec, struct schedd_error *err)
{
	const struct value *own = frame->form->key ? frame->own : frame->map;
	const char *text;
	int rc = 0;

	if (own->type == VALUE_STRING) {
		text = trigger_form_text(frame, own, frame->form->key, err);
		rc = text ? calendar_text(frame, text, spec, err) : SCHEDD_EINVAL;
	} else if (frame->form->key && own->type != VALUE_MAP) {
		rc = trigger_form_error(frame, err, "'%s' must be a text or a map, not %s",
		    frame->form->key, value_type_name(own->type));
	} else if (frame->form->key) {
		for (uint32_t i = 0; !rc && i < own->map.count; i++)
			rc = calendar_member(
			    frame, own->map.members[i].key, &own->map.members[i].value, spec, err);
	} else {
		for (const char *const *key = frame->form->more; !rc && *key; key++) {
			const struct value *member = value_get(own, *key);

			if (member)
				rc = calendar_member(frame, *key, member, spec, err);
		}
	}
	if (!rc && spec->years == 0 && spec->months == 0 && spec->weeks == 0 && spec->days == 0)
		rc = trigger_form_error(frame, err,
		    "a calendar needs at least one of years, months, weeks and days above 0");
	return rc;
}

static int32_t calendar_date(const struct zone *zone, schedd_time when)
{
	int64_t second = when / SCHEDD_SECOND;

	second += zone_offset(zone, second);
	return (int32_t)(second / 86400) - (second % 86400 < 0);
}

/* No start: the anchor of the same calendar before, or today. */
static void calendar_default(const struct trigger_frame *frame, struct trigger_calendar_spec *spec)
{
	struct trigger_calendar_spec old;

	spec->anchor = calendar_date(frame->zone, frame->context->now);
	if (!frame->previous || frame->previous->zone != frame->zone ||
	    !trigger_calendar_get(frame->previous, &old))
		return;
	if (old.years == spec->years && old.months == spec->months && old.weeks == spec->weeks &&
	    old.days == spec->days && old.time == spec->time)
		spec->anchor = old.anchor;
}

/* A date is the anchor; an instant is a bound too, where it is later than its date's fire time. */
static int calendar_start(
    struct trigger_frame *frame, struct trigger_calendar_spec *spec, struct schedd_error *err)
{
	const struct value *start = frame->keys[TRIGGER_KEY_START];
	struct zone_wall wall;
	struct iso8601 iso;
	schedd_time when;
	int rc;

	if (!start) {
		calendar_default(frame, spec);
		return 0;
	}
	if (start->type == VALUE_STRING && start->string.length > 0 &&
	    iso8601_scan(start->string.text, &iso) == start->string.length && !iso.has_time &&
	    iso.civil.year >= 1970 && iso.civil.year <= 9999) {
		spec->anchor = civil_days(iso.civil.year, iso.civil.month, iso.civil.day);
		return 0;
	}
	rc = trigger_read_time(frame, start, "start", false, &when, err);
	if (rc)
		return rc;
	spec->anchor = calendar_date(frame->zone, when);
	zone_wall(frame->zone, (int64_t)spec->anchor * 86400 + spec->time, &wall);
	if (when > wall.first * SCHEDD_SECOND)
		frame->bounds.start = when;
	if (frame->bounds.end != SCHEDD_TIME_NONE && frame->bounds.end < when)
		return trigger_form_error(frame, err, "'end' is before 'start'");
	return 0;
}

int trigger_read_calendar(
    struct trigger_frame *frame, struct schedd_trigger **out, struct schedd_error *err)
{
	struct trigger_calendar_spec spec = {0};
	int rc = calendar_spec(frame, &spec, err);

	if (!rc)
		rc = calendar_start(frame, &spec, err);
	if (rc)
		return rc;
	*out = trigger_calendar_new(frame->zone, &spec);
	return *out ? 0 : schedd_error_nomem(err);
}
